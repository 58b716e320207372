"""The supervisor's log as a witness against the journal: an attempt that was begun was recorded before.

A journal that has lost its end (a bit that flipped in what SQLite had not yet moved to its place, a power loss with
``--durability process``) looks like one that ends there. Going on from it would do again what is done.
"""

from collections.abc import Iterable

from taskrun.drivers.attempt import REVERT
from taskrun.engine.states import REVERTING, RUNNING
from taskrun.errors import JournalCorruptError
from taskrun.executors.attempts_log import LOG_NAME, read_log
from taskrun.journal.base import Entry

SHOWN = 5


def hear(run_id: str, directory: str, entries: Iterable[Entry]) -> None:
    """Raise a JournalCorruptError if the journal lacks attempts that were begun."""
    lacking = _unrecorded(read_log(directory).traces, entries)
    if not lacking:
        return
    more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
    raise JournalCorruptError(
        f"the journal of run {run_id} has lost its end: the supervisor's log has {', '.join(lacking[:SHOWN])}{more},"
        " and the journal does not",
        hint="nothing was done; look at what they did, and undo it by hand where need be. Without"
        f" {directory}/{LOG_NAME} taskrun goes on as if they had never been begun",
    )


def _unrecorded(keys: Iterable[str], entries: Iterable[Entry]) -> list[str]:
    recorded: dict[tuple[str, bool], int] = {}
    for entry in entries:
        if entry.state in (RUNNING, REVERTING):
            about = entry.name, entry.state == REVERTING
            recorded[about] = max(recorded.get(about, 0), entry.attempt)
    lacking = []
    for key in keys:
        name, _, rest = key.partition("/")
        part, _, number = rest.rpartition("/")
        if part in ("", REVERT) and int(number) > recorded.get((name, part == REVERT), 0):
            what = "attempt" if part == "" else "undo"
            lacking.append(f"{what} {number} of {name}")
    return lacking
