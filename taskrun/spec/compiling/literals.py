"""Values that stand in a file as they are, and what is asked of many of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from taskrun.actions.durations import parse_duration

Fields = Mapping[str, Any]
Found = Iterator[tuple[str, str, str | None]]  # a field, what is wrong with it, help


def plain(value: Any) -> str | None:
    """The text, where it is one and known now."""
    return value if isinstance(value, str) and "${{" not in value else None


def is_open(value: Any) -> bool:
    """Whether only the run will tell what it is."""
    return isinstance(value, str) and "${{" in value


def empty(fields: Fields, *names: str) -> Found:
    for name in names:
        text = plain(fields.get(name))
        if text is not None and not text.strip():
            yield name, f"`{name}` is empty", None


def some_time(fields: Fields, *names: str) -> Found:
    for name in names:
        if seconds(fields.get(name)) == 0:
            yield name, f"`{name}` leaves no time at all", None


def seconds(value: Any) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    return parse_duration(value) if plain(value) else None
