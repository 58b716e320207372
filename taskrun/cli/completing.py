"""What a shell may complete: ids of runs, names of tasks, actions and diagnostics. Used only while completing."""

import os
from collections.abc import Callable, Iterable, Iterator

import click
from click.shell_completion import CompletionItem
from click.types import StringParamType

from taskrun.errors import TaskrunError

_MOST = 50
Found = Iterable[CompletionItem]


class Completed(StringParamType):
    """Text, for which ``find(ctx)`` knows what it may be. Whatever goes wrong, nothing is completed."""

    def __init__(self, find: Callable[[click.Context], Found], *, files: bool = False) -> None:
        self._find = find
        self._files = files

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        try:
            found = [item for item in self._find(ctx) if item.value.startswith(incomplete)]
        except (TaskrunError, OSError):
            found = []
        if self._files and not found:
            return [CompletionItem(incomplete, type="file")]
        return found


def attach(command: click.Command) -> None:
    """Give the parameters of a command what they may be completed to."""
    for param in command.params:
        found = _TYPES.get((command.name or "", param.name or "")) or _TYPES.get(("", param.name or ""))
        if found is not None:
            param.type = found


def _runs(_ctx: click.Context) -> Iterator[CompletionItem]:
    from taskrun.cli.found import open_journal  # noqa: PLC0415 - most commands complete without it

    journal = open_journal()
    try:
        rows = journal.runs(_MOST)
    finally:
        journal.close()
    for row in rows:
        yield CompletionItem(row.id, help=f"{row.name} {row.state}")
    if rows:
        yield CompletionItem("latest", help="the newest run")


def _tasks(ctx: click.Context) -> Iterator[CompletionItem]:
    from taskrun.cli.found import open_journal  # noqa: PLC0415
    from taskrun.engine.view import View  # noqa: PLC0415

    journal = open_journal()
    try:
        row = journal.find(str(ctx.params.get("run") or "latest"))
        view = View(journal.definition(row.id))
        for entry in journal.entries(row.id):
            view.apply(entry)
    finally:
        journal.close()
    for each in view.index.values():
        yield CompletionItem(each.name, help=each.state)


def _tasks_of_file(ctx: click.Context) -> Iterator[CompletionItem]:
    from taskrun.cli.workflows import load_definition  # noqa: PLC0415

    # Behind an option that still lacks its value click has not yet sorted the words into parameters.
    path = ctx.params.get("file") or next(filter(os.path.isfile, ctx.args), None)
    if path:
        definition, _ = load_definition(str(path), quiet=True)
        yield from (CompletionItem(task["name"], help=task["kind"]) for task in definition["tasks"])


def _actions(_ctx: click.Context) -> Iterator[CompletionItem]:
    from taskrun.actions.kinds import TRAITS  # noqa: PLC0415

    yield from map(CompletionItem, TRAITS)


def _diagnostics(_ctx: click.Context) -> Iterator[CompletionItem]:
    from taskrun.spec.catalog import CATALOG  # noqa: PLC0415

    yield from (CompletionItem(name, help=entry.title) for name, entry in CATALOG.items())


# By command and parameter; "" stands for every command.
_TYPES = {
    ("", "run"): Completed(_runs),
    ("graph", "what"): Completed(_runs, files=True),
    ("", "task"): Completed(_tasks),
    ("revert", "skipped"): Completed(_tasks),
    ("revert", "savepoint"): Completed(_tasks),
    ("plan", "fail_at"): Completed(_tasks_of_file),
    ("actions", "name"): Completed(_actions),
    ("explain", "id"): Completed(_diagnostics),
}
