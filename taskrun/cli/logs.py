"""``taskrun logs RUN [TASK]``."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import click

from taskrun import app
from taskrun.cli.found import open_journal
from taskrun.errors import NotFoundError
from taskrun.journal.base import Entry, RunRow
from taskrun.journal.home import home, run_dir
from taskrun.journal.lock import holder
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.sanitize import clean
from taskrun.listeners.screen import is_terminal
from taskrun.spec.spelling import nearest

if TYPE_CHECKING:
    from taskrun.drivers.masking import MaskedStream, Masker

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
    Secrets are masked in both.
    """
    journal = open_journal()
    try:
        row = journal.find(run)
        if task is not None:
            _check_task(journal, row, task)
        masker, unknown = app.masker_of(journal.definition(row.id))
        if unknown:
            click.echo(
                f"warning: not masked, as it cannot be read here: secret {', '.join(unknown)}", err=True
            )
        printer = _Printer(run_dir(home(), row.id), many=task is None, masker=masker)
        printer.follow(journal, row, task, follow=follow)
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

    def __init__(self, directory: str, *, many: bool, masker: "Masker | None") -> None:
        self._directory = directory
        self._masker = masker
        self._streams: dict[str, MaskedStream] = {}
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
            if ended:
                self._print_rest(logs)
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
                self._print(title, self._masked(path, data))
            self._offsets[path] = offset
        finally:
            os.close(fd)

    def _masked(self, path: str, data: bytes) -> bytes:
        if self._masker is None:
            return data
        stream = self._streams.get(path)
        if stream is None:
            stream = self._streams[path] = self._masker.stream()
        return stream.feed(data)

    def _print_rest(self, logs: Iterable[Log]) -> None:
        """What was held back, as it might have been the beginning of a secret."""
        for log in logs:
            for path in log.paths:
                if path in self._streams:
                    self._print(log.title, self._streams[path].rest())

    def _print(self, title: str, data: bytes) -> None:
        if not data:
            return
        if self._many and title != self._title:
            sys.stdout.write(f"--- {title}\n")
        self._title = title
        if self._clean:
            sys.stdout.write(clean(data))
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
