"""What those who start, watch and end runs say to each other."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from taskrun.engine.view import View
from taskrun.journal.base import Durability
from taskrun.listeners.base import Listener


class Displayed(NamedTuple):
    """What a display of a run works with. ``hide`` masks secrets in bytes that tasks have printed.

    ``secret_values()`` are those read so far: for telling a CI what its own log must not show, and for nothing else.
    """

    view: View
    run_id: str
    run_dir: str
    hide: Callable[[bytes], bytes]
    secret_values: Callable[[], Sequence[str]] = tuple


ListenersFor = Callable[[Displayed], list[Listener]]


class Current(NamedTuple):
    """A workflow file as it is now, compiled, for a run that was started with what it was then."""

    definition: Mapping[str, Any]
    text: str


class RunOptions(NamedTuple):
    jobs: int = 0  # 0: as many as there are cores
    durability: Durability = "full"
    on_interrupt: str = "revert"
    on_failure: str | None = None  # instead of what the file says


Verdict = tuple[str, str, dict[str, Any] | None]  # a task, what a person says of it, why


class Outcome(NamedTuple):
    """How a run left this process. ``left`` is set when it was left before its end (a second Ctrl-C)."""

    run_id: str
    exit_code: int
    view: View
    left: bool = False
    broken: Sequence[Exception] = ()  # displays that failed on the way


class LeaveError(BaseException):
    """The user wants out at once: the journal is intact, attempts under way go on without us."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
