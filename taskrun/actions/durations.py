"""Durations as workflows write them: ``500ms``, ``30s``, ``5m``, ``1h30m``, ``2d``."""

import re
from itertools import pairwise

from taskrun.regex import lazy

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = lazy(r"(?:(\d+(?:\.\d+)?)(ms|d|h|m|s))+", re.ASCII)
_PART = lazy(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)", re.ASCII)
_BARE = lazy(r"\d+(\.\d+)?", re.ASCII)
LONGEST = 10 * 366 * 86400.0


class DurationError(ValueError):
    """``help`` says what to write instead, where there is a good guess."""

    def __init__(self, message: str, help_: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_


def parse_duration(text: str) -> float:
    """Seconds. Raises DurationError for a bare number, an unknown unit, a unit twice or a wrong order."""
    text = text.strip()
    if not _DURATION.fullmatch(text):
        raise _explain(text)
    parts = _PART.findall(text)
    sizes = [_UNITS[unit] for _, unit in parts]
    if any(a <= b for a, b in pairwise(sizes)):
        raise DurationError(
            f"`{text}` has its units out of order", "the largest unit comes first, as in `1h30m`"
        )
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds > LONGEST:
        raise DurationError(f"`{text}` is longer than ten years")
    return round(seconds, 6)


def _explain(text: str) -> DurationError:
    if _BARE.fullmatch(text):
        return DurationError(f"`{text}` has no unit", f"did you mean `{text}s`?")
    return DurationError(f"`{text}` is not a duration", "write it as `500ms`, `30s`, `5m` or `1h30m`")


def format_duration(seconds: float) -> str:
    """The shortest text that ``parse_duration`` reads back."""
    if seconds <= 0:
        return "0s"
    left, out = round(seconds * 1000), ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, size)
        if count:
            out += f"{count}{unit}"
    return out or "0s"
