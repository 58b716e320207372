"""Values of a workflow file that remember where they stood: lines and columns count from 1."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from taskrun.spec.scalars import Plain


class Mark(NamedTuple):
    """A position in a file; both numbers count from 1, columns in characters."""

    line: int
    column: int


class Map(dict[str, Any]):
    """A mapping. ``key_marks`` and ``value_marks`` say where each key and its value stand.

    A key that came in through ``<<`` has the marks of the mapping it came from.
    """

    __slots__ = ("key_marks", "mark", "value_marks")

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
        self.key_marks: dict[str, Mark] = {}
        self.value_marks: dict[str, Mark] = {}


class Seq(list[Any]):
    """A list; ``item_marks`` runs beside it."""

    __slots__ = ("item_marks", "mark")

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
        self.item_marks: list[Mark] = []


def mark_at(root: object, loc: Sequence[str | int], *, key: bool = False) -> Mark:
    """Where the value at the path ``loc`` stands, or its key with ``key``; else the nearest thing around it.

    Parts of the path that lead nowhere are passed over, so that the locations of a validator, which name its
    own alternatives too, find their place.
    """
    here = root.mark if isinstance(root, Map | Seq) else Mark(1, 1)
    value = root
    last = len(loc) - 1
    for position, part in enumerate(loc):
        if isinstance(value, Map) and isinstance(part, str) and part in value:
            marks = value.key_marks if key and position == last else value.value_marks
            here, value = marks[part], value[part]
        elif isinstance(value, Seq) and isinstance(part, int) and 0 <= part < len(value):
            here, value = value.item_marks[part], value[part]
    return here


def to_json(value: object) -> Any:
    """The same without marks: plain dicts, lists and strings, and what unquoted numbers and words mean.

    Aliases become copies. Safe to recurse: no loaded value is nested deeper than the loader's limit.
    """
    if isinstance(value, Map):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, Seq):
        return [to_json(item) for item in value]
    return value.value if isinstance(value, Plain) else value
