"""What leaves the server: secrets masked, and no character in any text that shows something else than it is."""

from collections.abc import Mapping
from typing import Any

from taskrun.listeners.sanitize import clean
from taskrun.web.doors import Doors, Masking, Plain


class Safe:
    """``unknown`` are secrets that cannot be read here: what tasks have printed is then not shown at all."""

    def __init__(self, doors: Doors, definition: Mapping[str, Any]) -> None:
        self.masking: Masking | None
        self.masking, self.unknown = doors.masking(definition)

    def __call__(self, value: Any) -> Any:
        return cleaned(value if self.masking is None else self.masking.value(value))

    def text(self, data: bytes) -> str:
        return clean(data if self.masking is None else self.masking.data(data), colours="drop")

    def uncut(self, data: bytes, cut: int) -> int:
        return cut if self.masking is None else self.masking.uncut(data, cut)


def cleaned(value: Any) -> Any:
    """No control character in any text, keys among them."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else clean(value, colours="drop")
    if isinstance(value, Mapping):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return [cleaned(item) for item in value] if isinstance(value, list | tuple) else value


def plainly(value: Plain) -> Plain:
    found: Plain = cleaned(value)
    return found
