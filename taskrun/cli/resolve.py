"""``taskrun resolve RUN TASK``."""

import json
from typing import Any

import click

from taskrun.cli.found import find_free
from taskrun.cli.given import parse_inputs
from taskrun.errors import UsageError


@click.command("resolve")
@click.argument("run")
@click.argument("task")
@click.option("--done", "verdict", flag_value="done", help="It has happened: the task is SUCCESS.")
@click.option(
    "--not-done", "verdict", flag_value="not-done", help="It has not happened: the task is PENDING again."
)
@click.option("--undone", "verdict", flag_value="undone", help="It is undone, by hand: the task is REVERTED.")
@click.option(
    "--output", "outputs", multiple=True, metavar="NAME=VALUE", help="With --done: an output of the task."
)
@click.option("--reason", default="", help="Kept in the run's history.")
def command(run: str, task: str, verdict: str | None, outputs: tuple[str, ...], reason: str) -> int:
    """Decide what nobody but a person can know: a task whose outcome is UNKNOWN, or whose undo failed.

    \b
      taskrun resolve latest create_tenant --done --output id=42
      taskrun resolve latest create_tenant --not-done
      taskrun resolve latest create_tenant --undone --reason "by hand"
    """
    if verdict is None:
        raise UsageError("what is it: --done, --not-done or --undone?")
    if outputs and verdict != "done":
        raise UsageError("--output goes with --done only")
    row = find_free(run)
    data: dict[str, Any] = {"resolved": verdict}
    if outputs:
        data["outputs"] = {name: _value(text) for name, text in parse_inputs(outputs).items()}
    if reason:
        data["reason"] = reason
    from taskrun.app.resolving import resolve_task  # noqa: PLC0415 - whoever is refused need not wait for it

    state = resolve_task(row.id, task, verdict, data)
    click.echo(
        f"{task} is {state}.\n  taskrun resume {row.id}   goes on\n  taskrun revert {row.id}   undoes the run"
    )
    return 0


def _value(text: str) -> Any:
    """JSON if it is JSON, text otherwise: ``id=42`` is a number, ``name=acme`` a string."""
    try:
        return json.loads(text)
    except ValueError:
        return text
