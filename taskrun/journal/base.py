"""What a journal remembers and the door every journal has: Entry, RunRow, Request and the Journal protocol."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from taskrun.errors import JournalTooNewError

Durability = Literal["full", "process"]
"""What was recorded survives a power loss, or only the death of processes."""

FORMAT = 1
"""The newest meaning of a run's entries this version understands (``RunRow.format``)."""


class Entry(NamedTuple):
    """One line of a run's history. ``seq`` counts from 1 without gaps; ``time`` is unix seconds, kept to the microsecond."""

    seq: int
    time: float
    kind: str
    name: str
    old_state: str | None
    state: str | None
    attempt: int
    data: dict[str, Any] | None


class RunRow(NamedTuple):
    """A run as the list of runs shows it. ``epoch`` grows with every process that takes the run over.

    ``sha256`` (of the workflow file) and ``inputs`` are those of its last revision, if it has any.
    """

    id: str
    name: str
    file: str
    sha256: str
    created: float
    ended: float | None
    state: str
    exit_code: int | None
    inputs: dict[str, Any]
    epoch: int
    pid: int | None
    host: str
    boot_id: str
    format: int
    version: str
    parent: str | None
    options: dict[str, Any]


class Request(NamedTuple):
    """What another process asks of the one that drives the run: ``verb`` is suspend, cancel, resolve, ..."""

    id: int
    time: float
    verb: str
    args: dict[str, Any]


class Revision(NamedTuple):
    """What a run goes on with from here on: another definition, of a file with another hash, and its inputs."""

    definition: Mapping[str, Any]
    sha256: str
    inputs: Mapping[str, Any]


class Continuation(NamedTuple):
    """A command that took a run over. ``state`` is the run's when it left, or when the next one came."""

    run: str
    epoch: int
    time: float
    verb: str
    state: str


class Damage(NamedTuple):
    """The first thing of a run that is not as it was written. ``seq`` is None when it is not an entry."""

    seq: int | None
    what: str


class Journal(Protocol):
    """Where runs are remembered. Every method either does all of what it says or raises and did nothing.

    Raises:
        JournalError: it cannot be read or written (disk full, read-only, locked for too long).
        JournalCorruptError: what is read is not what was written.
        NotFoundError: there is no such run.

    """

    @property
    def low_on_space(self) -> bool:
        """The disk is full and what was kept in reserve is in use: start nothing more, only finish."""

    def create_run(
        self, row: RunRow, definition: bytes | Mapping[str, Any], entries: Sequence[Entry] = ()
    ) -> None:
        """Record a new run with its frozen definition (a mapping, or its JSON) and its first entries."""

    def append(
        self,
        run_id: str,
        entries: Sequence[Entry],
        *,
        epoch: int,
        state: str | None = None,
        exit_code: int | None = None,
        ended: float | None = None,
    ) -> None:
        """Record entries and the run's new standing in one transaction.

        A ``state`` replaces the run's state, exit code and end together (so a run that goes on after its
        end has neither); without one, an ``exit_code`` or ``ended`` that is given is set alone.

        Raises:
            HeldError: ``epoch`` is not the run's: another process took it over. Nothing was written.

        """

    def take_over(self, run_id: str, *, pid: int, host: str, boot_id: str, verb: str = "resume") -> int:
        """Make this process the run's writer: the returned epoch is new, all earlier ones are refused."""

    def continuations(self, run_ids: Collection[str]) -> list[Continuation]:
        """Who took these runs over, in that order for each run."""

    def revise(self, run_id: str, revision: Revision, entry: Entry, *, epoch: int) -> None:
        """Let the run go on with another definition; ``entry`` tells of it. All or nothing, as in ``append``."""

    def runs(self, limit: int | None = None, *, states: Collection[str] = ()) -> list[RunRow]:
        """The newest first, of all states or the given ones."""

    def run(self, run_id: str) -> RunRow: ...

    def find(self, given: str) -> RunRow:
        """The run a person means: a full id, a unique prefix of one, or ``latest``."""

    def definition(self, run_id: str) -> dict[str, Any]:
        """What the run goes on with: its last revision, or what it was started with."""

    def entries(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Entry]:
        """Entries with ``seq > after``, in order, each checked against what was written."""

    def change_counter(self) -> int:
        """A number that differs from the last one when another connection has committed meanwhile."""

    def request(self, run_id: str, verb: str, args: Mapping[str, Any]) -> int:
        """Leave a request for the run's driver; returns its number."""

    def requests(self, run_id: str, after: int = 0) -> list[Request]:
        """Requests with ``id > after``, in the order they were made."""

    def delete_run(self, run_id: str) -> None:
        """Forget the run with all that belongs to it, and its definition if no other run uses it."""

    def verify(self, run_id: str) -> Damage | None:
        """Read all there is of the run and name the first thing that is not as it was written."""

    def close(self) -> None: ...


def refuse_format(row: RunRow) -> None:
    """A run whose entries mean more than this version knows is shown, but not gone on with."""
    if row.format > FORMAT:
        raise JournalTooNewError(
            f"run {row.id} was made by a newer taskrun ({row.version}, format {row.format})",
            hint="upgrade taskrun to go on with it; nothing was changed",
        )
