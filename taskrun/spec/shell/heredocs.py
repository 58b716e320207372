"""Reads here-documents: the delimiter where they are announced, the body behind the next newline."""

from taskrun.spec.shell.commands import Commands
from taskrun.spec.shell.expansions import Expansions
from taskrun.spec.shell.uses import DELIMITER, MARK, QUOTED_HEREDOC


class HereDocuments(Expansions):
    def _heredoc_start(self, commands: Commands) -> None:
        self._at += 2
        strips = self._sees("-")
        self._at += strips
        while self._at < self._end and self._text[self._at] in " \t":
            self._at += 1
        delimiter, quoted = self._delimiter()
        commands.heredocs.append((delimiter, quoted, strips))
        commands.add(delimiter)
        commands.end_word()

    def _delimiter(self) -> tuple[str, bool]:
        parts: list[str] = []
        quoted = False
        while self._at < self._end and self._text[self._at] not in " \t\n;&|()<>":
            char = self._text[self._at]
            if char == MARK:
                self._place("quoted", DELIMITER)
                continue
            self._at += 1
            if char in "'\"":
                quoted = True
                end = self._find(char)
                parts.append(self._text[self._at : end])
                self._refuse_until(end, DELIMITER)
                self._at += 1
            elif char == "\\":
                quoted = True
                parts.append(self._text[self._at : self._at + 1])
                self._at += 1
            else:
                parts.append(char)
        return "".join(parts), quoted

    def _heredoc(self, delimiter: str, *, quoted: bool, strips: bool) -> None:
        body_end, after = self._heredoc_end(delimiter, quoted=quoted, strips=strips)
        if quoted:
            self._refuse_until(body_end, QUOTED_HEREDOC)
        outer, self._end = self._end, body_end
        while self._at < self._end:
            if self._text[self._at] == MARK:
                self._place("quoted")
            elif not self._expansion(None, heredoc=True):
                self._at += 1
        self._end = outer
        self._at = after

    def _heredoc_end(self, delimiter: str, *, quoted: bool, strips: bool) -> tuple[int, int]:
        """Where the body ends and where the script goes on."""
        at = self._at
        continued = False
        while at < self._end:
            found = self._text.find("\n", at, self._end)
            end = self._end if found < 0 else found
            line = self._text[at:end]
            if not continued and (line.lstrip("\t") if strips else line) == delimiter:
                return at, min(end + 1, self._end)
            continued = not quoted and (len(line) - len(line.rstrip("\\"))) % 2 == 1
            at = end + 1
        return self._end, self._end
