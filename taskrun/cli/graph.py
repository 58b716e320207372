"""``taskrun graph FILE|RUN``."""

import json
import os
from typing import Any

import click

from taskrun.cli.found import is_held, open_journal
from taskrun.cli.options import color_option, outside_option
from taskrun.listeners.runs import standing
from taskrun.listeners.screen import style_for

STDOUT = 1


@click.command("graph")
@click.argument("what", metavar="FILE|RUN")
@click.option(
    "-f",
    "--format",
    "form",
    metavar="FORMAT",
    type=click.Choice(["tree", "mermaid", "dot", "svg", "json"]),
    default="tree",
    help="tree (default), mermaid, dot, svg or json.",
)
@outside_option
@color_option
def command(what: str, form: str, allow_outside: bool, color: str) -> int:
    """Draw the tasks of a workflow, or of a run with their states and its rollback.

    \b
      taskrun graph deploy.yaml
      taskrun graph latest -f mermaid
      taskrun graph deploy.yaml -f svg > deploy.svg
    """
    is_file = os.path.exists(what) or what.endswith((".yaml", ".yml"))
    found = _of_file(what, allow_outside) if is_file else _of_run(what)
    click.echo(_drawn(found, form, color), nl=False)
    return 0


def _drawn(found: dict[str, Any], form: str, color: str) -> str:
    if form == "mermaid":
        from taskrun.listeners.drawing.mermaid import mermaid  # noqa: PLC0415 - one of several

        return mermaid(found)
    if form == "dot":
        from taskrun.listeners.drawing.dot import dot  # noqa: PLC0415

        return dot(found)
    if form == "svg":
        from taskrun.listeners.drawing.svg import svg  # noqa: PLC0415

        return svg(found)
    if form == "json":
        return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    from taskrun.listeners.drawing.tree import tree  # noqa: PLC0415

    return tree(found, style_for(STDOUT, color))


def _of_file(path: str, allow_outside: bool) -> dict[str, Any]:
    from taskrun.cli.workflows import load_definition  # noqa: PLC0415 - not for a run
    from taskrun.spec.diagram import diagram  # noqa: PLC0415

    definition, _ = load_definition(path, allow_outside=allow_outside)
    return diagram(definition)


def _of_run(given: str) -> dict[str, Any]:
    from taskrun.spec.diagram import diagram_of_run  # noqa: PLC0415 - not for a file

    journal = open_journal()
    try:
        row = journal.find(given)
        definition, entries = journal.definition(row.id), journal.entries(row.id)
    finally:
        journal.close()
    state = standing(row, is_held)
    return diagram_of_run(definition, row.id, entries, state)
