"""``taskrun actions [NAME]``."""

import json
from typing import Any

import click

from taskrun.errors import NotFoundError
from taskrun.listeners.screen import BOLD, FAINT, is_terminal, size, style_for

STDOUT = 1
WITHOUT_TERMINAL = 100  # columns
_UNDO = {
    "itself": ("undoes itself", "It undoes itself; `revert` can say otherwise."),
    "nothing": ("nothing to undo", "It changes nothing, so there is nothing to undo."),
    "revert": ("say how to undo it", "Say how to undo it: `revert: ...`, or `revert: none`."),
    "tasks": ("its tasks say it", "Its tasks say how each of them is undone."),
}


@click.command("actions")
@click.argument("name", required=False)
@click.option(
    "-o",
    "--output",
    metavar="HOW",
    type=click.Choice(["plain", "json"]),
    default="plain",
    help="plain or json.",
)
def command(name: str | None, output: str) -> int:
    """List the actions a task can have, or describe the fields of one.

    \b
      taskrun actions
      taskrun actions http
    """
    from taskrun.actions.reference import reference  # noqa: PLC0415 - pydantic

    found = reference()
    if name is not None:
        found = [each for each in found if each["name"] == name]
        if not found:
            _refuse(name)
    if output == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif name is None:
        click.echo("\n".join(_overview(found)))
    else:
        click.echo("\n".join(_details(found[0])))
    return 0


def _refuse(name: str) -> None:
    from taskrun.actions.reference import names  # noqa: PLC0415
    from taskrun.spec.spelling import nearest  # noqa: PLC0415

    near = nearest(name, names())
    raise NotFoundError(
        f"there is no action {name!r}" + (f"; did you mean {near!r}?" if near else ""),
        hint="taskrun actions lists them all",
    )


def _overview(found: list[dict[str, Any]]) -> list[str]:
    style = style_for(STDOUT)
    width = max(len(each["name"]) for each in found)
    lines = []
    for each in found:
        undo = _UNDO[each["undo"]][0]
        name = style.paint(BOLD, each["name"]) + " " * (width - len(each["name"]))
        lines.append(f"  {name}  {each['description']:<46}  {style.paint(FAINT, undo)}".rstrip())
    return [*lines, "", "taskrun actions NAME describes the fields of one."]


def _details(action: dict[str, Any]) -> list[str]:
    from taskrun.listeners.cells import wrap  # noqa: PLC0415

    style = style_for(STDOUT)
    columns = size(STDOUT)[0] if is_terminal(STDOUT) else WITHOUT_TERMINAL
    undo = _UNDO[action["undo"]][1]
    lines = [f"{style.paint(BOLD, action['name'])}: {action['description']}", undo]
    if action["main"]:
        lines.append(f"`{action['name']}: TEXT` is short for `{action['name']}: {{{action['main']}: TEXT}}`.")
    for field in action["fields"]:
        about = f"{field['type']}{', required' if field['required'] else ''}"
        lines += ["", f"  {style.paint(BOLD, field['name'])}  {style.paint(FAINT, about)}"]
        lines += [f"      {line}" for line in wrap(field["description"], columns - 7)]
        if field["examples"]:
            shown = " · ".join(json.dumps(each, ensure_ascii=False) for each in field["examples"])
            lines += [style.paint(FAINT, f"      for example {shown}")]
    return lines
