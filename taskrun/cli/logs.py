"""``taskrun logs RUN [TASK]``."""

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from taskrun.app.shared import masker_of
from taskrun.cli.chosen import Chosen, choose
from taskrun.cli.found import is_held, open_journal
from taskrun.journal.base import Entry, RunRow
from taskrun.journal.home import home, run_dir
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.sanitize import clean
from taskrun.listeners.screen import is_terminal
from taskrun.listeners.tail import leads_to

if TYPE_CHECKING:
    from taskrun.drivers.masking import MaskedStream, Masker

LOOK_EVERY = 0.1
BLOCK = 1 << 16
STDOUT = 1
NEWLINE = "\n"
BEGUN = ("RUNNING", "REVERTING")
UNDOING = ("REVERTING", "REVERTED", "REVERT_FAILURE")


@click.command("logs")
@click.argument("run", default="latest")
@click.argument("task", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
def command(run: str, task: str | None, follow: bool) -> int:
    """Show what the tasks of a run have printed, attempt by attempt, undos included.

    \b
      taskrun logs                  all tasks of the latest run
      taskrun logs latest migrate   one task, or all in a nested flow
      taskrun logs -f               follow

    On a terminal, control characters of the output are shown, never obeyed; in a pipe the bytes come as they are.
    Secrets are masked in both.
    """
    journal = open_journal()
    try:
        row = journal.find(run)
        definition = journal.definition(row.id)
        chosen: Chosen = _all
        if task is not None:
            begun = (entry.name for entry in journal.entries(row.id) if entry.kind == "task")
            chosen = choose(task, definition, begun, row.id)
        masker, unknown = masker_of(definition)
        if unknown:
            click.echo(
                f"warning: not masked, as it cannot be read here: secret {', '.join(unknown)}", err=True
            )
        plain = {each["name"] for each in definition["tasks"] if "for_each" not in each}
        printer = _Printer(run_dir(home(), row.id), many=task not in plain, masker=masker)
        printer.follow(journal, row, chosen, follow=follow)
        if not printer.has_printed:
            click.echo(f"{f'{task} of run' if task else 'run'} {row.id} has printed nothing", err=True)
    finally:
        journal.close()
    return 0


def _all(_task: str) -> bool:
    return True


class _Printer:
    """Goes through a run's entries and copies what each attempt has printed to stdout, whole once it has ended.

    Of those that are still under way it prints what there is, and remembers how far it came.
    """

    def __init__(self, directory: str, *, many: bool, masker: "Masker | None") -> None:
        self._directory = directory
        self._masker = masker
        self._streams: dict[str, MaskedStream] = {}
        self._many = many
        self._clean = is_terminal(STDOUT)
        self._offsets: dict[str, int] = {}
        self._open: dict[tuple[str, bool], int] = {}  # task, undoing -> number of the attempt
        self._title = ""
        self._at_line_start = True
        self.has_printed = False

    def follow(self, journal: SqliteJournal, row: RunRow, chosen: Chosen, *, follow: bool) -> None:
        seq = 0
        while True:
            ended = not follow or journal.run(row.id).ended is not None or not is_held(row.id)
            for entry in journal.entries(row.id, after=seq):
                seq = entry.seq
                is_undo_again = entry.kind == "warning" and entry.state == "REVERTING"
                if (entry.kind == "task" or is_undo_again) and chosen(entry.name):
                    self._take(entry)
            for (name, undoing), attempt in self._open.items():
                self._copy(name, attempt, undoing=undoing, whole=ended)
            sys.stdout.flush()
            if ended:
                return
            time.sleep(LOOK_EVERY)

    def _take(self, entry: Entry) -> None:
        undoing = entry.state in UNDOING
        for each in (False, True):
            attempt = self._open.pop((entry.name, each), None)
            if attempt is not None:
                self._copy(entry.name, attempt, undoing=each, whole=True)
        if entry.state in BEGUN:
            self._open[entry.name, undoing] = entry.attempt
            return
        message = (entry.data or {}).get("message")
        if message:  # of an action without files of its own: an `echo` writes into the journal
            title = f"{entry.name}, {'undo' if undoing else 'attempt'} {entry.attempt}"
            self._print(title, str(message).encode("utf-8", "backslashreplace") + b"\n")

    def _copy(self, name: str, attempt: int, *, undoing: bool, whole: bool) -> None:
        """All the files of an attempt: its parts have one each, or two where stderr is kept apart."""
        for part in ("revert",) if undoing else ("probe", "check", "", "verify"):
            stem = f"{self._directory}/out/{name}.{part}{'.' if part else ''}{attempt}"
            what = "undo" if undoing else part or "attempt"
            for path in (f"{stem}.out", f"{stem}.err"):
                self._copy_file(f"{name}, {what} {attempt}", path)
                if whole and path in self._streams:
                    self._print(f"{name}, {what} {attempt}", self._streams.pop(path).rest())

    def _copy_file(self, title: str, path: str) -> None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        try:
            offset = self._offsets.get(path, 0)
            while (data := os.pread(fd, BLOCK, offset)) and (offset or leads_to(path, fd)):
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

    def _print(self, title: str, data: bytes) -> None:
        if not data:
            return
        self.has_printed = True
        if self._many and title != self._title:
            sys.stdout.write(f"{'' if self._at_line_start else NEWLINE}--- {title}\n")
        self._title = title
        self._at_line_start = data.endswith(b"\n")
        if self._clean:
            sys.stdout.write(clean(data))
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
