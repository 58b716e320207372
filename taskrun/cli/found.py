"""Finding the run a person means, and what its last words will be."""

from taskrun.errors import HeldError
from taskrun.journal.base import RunRow
from taskrun.journal.codec import timestamp
from taskrun.journal.home import home, run_dir
from taskrun.journal.lock import holder
from taskrun.journal.sqlite import SqliteJournal

ENDED = {"SUCCESS": 0, "REVERTED": 1}
STILL_RUNNING, NEEDS_A_PERSON = 8, 3


def is_ended(row: RunRow) -> bool:
    """A run that is REVERTED has ended only once the checks after its rollback are over."""
    return row.state in ENDED and (row.exit_code is not None or row.ended is not None)


def is_held(run_id: str) -> bool:
    """Whether a process drives it."""
    return holder(run_dir(home(), run_id)) is not None


def exit_code_of(row: RunRow) -> int:
    """What a command that only looks at a run ends with: the code of the run, once it has one."""
    if row.exit_code is not None and row.ended is not None:
        return row.exit_code
    return STILL_RUNNING if is_held(row.id) else NEEDS_A_PERSON


def open_journal() -> SqliteJournal:
    """The journal, to read."""
    return SqliteJournal.open(home(), readonly=True)


def find_run(given: str) -> RunRow:
    """By full id, unique prefix or ``latest``. NotFoundError says what there is instead."""
    journal = open_journal()
    try:
        return journal.find(given)
    finally:
        journal.close()


def find_free(given: str) -> RunRow:
    """A run that no process drives. Who asks for another gets the answer at once: little is imported up to here.

    Raises:
        HeldError: somebody drives it; says who, and since when.

    """
    row = find_run(given)
    who = holder(run_dir(home(), row.id))
    if who is None:
        return row
    pid = f" by process {who['pid']}" if who.get("pid") else ""
    since = f" since {timestamp(who['since'])}" if isinstance(who.get("since"), int | float) else ""
    raise HeldError(
        f"run {row.id} is being driven{pid}{since}",
        hint=f"taskrun states {row.id} --watch follows it",
        holder=who,
    )
