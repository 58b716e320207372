"""What an unquoted word of a workflow file means: the core schema of YAML 1.2 and nothing more.

``NO``, ``on``, ``22:30:00`` and ``2026-01-02`` are strings. ``1.10`` is a number that still knows how it was typed,
so that a field that takes text gets ``1.10`` and not ``1.1``.
"""

import re

from taskrun.regex import lazy

WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
NUMBER = lazy(
    r"""(?P<decimal>[-+]?[0-9]+)
      | 0o(?P<octal>[0-7]+)
      | 0x(?P<hexadecimal>[0-9a-fA-F]+)
      | [-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?""",
    re.VERBOSE,
)
LOOKALIKES = frozenset(
    ("yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF")
)  # once booleans
NUMERIC_STARTS = frozenset("0123456789+-.")
LONGEST_NUMBER = 4000  # characters; Python itself converts no more than 4,300 digits


class Plain(str):
    """An unquoted scalar that means null, a boolean or a number; as a string it is what was typed."""

    __slots__ = ()

    @property
    def value(self) -> bool | int | float | None:
        """What it means: None, a boolean, an integer or a float."""
        if self in WORDS:
            return WORDS[self]
        match = NUMBER.fullmatch(self)
        if match is None:
            message = f"{str(self)!r} is no null, boolean or number"
            raise ValueError(message)
        if match["octal"]:
            return int(match["octal"], 8)
        if match["hexadecimal"]:
            return int(match["hexadecimal"], 16)
        return int(self) if match["decimal"] else float(self)


def is_string(text: str) -> bool:
    """Whether the unquoted ``text`` is just a string."""
    return text not in WORDS and (text[0] not in NUMERIC_STARTS or NUMBER.fullmatch(text) is None)
