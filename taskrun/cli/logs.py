"""``taskrun logs RUN [TASK]``."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import click

from taskrun.cli.found import open_journal
from taskrun.errors import NotFoundError
from taskrun.journal.base import Entry, RunRow
from taskrun.journal.home import home, run_dir
from taskrun.journal.lock import holder
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.sanitize import clean
from taskrun.listeners.screen import is_terminal
from taskrun.spec.spelling import nearest

LOOK_EVERY = 0.1
BLOCK = 1 << 16
STDOUT = 1


class Log(NamedTuple):
    """One attempt's files: both streams in one, or stderr apart."""

    title: str
    paths: tuple[str, str]


@click.command("logs")
@click.argument("run", default="latest")
@click.argument("task", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
def command(run: str, task: str | None, follow: bool) -> int:
    """Show what the tasks of a run have printed, attempt by attempt, undos included.

    \b
      taskrun logs                  all tasks of the latest run
      taskrun logs latest migrate   one task
      taskrun logs -f               follow

    On a terminal, control characters of the output are shown, never obeyed; in a pipe the bytes come as they are.
    """
    journal = open_journal()
    try:
        row = journal.find(run)
        if task is not None:
            _check_task(journal, row, task)
        _Printer(run_dir(home(), row.id), many=task is None).follow(journal, row, task, follow=follow)
    finally:
        journal.close()
    return 0


def _check_task(journal: SqliteJournal, row: RunRow, task: str) -> None:
    names = [each["name"] for each in journal.definition(row.id)["tasks"]]
    if task not in names:
        near = nearest(task, names)
        raise NotFoundError(
            f"run {row.id} has no task {task!r}" + (f"; did you mean {near!r}?" if near else ""),
            hint=f"taskrun states {row.id} lists them",
        )


def _logs(entries: Iterable[Entry], directory: str, task: str | None) -> Iterator[Log]:
    for entry in entries:
        if (
            entry.kind != "task"
            or entry.state not in ("RUNNING", "REVERTING")
            or task not in (None, entry.name)
        ):
            continue
        undo = "revert." if entry.state == "REVERTING" else ""
        stem = f"{directory}/out/{entry.name}.{undo}{entry.attempt}"
        what = "undo" if undo else "attempt"
        yield Log(f"{entry.name}, {what} {entry.attempt}", (f"{stem}.out", f"{stem}.err"))


def _messages(entries: Iterable[Entry], task: str | None) -> Iterator[tuple[str, str]]:
    """What actions without files of their own have said: an `echo` writes into the journal."""
    for entry in entries:
        message = (entry.data or {}).get("message")
        if entry.kind == "task" and message and task in (None, entry.name):
            what = "undo" if entry.state in ("REVERTED", "REVERT_FAILURE") else "attempt"
            yield f"{entry.name}, {what} {entry.attempt}", str(message)


class _Printer:
    """Copies logs to stdout; of the ones still growing it remembers how far it came."""

    def __init__(self, directory: str, *, many: bool) -> None:
        self._directory = directory
        self._many = many
        self._clean = is_terminal(STDOUT)
        self._offsets: dict[str, int] = {}
        self._title = ""

    def follow(self, journal: SqliteJournal, row: RunRow, task: str | None, *, follow: bool) -> None:
        logs: list[Log] = []
        seq = 0
        while True:
            ended = not follow or journal.run(row.id).ended is not None or not self._is_held(row.id)
            entries = journal.entries(row.id, after=seq)
            seq = entries[-1].seq if entries else seq
            logs += _logs(entries, self._directory, task)
            for log in logs:
                for path in log.paths:
                    self._copy(log.title, path)
            for title, message in _messages(entries, task):
                self._print(title, message.encode("utf-8", "backslashreplace") + b"\n")
            sys.stdout.flush()
            if ended:
                return
            time.sleep(LOOK_EVERY)

    def _is_held(self, run_id: str) -> bool:
        return holder(run_dir(home(), run_id)) is not None

    def _copy(self, title: str, path: str) -> None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        try:
            offset = self._offsets.get(path, 0)
            while data := os.pread(fd, BLOCK, offset):
                offset += len(data)
                self._print(title, data)
            self._offsets[path] = offset
        finally:
            os.close(fd)

    def _print(self, title: str, data: bytes) -> None:
        if self._many and title != self._title:
            sys.stdout.write(f"--- {title}\n")
        self._title = title
        if self._clean:
            sys.stdout.write(clean(data))
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
