"""``taskrun report RUN``."""

import json
import os
from collections.abc import Callable
from typing import Any

import click

from taskrun.app.output import output_finder
from taskrun.app.shared import masker_of
from taskrun.cli.found import exit_code_of, is_held, open_journal
from taskrun.errors import UsageError
from taskrun.journal.base import RunRow
from taskrun.journal.codec import timestamp
from taskrun.journal.home import home, run_dir
from taskrun.listeners.runs import standing
from taskrun.listeners.screen import is_terminal
from taskrun.listeners.tail import as_it_is

STDOUT = 1
_BY_SUFFIX = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".xml": "junit"}


@click.command("report")
@click.argument("run", default="latest")
@click.option(
    "-f",
    "--format",
    "form",
    metavar="FORMAT",
    type=click.Choice(["html", "markdown", "json", "junit", "trace"]),
    help="html, markdown, json, junit or trace. Default: by the file's suffix, else html.",
)
@click.option("-o", "--output", "path", metavar="FILE", type=click.Path(dir_okay=False), help="Where to.")
def command(run: str, form: str | None, path: str | None) -> int:
    """Write a report of a run: its outcome, its tasks, what failed and what is left.

    \b
      taskrun report -o report.html
      taskrun report 1m86c361 --format markdown
      taskrun report -o report.xml              JUnit, for CI
      taskrun report -f trace -o run.json       open it in ui.perfetto.dev

    The HTML is one file that loads nothing. The exit code is the run's.
    """
    chosen = form or _BY_SUFFIX.get(os.path.splitext(path or "")[1].lower(), "html")
    if chosen == "html" and path is None and is_terminal(STDOUT):
        raise UsageError("an HTML page is not for the terminal", hint="-o report.html, or --format markdown")
    row, definition, entries = _read(run)
    state = standing(row, is_held)
    text = _written(_facts(definition, row, entries, state), chosen)
    if path is None:
        click.echo(text, nl=False)
    else:
        _write(path, text)
        click.echo(f"{path}: {row.name}, run {row.id}, {state}", err=True)
    return exit_code_of(row)


def _read(run: str) -> tuple[RunRow, dict[str, Any], list[Any]]:
    journal = open_journal()
    try:
        row = journal.find(run)
        return row, journal.definition(row.id), journal.entries(row.id)
    finally:
        journal.close()


def facts_of(run: str) -> dict[str, Any]:
    """What a report of a run tells, for the process that has just driven it."""
    row, definition, entries = _read(run)
    return _facts(definition, row, entries, row.state)


def _facts(definition: dict[str, Any], row: RunRow, entries: list[Any], state: str) -> dict[str, Any]:
    from taskrun.listeners.report.facts import facts  # noqa: PLC0415 - after the run is found

    masker, unknown = masker_of(definition)
    if unknown:
        words = f"warning: the secrets {', '.join(unknown)} cannot be read here, so they are not masked"
        click.echo(words, err=True)
    return facts(
        definition,
        row,
        entries,
        state=state,
        output_of=output_finder(run_dir(home(), row.id)),
        hide=as_it_is if masker is None else masker.data,
        mask=(lambda value: value) if masker is None else masker.value,
        timestamp=timestamp,
    )


def _written(found: dict[str, Any], form: str) -> str:
    return _FORMS[form](found)


def _html(found: dict[str, Any]) -> str:
    from taskrun.listeners.report.page import page  # noqa: PLC0415 - one of four

    return page(found)


def _markdown(found: dict[str, Any]) -> str:
    from taskrun.listeners.report.markdown import markdown  # noqa: PLC0415

    return markdown(found)


def _junit(found: dict[str, Any]) -> str:
    from taskrun.listeners.report.junit import junit  # noqa: PLC0415

    return junit(found)


def _trace(found: dict[str, Any]) -> str:
    from taskrun.listeners.report.trace import trace  # noqa: PLC0415

    return trace(found)


def _json(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=2) + "\n"


_FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "html": _html,
    "markdown": _markdown,
    "junit": _junit,
    "json": _json,
    "trace": _trace,
}


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
