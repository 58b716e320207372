"""Wishes carried out: for a run that a process drives as a request in the journal, for any other by a process of its own.

That process is the same command a person would type, in a session of its own: it needs the page no more.
"""

import os
import subprocess
import threading
import time
from collections.abc import Sequence

from taskrun.errors import RefusedError
from taskrun.journal.base import RunRow
from taskrun.journal.home import run_dir
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.sanitize import clean
from taskrun.web import possible
from taskrun.web.doors import Doors, Plain, Wish
from taskrun.web.listing import is_held
from taskrun.web.wishes import commands

LOG = "detached.log"  # in the run's directory: what a terminal would have shown
BIRTH = 10.0  # seconds until a process that neither drives nor ends is believed to wait for something
LOOK_EVERY = 0.05
_ERRORS = 4000  # bytes


def carry_out(doors: Doors, journal: SqliteJournal, row: RunRow, seq: int, wish: Wish) -> Plain:
    """What was done, in a sentence; ``seq`` is the run's last entry. RefusedError with the command's own words if it was refused."""
    if wish.verb in possible.REQUESTS:
        return _request(doors, row, wish)
    if wish.verb in (possible.RESOLVE, possible.APPROVE):
        said = _resolve(doors, row, wish)
        if wish.verb == possible.RESOLVE:
            return said
    argv = commands(row, wish, changed=doors.changes(row) is not None)[-1]
    before = journal.entries(row.id, after=seq)  # what was resolved
    return _start(doors, journal, row, before[-1].seq if before else seq, [*argv, "--output", "plain"])


def _request(doors: Doors, row: RunRow, wish: Wish) -> Plain:
    if not is_held(doors.home, row.id):
        raise RefusedError(f"nobody drives run {row.id} any more")
    journal = SqliteJournal.open(doors.home)
    try:
        journal.request(row.id, wish.verb, {"reason": wish.reason} if wish.reason else {})
    finally:
        journal.close()
    return {"done": "asked the process that drives the run"}


def _resolve(doors: Doors, row: RunRow, wish: Wish) -> Plain:
    word = wish.word if wish.verb == possible.RESOLVE else "done"
    reason = wish.reason or ("approved on the page" if wish.verb == possible.APPROVE else "")
    data: Plain = {"resolved": word}
    data |= {"outputs": dict(wish.outputs)} if wish.outputs else {}
    data |= {"reason": reason} if reason else {}
    state = doors.resolve(row.id, wish.task, word, data)
    return {"done": f"{wish.task} is {state}"}


def _start(doors: Doors, journal: SqliteJournal, row: RunRow, seq: int, argv: Sequence[str]) -> Plain:
    log = os.open(
        f"{run_dir(doors.home, row.id)}/{LOG}",
        os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW,
        0o600,
    )
    try:
        begun_at = os.fstat(log).st_size
        process = subprocess.Popen(
            [*doors.command, *argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        # Whoever started a process has to hear of its end, or it stays listed until we end ourselves.
        threading.Thread(target=process.wait, daemon=True).start()
        if not _has_begun(journal, row.id, seq, process) and process.poll() is not None:
            raise RefusedError(_said(log, begun_at) or f"taskrun {argv[0]} ended with {process.returncode}")
    finally:
        os.close(log)
    return {"done": f"started taskrun {argv[0]}, process {process.pid}"}


def _has_begun(journal: SqliteJournal, run_id: str, seq: int, process: "subprocess.Popen[bytes]") -> bool:
    """Whether it has recorded anything. It may also have ended without; or wait for tasks of a dead process to end."""
    give_up = time.monotonic() + BIRTH
    while time.monotonic() < give_up:
        is_over = process.poll() is not None
        if journal.entries(run_id, after=seq, limit=1):
            return True
        if is_over:
            break
        time.sleep(LOOK_EVERY)
    return False


def _said(log: int, begun_at: int) -> str:
    text = clean(os.pread(log, _ERRORS, begun_at), colours="drop")
    return text.strip().removeprefix("error: ")
