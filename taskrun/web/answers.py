"""What is told of one run, by the end of the address. Each answer is plain data, masked and cleaned."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from taskrun.engine.view import Row
from taskrun.errors import NotFoundError, RefusedError, UsageError
from taskrun.journal.base import RunRow
from taskrun.journal.codec import event_dict
from taskrun.journal.home import run_dir
from taskrun.journal.sqlite import SqliteJournal
from taskrun.web import output, previews, wishes
from taskrun.web.doors import Doors, Plain
from taskrun.web.folds import Fold
from taskrun.web.levels import graph
from taskrun.web.listing import is_held, stands
from taskrun.web.source import source

EVENTS = 2000  # in one answer
FIRST_ROWS = 1000  # enough to look at; a browser asks for the rest meanwhile
NEXT_ROWS = 10_000
LAST_LINES = 12
WITH_OUTPUTS = 200  # tasks in one answer


Later = Callable[[], Plain]
"""The rest of an answer, for which nobody else has to wait: it reads files."""


class Asked(NamedTuple):
    """A question about a run, and the run as it stands."""

    doors: Doors
    journal: SqliteJournal
    fold: Fold
    query: Mapping[str, str]
    read_only: bool

    @property
    def row(self) -> RunRow:
        return self.fold.row

    @property
    def directory(self) -> str:
        return run_dir(self.doors.home, self.row.id)

    @property
    def driven(self) -> bool:
        return is_held(self.doors.home, self.row.id)

    @property
    def standing(self) -> str:
        return stands(self.doors.home, self.row)

    @property
    def task(self) -> Row:
        found = self.fold.shown.view.index.get(self.query.get("name", ""))
        if found is None:
            raise NotFoundError("the run has no such task")
        return found

    @property
    def tried(self) -> output.Tried:
        row = self.task
        return output.Tried(row.name, row.state, row.tries, row.undos)

    def safe(self, plain: Plain) -> Plain:
        found: Plain = self.fold.safe(plain)
        return found


def run(asked: Asked) -> Plain:
    shown, definition = asked.fold.shown, asked.fold.definition
    continued = asked.journal.continuations([asked.row.id])
    return asked.safe(
        {
            "run": shown.run(asked.row, asked.standing, driven=asked.driven),
            "rows": shown.first_rows(FIRST_ROWS),
            "many": len(shown.view.rows),
            "first": FIRST_ROWS,
            "continued": [[each.verb, each.time] for each in continued],
            "inputs": _inputs(definition, asked.row),
            "secrets": sorted(definition.get("secrets", ())),
            "description": definition.get("description"),
            "unreadable": asked.fold.safe.unknown,
            "read_only": asked.read_only,
        }
    )


def rows(asked: Asked) -> Plain:
    """The next ones, in file order. ``many`` there are in all: items of a fan-out may have come between two answers."""
    shown, first = asked.fold.shown, number(asked.query.get("from", "0"))
    return asked.safe({"rows": shown.rows(first, NEXT_ROWS), "many": len(shown.view.rows)})


def events(asked: Asked) -> Plain:
    after = number(asked.query.get("after", "0"))
    entries = asked.journal.entries(asked.row.id, after=after, limit=EVENTS)
    found = [event_dict(asked.row.id, entry) for entry in entries]
    return asked.safe({"events": found, "more": len(entries) == EVENTS})


def levels(asked: Asked) -> Plain:
    entries = asked.journal.entries(asked.row.id)
    return asked.safe(graph(asked.fold.definition, asked.row.id, entries, asked.standing))


def file(asked: Asked) -> Plain:
    fold = asked.fold
    return source(asked.directory, fold.row, fold.definition, fold.shown.view, fold.safe)


def outputs(asked: Asked) -> Plain:
    rows = [row for row in asked.fold.shown.view.rows if row.outputs]
    tasks = [[row.name, dict(row.outputs or {})] for row in rows[:WITH_OUTPUTS]]
    return asked.safe({"tasks": tasks, "more": len(rows) > WITH_OUTPUTS})


def task(asked: Asked) -> Plain:
    row, unknown = asked.task, asked.fold.safe.unknown
    return asked.safe(
        {
            "name": row.name,
            "state": row.state,
            "outputs": dict(row.outputs or {}),
            "message": row.message,
            "failure": dict(row.failure) if row.failure else None,
            "undo_failure": dict(row.revert_failure) if row.revert_failure else None,
            "given_up": row.given_up,
            "reason": row.reason,
            "files": [] if unknown else output.outputs(asked.directory, asked.tried),
            "unreadable": unknown,
        }
    )


def printed(asked: Asked) -> Later:
    _refuse_unmasked(asked)
    places = {key: number(asked.query[key]) for key in output.Wanted._fields if key in asked.query}
    directory, tried, name, safe = asked.directory, asked.tried, asked.query.get("file", ""), asked.fold.safe
    return lambda: output.window(directory, tried, name, safe, output.Wanted(**places))


def last(asked: Asked) -> Later:
    """The last lines of a task's last attempt."""
    _refuse_unmasked(asked)
    directory, tried, safe = asked.directory, asked.tried, asked.fold.safe

    def read() -> Plain:
        names = [each["id"] for each in output.outputs(directory, tried)]
        done = [name for name in names if not name.startswith("undo-")]
        if not done:
            return {"lines": []}
        found = output.window(directory, tried, done[-1], safe, output.Wanted())
        return {"lines": found["text"].rstrip().split("\n")[-LAST_LINES:]}

    return read


def search(asked: Asked) -> Later:
    _refuse_unmasked(asked)
    words, name = asked.query.get("text", ""), asked.query.get("file", "")
    directory, tried, safe = asked.directory, asked.tried, asked.fold.safe
    return lambda: output.search(directory, tried, name, safe, words)


def preview(asked: Asked) -> Plain:
    wish = wishes.wish_of(asked.query)
    row, definition, shown, _ = asked.fold
    found = previews.preview(asked.doors, row, definition, shown, wish, asked.standing, driven=asked.driven)
    return asked.safe(found)


ANSWERS: Mapping[str, Callable[[Asked], Plain | Later]] = {
    "": run,
    "/rows": rows,
    "/events": events,
    "/graph": levels,
    "/source": file,
    "/outputs": outputs,
    "/task": task,
    "/output": printed,
    "/last": last,
    "/search": search,
    "/preview": preview,
}


def number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise UsageError("a number is wanted")
    return int(text)


def _refuse_unmasked(asked: Asked) -> None:
    unknown = asked.fold.safe.unknown
    if unknown:
        raise RefusedError(f"not shown: it may hold secrets that cannot be read here: {', '.join(unknown)}")


def _inputs(definition: Plain, row: RunRow) -> Plain:
    """Those that somebody can give; fixed ones are the file's own."""
    declared = definition.get("inputs", {})
    return {name: value for name, value in row.inputs.items() if not declared.get(name, {}).get("fixed")}
