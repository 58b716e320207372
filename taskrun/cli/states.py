"""``taskrun states [RUN]``."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import click

from taskrun.app.output import output_finder
from taskrun.app.shared import masker_of
from taskrun.cli.found import NEEDS_A_PERSON, exit_code_of, is_held, open_journal
from taskrun.cli.options import color_option
from taskrun.engine.view import Row, View
from taskrun.journal.base import RunRow
from taskrun.journal.codec import event_dict, timestamp
from taskrun.journal.home import home, run_dir
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.base import Listener, Listeners
from taskrun.listeners.ending import ending
from taskrun.listeners.lines import Lines
from taskrun.listeners.ndjson import json_line
from taskrun.listeners.outlet import Outlet, show
from taskrun.listeners.runs import standing
from taskrun.listeners.screen import display_for, is_terminal, size, speaks_utf8, style_for
from taskrun.listeners.states import history_lines, states_dict, states_text
from taskrun.listeners.tail import as_it_is

WITHOUT_TERMINAL = 100  # columns
LINES_AT_A_TIME = 1000
LOOK_EVERY = 0.1  # seconds; asks SQLite's shared memory, not the disk
HELD_EVERY = 1.0
STDOUT, STDERR = 1, 2


@click.command("states")
@click.argument("run", default="latest")
@click.option("-w", "--watch", is_flag=True, help="Follow the run live until it ends.")
@click.option("--history", is_flag=True, help="Every transition, in journal order.")
@click.option(
    "-o",
    "--output",
    metavar="HOW",
    type=click.Choice(["auto", "table", "plain", "json", "ndjson"]),
    default="auto",
    help="table, plain, json or ndjson. auto: a table on a terminal, else plain.",
)
@color_option
def command(run: str, watch: bool, history: bool, output: str, color: str) -> int:
    """Show the states of a run's tasks: of any run, also one that another process drives.

    \b
      taskrun states                       the latest run, as it stands
      taskrun states 1m86c361 --watch      live, until it ends
      taskrun states --history -o ndjson   all its transitions, for programs

    RUN is an id, the beginning of one, or `latest`. The exit code is the run's; 8 while it is still running, 3
    when it was interrupted.
    """
    journal = open_journal()
    try:
        row = journal.find(run)
        if watch:
            return _watch(journal, row, output, color)
        if history:
            _show_history(journal, row, output)
        else:
            _show(journal, row, output, color)
        return exit_code_of(journal.run(row.id))
    finally:
        journal.close()


def _show(journal: SqliteJournal, row: RunRow, output: str, color: str) -> None:
    view = View(journal.definition(row.id))
    for entry in journal.entries(row.id):
        view.apply(entry)
    state = standing(row, is_held)
    if output in ("json", "ndjson"):
        found = states_dict(view, row.id, row.exit_code, timestamp, state=state)
        show(json.dumps(found, indent=2 if output == "json" else None) + "\n", STDOUT)
        return
    columns = size(STDOUT)[0] if is_terminal(STDOUT) and output != "plain" else None
    text = states_text(view, row.id, time.time(), style_for(STDOUT, color), columns=columns, state=state)
    show(text, STDOUT)
    if state == "INTERRUPTED":
        show("\n" + _how_to_go_on(row) + "\n", STDERR)
    elif row.exit_code == NEEDS_A_PERSON and row.ended is not None:
        columns = size(STDERR)[0] if is_terminal(STDERR) else WITHOUT_TERMINAL
        last_words = ending(view, row.id, style_for(STDERR, color), _no_output, columns=columns)
        show("\n" + last_words, STDERR)


def _show_history(journal: SqliteJournal, row: RunRow, output: str) -> None:
    entries = journal.entries(row.id)
    if output in ("json", "ndjson"):
        lines: Iterator[str] = (json_line(event_dict(row.id, entry)) for entry in entries)
    else:
        view, ascii_only = View(journal.definition(row.id)), not speaks_utf8(os.environ)
        lines = (line + "\n" for line in history_lines(view, entries, ascii_only=ascii_only))
    outlet = Outlet(STDOUT)
    while outlet.open and (some := "".join(islice(lines, LINES_AT_A_TIME))):
        outlet.write(some)
        outlet.pump(wait=float("inf"))
    outlet.close()


def _watch(journal: SqliteJournal, row: RunRow, output: str, color: str) -> int:
    """Follow the journal. What is shown never touches the run: this process may be killed at any time."""
    definition = journal.definition(row.id)
    view = View(definition)
    listeners = Listeners(view, [_listener(definition, view, row, output, color)])
    try:
        return _follow(journal, row, listeners)
    finally:
        listeners.close()


def _follow(journal: SqliteJournal, row: RunRow, listeners: Listeners) -> int:
    seq, counter, look_at_lock = 0, None, 0.0
    while True:
        now = time.monotonic()
        changed = journal.change_counter()
        if changed != counter:
            counter = changed
            row = journal.run(row.id)  # before its entries: of a run that has ended, these are all
            entries = journal.entries(row.id, after=seq)
            if entries:
                seq = entries[-1].seq
                listeners.entries(entries)
            if row.ended is not None and row.exit_code is not None:
                return row.exit_code
        elif now >= look_at_lock:
            look_at_lock = now + HELD_EVERY
            if not is_held(row.id) and journal.change_counter() == counter:
                listeners.say(_how_to_go_on(row))
                return NEEDS_A_PERSON
        wish = listeners.tick(time.time())
        time.sleep(LOOK_EVERY if wish is None else min(max(wish, 0.0), LOOK_EVERY))


def _listener(definition: Mapping[str, Any], view: View, row: RunRow, output: str, color: str) -> Listener:
    if output in ("json", "ndjson"):
        return _Events(row.id)
    kind, fd = display_for(output, os.environ)
    style = style_for(fd, color)
    if kind == "table":
        from taskrun.listeners.table import Table  # noqa: PLC0415 - only on a terminal

        find = output_finder(run_dir(home(), row.id))
        masker, unknown = masker_of(definition)
        if unknown:  # better no output than one with a secret in it
            find = _no_output
        return Table(fd, view, row.id, style, find, hide=as_it_is if masker is None else masker.data)
    return Lines(fd, view, ascii_only=not style.unicode)


def _no_output(_row: Row, _undoing: bool) -> str | None:
    return None


class _Events:
    """The events alone, as they come."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._outlet = Outlet(STDOUT)

    def entries(self, entries: Sequence[Any]) -> None:
        self._outlet.write("".join(json_line(event_dict(self._run_id, entry)) for entry in entries))

    def tick(self, _now: float) -> float | None:
        self._outlet.pump()
        return None

    def say(self, text: str) -> None:
        show(text + "\n", STDERR)

    def close(self) -> None:
        self._outlet.close(wait=float("inf"))


def _how_to_go_on(row: RunRow) -> str:
    return (
        f"Nobody drives run {row.id} any more: it was interrupted.\n"
        f"  taskrun resume {row.id}   continues it\n  taskrun revert {row.id}   undoes what it did"
    )
