"""The list of runs."""

from taskrun.journal.base import RunRow
from taskrun.journal.home import run_dir
from taskrun.journal.lock import holder
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.runs import standing
from taskrun.web.doors import Plain
from taskrun.web.safe import plainly

MOST = 1000  # runs on the page, the newest


def is_held(home: str, run_id: str) -> bool:
    return holder(run_dir(home, run_id)) is not None


def stands(home: str, row: RunRow) -> str:
    return standing(row, lambda run_id: is_held(home, run_id))


def runs(journal: SqliteJournal, home: str) -> list[Plain]:
    return [_run(row, stands(home, row)) for row in journal.runs(MOST)]


def _run(row: RunRow, state: str) -> Plain:
    return plainly(
        {
            "id": row.id,
            "name": row.name,
            "file": row.file,
            "state": state,
            "created": row.created,
            "ended": row.ended,
            "exit_code": row.exit_code,
            "parent": row.parent,
        }
    )
