"""Reads the source of a regular expression into a tree of characters, repetitions and alternatives."""

import re
from collections.abc import Callable
from typing import Any

from taskrun.errors import ExpressionError
from taskrun.regex import lazy

MAX_PATTERN = 500
MAX_NESTING = 20
MAX_REPEAT = 1_000

# ("char", test) ("assert", kind) ("sequence", nodes) ("either", nodes) ("repeat", node, least, most)
Node = tuple[Any, ...]
CharTest = Callable[[str], bool]

_DIGITS = frozenset("0123456789")
_SPACES = frozenset(" \t\n\r\f\v")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_CLASSES = {"d": _DIGITS, "s": _SPACES, "w": _WORD}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0", "a": "\a"}
_ASSERTIONS = {"b": "edge", "B": "inside", "A": "start", "Z": "end", "z": "end"}
_COUNT = lazy(r"\{([0-9]{0,4})(,?)([0-9]{0,4})\}")
_HEX = lazy(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})")


def _not_newline(char: str) -> bool:
    return char != "\n"


def is_word(char: str) -> bool:
    return char in _WORD


def parse_pattern(source: str) -> Node:
    if len(source) > MAX_PATTERN:
        raise ExpressionError(f"a pattern has at most {MAX_PATTERN} characters")
    return _Reader(source).whole()


class _Reader:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._depth = 0
        self._fold = source.startswith("(?i)")
        if self._fold:
            self._at = 4

    def whole(self) -> Node:
        node = self._either()
        if self._at < len(self._source):
            raise self._wrong("this ) opens nowhere")
        return node

    def _wrong(self, message: str, hint: str | None = None) -> ExpressionError:
        return ExpressionError(f"pattern, character {self._at + 1}: {message}", hint=hint)

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _take(self, text: str) -> bool:
        if self._source.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _either(self) -> Node:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else ("either", branches)

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated())
        return ("sequence", parts)

    def _repeated(self) -> Node:
        node = self._single()
        repeat = self._count()
        if repeat is None:
            return node
        if node[0] == "assert":
            raise self._wrong("an anchor cannot be repeated")
        self._take("?")  # lazy or greedy: whether there is a match is the same
        if self._count() is not None:
            raise self._wrong("a repetition cannot be repeated", "put ( ) around the first")
        return ("repeat", node, *repeat)

    def _count(self) -> tuple[int, int | None] | None:
        for sign, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._take(sign):
                return least, most
        found = _COUNT.match(self._source, self._at)
        if found is None or not (found[1] or found[3]):
            return None
        least = int(found[1] or 0)
        upper = (int(found[3]) if found[3] else None) if found[2] else least
        if max(least, upper or 0) > MAX_REPEAT or (upper is not None and upper < least):
            raise self._wrong(f"a repetition goes from low to high, up to {MAX_REPEAT}")
        self._at = found.end()
        return least, upper

    def _single(self) -> Node:
        char = self._peek()
        if char in "*+?":
            raise self._wrong(f"{char} has nothing to repeat")
        self._at += 1
        match char:
            case "(":
                return self._group()
            case "^" | "$":
                return ("assert", "start" if char == "^" else "end")
            case "\\":
                return self._escape()
            case "[":
                test = self._set()
            case ".":
                test = _not_newline
            case _:
                test = self._one(char)
        return ("char", test)

    def _group(self) -> Node:
        if self._take("?"):
            named = re.compile(r":|P?<[A-Za-z_][A-Za-z0-9_]*>").match(self._source, self._at)
            if named is None:
                raise self._wrong(
                    "look-around and inline options are not available", "(?i) at the very start"
                )
            self._at = named.end()
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self._wrong(f"groups are nested deeper than {MAX_NESTING}")
        node = self._either()
        self._depth -= 1
        if not self._take(")"):
            raise self._wrong("a ( is never closed")
        return node

    def _escape(self) -> Node:
        char = self._peek()
        if char in _ASSERTIONS and char:
            self._at += 1
            return ("assert", _ASSERTIONS[char])
        return ("char", self._tested(self._escaped()))

    def _escaped(self) -> CharTest | str:
        """After a backslash: a character, or the test of a class."""
        char = self._peek()
        if not char:
            raise self._wrong("a backslash at the end")
        code = _HEX.match(self._source, self._at)
        if code is not None:
            self._at = code.end()
            return chr(int(code[1] or code[2], 16))
        self._at += 1
        if char.lower() in _CLASSES:
            members = _CLASSES[char.lower()]
            return (lambda other: other not in members) if char.isupper() else members.__contains__
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char.isdigit():
            raise self._wrong("back-references are not available")
        if char.isalpha():
            raise self._wrong(f"\\{char} has no meaning")
        return char

    def _tested(self, member: CharTest | str) -> CharTest:
        return self._one(member) if isinstance(member, str) else member

    def _one(self, char: str) -> CharTest:
        return self._range(char, char)

    def _range(self, low: str, high: str) -> CharTest:
        if not self._fold:
            return low.__eq__ if low == high else (lambda other: low <= other <= high)
        return lambda other: any(low <= form <= high for form in (other, other.lower(), other.upper()))

    def _set(self) -> CharTest:
        negated = self._take("^")
        tests = [self._one("]")] if self._take("]") else []  # a ] right at the start is itself
        while not self._take("]"):
            tests.append(self._member())
        if negated:
            return lambda other: not any(test(other) for test in tests)
        return lambda other: any(test(other) for test in tests)

    def _member(self) -> CharTest:
        low = self._set_char()
        if not isinstance(low, str):
            return low
        if self._peek() != "-" or self._source[self._at + 1 : self._at + 2] in ("]", ""):
            return self._one(low)
        self._at += 1
        high = self._set_char()
        if not isinstance(high, str) or high < low:
            raise self._wrong("a range goes from a lower to a higher character")
        return self._range(low, high)

    def _set_char(self) -> CharTest | str:
        char = self._peek()
        if not char:
            raise self._wrong("a [ is never closed")
        if self._source.startswith("[:", self._at):
            raise self._wrong("[:classes:] are not available", r"\d, \w, \s or ranges like a-z")
        self._at += 1
        return self._escaped() if char == "\\" else char
