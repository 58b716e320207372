"""What the page needs of the layers around it, handed in by whoever starts it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from taskrun.journal.base import RunRow

Plain = dict[str, Any]
ORIGINAL, CURRENT = "original", "current"


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
    retry: bool = False  # of the undos only those that failed
    file: str = ""  # ORIGINAL or CURRENT, where it has changed since the run's start


class Changes(Protocol):
    """Of the workflow file since the run's start; ``digest`` tells one state of it from another."""

    @property
    def lines(self) -> Sequence[str]: ...
    @property
    def digest(self) -> str: ...


class Doors(NamedTuple):
    """``command`` starts taskrun in a process of its own; ``changes`` are None where there are none."""

    home: str
    command: Sequence[str]
    masking: Callable[[Mapping[str, Any]], tuple[Masking | None, list[str]]]
    plan: Callable[[str, Wish], Plain]
    resolve: Callable[[str, str, str, Plain], str]
    changes: Callable[[RunRow], Changes | None]
