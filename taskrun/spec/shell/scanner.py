"""Reads a script as a shell does and notes the quoting each expression stands in."""

import re
from bisect import bisect_left
from collections.abc import Callable
from types import MappingProxyType
from typing import ClassVar

from taskrun.spec.shell.commands import Commands
from taskrun.spec.shell.uses import (
    ANSI_QUOTES,
    BACKSLASH,
    DELIMITER,
    HEREDOC_PATTERN,
    MARK,
    PARAMETER,
    QUOTED_HEREDOC,
    SINGLE_QUOTES,
    Findings,
)

_PLAIN = re.compile(r"[^\s\0\\'\"`$#;&|()<>]+|\s")
_PARAMETER = re.compile(r"[!#]?(?:[A-Za-z_]\w*|[0-9]+|[@*#?$!-])")
_EMPTY = re.compile(r"[ \t]*\)")
_OPERATOR = re.compile(r":?[-=?+]")
_REDIRECTION = re.compile(r"<<<|<&|<>|>>|>&|>\||<|>")


class Scanner:
    """``first`` is the number of the first expression in ``text``."""

    def __init__(self, text: str, first: int, findings: Findings) -> None:
        self._text = text
        self._at = 0
        self._end = len(text)
        self._first = first
        self._marks = [found.start() for found in re.finditer(MARK, text)]
        self._findings = findings
        self._no_arithmetic: set[int] = set()

    def script(self) -> None:
        self._commands("")

    # -- helpers

    def _sees(self, text: str, ahead: int = 0) -> bool:
        return self._text.startswith(text, self._at + ahead, self._end)

    def _number(self, position: int) -> int:
        return self._first + bisect_left(self._marks, position)

    def _place(self, mode: str, problem: str | None = None) -> int:
        """Note the expression here and step over it."""
        number = self._number(self._at)
        self._findings.place(number, mode, problem)
        self._at += 1
        return number

    def _refuse_until(self, end: int, problem: str, mode: str = "quoted") -> None:
        """Note every expression up to ``end`` and go there."""
        for position in self._marks[bisect_left(self._marks, self._at) : bisect_left(self._marks, end)]:
            self._findings.place(self._number(position), mode, problem or None)
        self._at = end

    def _find(self, text: str) -> int:
        found = self._text.find(text, self._at, self._end)
        return self._end if found < 0 else found

    # -- commands

    def _commands(self, closer: str) -> None:
        """Read commands up to the bracket that closes them."""
        self._findings.enter()
        commands = Commands(self._findings)
        while self._at < self._end:
            char = self._text[self._at]
            if char == closer and not commands.goes_on():
                self._at += 1
                break
            handler = self._HANDLERS.get(char)
            if handler is not None:
                handler(self, commands)
                continue
            found = _PLAIN.match(self._text, self._at, self._end)
            assert found is not None
            if found[0].isspace():
                commands.end_word()
            else:
                commands.add(found[0], plain=True)
            self._at = found.end()
        commands.end_command()
        self._findings.leave()

    def _newline(self, commands: Commands) -> None:
        self._at += 1
        commands.end_command() if not commands.goes_on() else commands.end_word()
        for delimiter, quoted, strips in commands.heredocs:
            self._heredoc(delimiter, quoted=quoted, strips=strips)
        commands.heredocs.clear()

    def _comment(self, commands: Commands) -> None:
        if commands.word is None:
            self._refuse_until(self._find("\n"), "", "comment")
        else:
            commands.add("#", plain=True)
            self._at += 1

    def _separator(self, commands: Commands) -> None:
        if self._sees(";;") or self._sees(";&"):
            self._at += 2 + self._sees("&", 2)
            commands.end_branch()
        else:
            self._at += 1
            commands.end_command() if not commands.goes_on() else commands.end_word()

    def _opening(self, commands: Commands) -> None:
        if commands.goes_on() and commands.word is None:
            self._at += 1
        elif commands.word is not None:
            self._bracket_in_word(commands)
        elif self._sees("((") and (commands.begins_command or [w.text for w in commands.words] == ["for"]):
            start = self._at
            self._at += 2
            if not self._arithmetic("))", start):
                self._at = start + 1
                self._commands(")")
            commands.group()
        else:
            self._at += 1
            self._commands(")")
            commands.group()

    def _bracket_in_word(self, commands: Commands) -> None:
        """``f()`` defines a function, ``a=(...)`` is an array, ``@(a|b)`` a pattern of bash."""
        self._at += 1
        word = commands.word
        if _EMPTY.match(self._text, self._at, self._end) and word is not None and word.text[-1:] != "=":
            commands.word = None
            commands.words.clear()
            self._at = self._find(")") + 1
            return
        self._commands(")")
        commands.add("()")

    def _closing(self, commands: Commands) -> None:
        self._at += 1
        if commands.in_pattern:
            commands.end_pattern()
        elif commands.goes_on():
            commands.end_word()
        else:
            commands.end_command()

    def _redirection(self, commands: Commands) -> None:
        if self._sees("<(") or self._sees(">("):
            self._at += 2
            self._commands(")")
            commands.add("<()")
            return
        commands.redirection()
        if self._sees("<<") and not self._sees("<<<"):
            self._heredoc_start(commands)
            return
        found = _REDIRECTION.match(self._text, self._at, self._end)
        assert found is not None
        self._at = found.end()

    # -- words

    def _backslash(self, commands: Commands) -> None:
        if self._sees("\\\n"):
            self._at += 2
        elif self._sees("\\" + MARK):
            self._at += 1
            commands.use(self._place("word", BACKSLASH))
        else:
            commands.add(self._text[self._at + 1 : self._at + 2])
            self._at += 2

    def _mark(self, commands: Commands) -> None:
        commands.use(self._place("word"))

    def _single(self, commands: Commands | None) -> None:
        self._at += 1
        start, end = self._at, self._find("'")
        self._refuse_until(end, SINGLE_QUOTES)
        self._at = end + 1
        if commands is not None:
            commands.add(self._text[start:end])

    def _ansi(self) -> None:
        """``$'...'``, where a backslash does hide a quote."""
        end = self._at + 2
        while end < self._end and self._text[end] != "'":
            end += 2 if self._text[end] == "\\" else 1
        self._refuse_until(min(end, self._end), ANSI_QUOTES)
        self._at += 1

    def _double(self, commands: Commands | None, mark_mode: str = "quoted") -> None:
        self._at += 1
        if commands is not None:
            commands.add("")
        while self._at < self._end:
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return
            if char == MARK:
                number = self._place(mark_mode)
                if commands is not None:
                    commands.use(number)
            elif not self._expansion(commands):
                if commands is not None:
                    commands.add(char)
                self._at += 1

    def _expansion(self, commands: Commands | None, *, heredoc: bool = False) -> bool:
        """Inside double quotes or a here-document: step over a backslash or expansion, if one is here."""
        char = self._text[self._at]
        if char == "\\":
            self._at += 1
            if self._sees(MARK):
                number = self._place("quoted", BACKSLASH)
                if commands is not None:
                    commands.use(number)
            else:
                self._at += 1
        elif char == "$":
            self._dollar(quoted=True, heredoc=heredoc)
        elif char == "`":
            self._backticks(quoted=True)
        else:
            return False
        return True

    def _dollar_word(self, commands: Commands) -> None:
        if self._sees("$'"):
            self._ansi()
        elif self._sees('$"'):
            self._at += 1
            self._double(commands)
        else:
            self._dollar(quoted=False)
        commands.add("$")

    def _backticks_word(self, commands: Commands) -> None:
        self._backticks(quoted=False)
        commands.add("`")

    def _dollar(self, *, quoted: bool, heredoc: bool = False) -> None:
        start = self._at
        if self._sees("$(("):
            self._at += 3
            if self._arithmetic("))", start):
                return
            self._at = start
        if self._sees("$("):
            self._at += 2
            self._commands(")")
        elif self._sees("${"):
            self._at += 2
            self._findings.enter()
            self._braces(quoted=quoted, heredoc=heredoc)
            self._findings.leave()
        elif self._sees("$["):
            self._at += 2
            if not self._arithmetic("]", start):
                self._at = start + 1
        else:
            self._at += 2 if self._sees("$$") or self._sees("$#") else 1

    def _backticks(self, *, quoted: bool) -> None:
        """The text between backticks loses one level of backslashes, then is a script of its own."""
        self._at += 1
        first = self._number(self._at)
        inner: list[str] = []
        while self._at < self._end and not self._sees("`"):
            char = self._text[self._at]
            if char == "\\" and self._text[self._at + 1 : self._at + 2] in (
                ("$", "`", "\\", '"') if quoted else ("$", "`", "\\")
            ):
                self._at += 1
                char = self._text[self._at]
            inner.append(char)
            self._at += 1
        self._at += 1
        self._findings.enter()
        Scanner("".join(inner), first, self._findings).script()
        self._findings.leave()

    # -- ${...}

    def _braces(self, *, quoted: bool, heredoc: bool) -> None:
        """After ``${``: the parameter, perhaps a subscript, then what is done with its value."""
        if self._sees(MARK):
            self._place("quoted", PARAMETER)
        found = _PARAMETER.match(self._text, self._at, self._end)
        if found is not None:
            self._at = found.end()
        if self._sees("["):
            start = self._at
            self._at += 1
            self._arithmetic("]", start)
        operator = _OPERATOR.match(self._text, self._at, self._end)
        if operator is not None:
            self._at = operator.end()
            self._operand(quoted=quoted, pattern=False, heredoc=heredoc)
        elif self._sees(":"):
            self._arithmetic("}", self._at)
        else:
            self._operand(quoted=quoted, pattern=True, heredoc=heredoc)

    def _operand(self, *, quoted: bool, pattern: bool, heredoc: bool) -> None:
        """The rest of ``${x:-...}`` or ``${x#...}`` up to its brace."""
        literal = (
            not quoted or pattern
        )  # a value stands quoted by its own quotes, so that no glob in it is one
        while self._at < self._end:
            char = self._text[self._at]
            if char == "}":
                self._at += 1
                return
            if char == MARK:
                self._place("word" if literal else "quoted", HEREDOC_PATTERN if heredoc and pattern else None)
            elif char == "'" and literal and not heredoc:
                self._single(None)
            elif char == '"' and literal and not heredoc:
                self._double(None)
            elif char == "$" and not quoted:
                self._ansi() if self._sees("$'") else self._dollar(quoted=False)
            elif char == "`" and not quoted:
                self._backticks(quoted=False)
            elif not self._expansion(None, heredoc=heredoc):
                self._at += 1

    # -- arithmetic

    def _arithmetic(self, closer: str, start: int) -> bool:
        """Read ``$((``...``))`` and the like; False, and nothing counts, if it does not end as arithmetic does."""
        if start in self._no_arithmetic:
            return False
        self._findings.enter()
        closed = self._arithmetic_body(closer)
        self._findings.leave()
        if not closed:
            self._no_arithmetic.add(start)
        return closed

    def _arithmetic_body(self, closer: str) -> bool:
        depth = 0
        while self._at < self._end:
            char = self._text[self._at]
            if depth == 0 and self._sees(closer):
                self._at += len(closer)
                return True
            if char == MARK:
                self._place("bare")
            elif char in "([":
                depth += 1
                self._at += 1
            elif char in ")]":
                depth -= 1
                self._at += 1
                if depth < 0:
                    return False
            elif not self._expansion(None):
                self._at += 1
        return False

    # -- here-documents

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

    _HANDLERS: ClassVar[MappingProxyType[str, Callable[["Scanner", Commands], None]]] = MappingProxyType(
        {
            "\n": _newline,
            "#": _comment,
            ";": _separator,
            "&": _separator,
            "|": _separator,
            "(": _opening,
            ")": _closing,
            "<": _redirection,
            ">": _redirection,
            "\\": _backslash,
            "'": _single,
            '"': _double,
            "$": _dollar_word,
            "`": _backticks_word,
            MARK: _mark,
        }
    )
