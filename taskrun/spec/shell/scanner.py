"""Reads a script as a shell does and notes the quoting each expression stands in."""

from collections.abc import Callable
from types import MappingProxyType
from typing import ClassVar

from taskrun.regex import lazy
from taskrun.spec.shell.commands import Commands
from taskrun.spec.shell.heredocs import HereDocuments
from taskrun.spec.shell.uses import BACKSLASH, MARK

_PLAIN = lazy(r"[^ \t\n\0\\'\"`$#;&|()<>]+|[ \t]+")
_EMPTY = lazy(r"[ \t]*\)")
_REDIRECTION = lazy(r"<<<|<&|<>|>>|>&|>\||<|>")


class Scanner(HereDocuments):
    """``Scanner(text, 0, findings).script()`` fills ``findings``."""

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

    def _single_word(self, commands: Commands) -> None:
        self._single(commands)

    def _double_word(self, commands: Commands) -> None:
        self._double(commands)

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
            "'": _single_word,
            '"': _double_word,
            "$": _dollar_word,
            "`": _backticks_word,
            MARK: _mark,
        }
    )
