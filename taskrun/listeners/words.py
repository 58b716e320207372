"""How times, attempts and failures read, the same in the table, the lines and the ending."""

from collections.abc import Mapping
from typing import Any

from taskrun.engine.view import Row
from taskrun.listeners.sanitize import one_line


def duration(seconds: float) -> str:
    """`0.42 s`, `12.3 s`, `2m05s`, `1h02m`, `3d04h`."""
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    return _long(round(seconds))


def clock(seconds: float) -> str:
    """The same for something still going on: whole seconds, so that it changes once a second."""
    return f"{int(seconds)} s" if seconds < 60 else _long(int(seconds))


def _long(seconds: int) -> str:
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes}m{seconds % 60:02d}s"
    if hours < 24:
        return f"{hours}h{minutes % 60:02d}m"
    return f"{days}d{hours % 24:02d}h"


def why(failure: Mapping[str, Any] | None, *, ascii_only: bool = False) -> str:
    """`ConnectionError: no route to host`, safe to print, on one line."""
    if not failure:
        return ""
    kind, message = str(failure.get("type") or ""), str(failure.get("message") or "")
    text = f"{kind}: {message}" if kind and message else kind or message
    return one_line(text, ascii_only=ascii_only)


def attempt_of(row: Row) -> str:
    """`2/3` for a second attempt out of three; empty for a first one, unless it is about to be repeated."""
    nth = row.nth
    limit = row.revert_limit if row.undoing and row.kind == "task" else row.limit
    if row.kind == "task" and nth < 2 and row.state != "RETRYING":
        return ""
    return "" if not nth else f"{nth}/{limit}" if limit and limit > 1 else str(nth)


def counted(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def size(number: int) -> str:
    """`512 bytes`, `1 GiB`, `1.5 MiB`."""
    for power, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if number >= 1 << power:
            return f"{number / (1 << power):.4g} {unit}"
    return counted(number, "byte")
