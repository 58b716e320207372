"""A place in the text of a script, and the numbers of the expressions around it."""

import re
from bisect import bisect_left

from taskrun.spec.shell.uses import MARK, Findings


class Cursor:
    """``first`` is the number of the first expression in ``text``."""

    def __init__(self, text: str, first: int, findings: Findings) -> None:
        self._text = text
        self._at = 0
        self._end = len(text)
        self._first = first
        self._marks = [found.start() for found in re.finditer(MARK, text)]
        self._findings = findings
        self._no_arithmetic: set[int] = set()

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
