"""What the page needs of the layers around it, handed in by whoever starts it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from taskrun.journal.base import RunRow

Plain = dict[str, Any]


class Masking(Protocol):
    """Puts ``***`` in the place of secrets."""

    def data(self, data: bytes) -> bytes: ...
    def value(self, value: Any) -> Any: ...
    def uncut(self, data: bytes, cut: int) -> int:
        """The last place at or before ``cut`` that is not inside of something to hide."""


class Wish(NamedTuple):
    """What a person wants done with a run. ``task`` and ``word`` are of those that are about one task."""

    verb: str
    task: str = ""
    word: str = ""
    reason: str = ""
    savepoint: str = ""
    outputs: Mapping[str, Any] = {}
    force: bool = False  # also behind the point of no return


class Doors(NamedTuple):
    """``command`` starts taskrun in a process of its own; ``has_changed``: the workflow file, since the run's start."""

    home: str
    command: Sequence[str]
    masking: Callable[[Mapping[str, Any]], tuple[Masking | None, list[str]]]
    plan: Callable[[str, Wish], Plain]
    resolve: Callable[[str, str, str, Plain], str]
    has_changed: Callable[[RunRow], bool]
