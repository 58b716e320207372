"""What a driver does to everything it keeps: nothing, unless the workflow has secrets."""

from collections.abc import Callable
from typing import Any

MASK = "***"
Hide = Callable[[dict[str, Any]], dict[str, Any]]

# Of an entry's data what comes from the world. The rest is the machine's own, which it reads back.
FOREIGN = frozenset({"failure", "inputs", "items", "message", "outputs", "reason", "state", "values"})


def hide_nothing(data: dict[str, Any]) -> dict[str, Any]:
    return data


def hiding(mask: Callable[[Any], Any]) -> Hide:
    """Masks what an entry of the journal carries."""
    return lambda data: {key: mask(value) if key in FOREIGN else value for key, value in data.items()}
