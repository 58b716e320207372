"""Reads quotes, and what the shell expands: parameters, command substitutions, arithmetic."""

import re
from abc import ABC, abstractmethod

from taskrun.regex import lazy
from taskrun.spec.shell.commands import Commands
from taskrun.spec.shell.cursor import Cursor
from taskrun.spec.shell.uses import (
    ANSI_QUOTES,
    BACKSLASH,
    HEREDOC_PATTERN,
    MARK,
    PARAMETER,
    SINGLE_QUOTES,
)

_PARAMETER = lazy(r"[!#]?(?:[A-Za-z_]\w*|[0-9]+|[@*#?$!-])", re.ASCII)
_OPERATOR = lazy(r":?[-=?+]")


class Expansions(Cursor, ABC):
    """Where ``commands`` is given, what is read becomes part of its word."""

    @abstractmethod
    def _commands(self, closer: str) -> None:
        """Read commands up to the bracket that closes them."""

    def script(self) -> None:
        self._commands("")

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

    def _double(self, commands: Commands | None) -> None:
        self._at += 1
        if commands is not None:
            commands.add("")
        while self._at < self._end:
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return
            if char == MARK:
                number = self._place("quoted")
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
        type(self)("".join(inner), first, self._findings).script()
        self._findings.leave()

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
