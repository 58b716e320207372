"""``taskrun plan FILE``."""

import json
import time
from typing import Any

import click

from taskrun.app.base import RunOptions
from taskrun.app.recalled import recall
from taskrun.app.shared import masker_of, shared_names
from taskrun.cli.found import find_run
from taskrun.cli.options import color_option, input_option, inputs_file_option, outside_option
from taskrun.errors import UsageError
from taskrun.journal.home import home
from taskrun.listeners.screen import is_terminal, size, style_for

STDOUT = 1


@click.command("plan")
@click.argument("file", type=click.Path(), required=False)
@click.option("--fail-at", metavar="TASK", help="Show also what is undone if this task fails.")
@click.option("--revert", "run", metavar="RUN", help="Instead: what `taskrun revert RUN` would undo.")
@input_option
@inputs_file_option
@click.option(
    "-o",
    "--output",
    metavar="HOW",
    type=click.Choice(["auto", "plain", "json"]),
    default="auto",
    help="plain or json. auto: drawn on a terminal, else plain.",
)
@outside_option
@color_option
def command(
    file: str | None,
    fail_at: str | None,
    run: str | None,
    inputs: tuple[str, ...],
    inputs_file: str | None,
    output: str,
    allow_outside: bool,
    color: str,
) -> int:
    """Show what a run would do, in order, how each of it is undone, and what cannot be. Nothing is run.

    \b
      taskrun plan deploy.yaml -i version=1.4.2
      taskrun plan deploy.yaml --fail-at migrate   and the rollback then
      taskrun plan --revert latest                 what a revert would do

    What only the run can know is shown as it stands in the file: ${{ tasks.a.outputs.id }}.
    """
    if (file is None) is (run is None):
        raise UsageError("plan a FILE, or the --revert of a RUN", hint="taskrun plan --help")
    if run is not None:
        if fail_at or inputs or inputs_file:
            raise UsageError("--revert goes without --fail-at and inputs: the run has them already")
        plan = _of_revert(run)
    else:
        assert file is not None
        plan = _of_file(file, fail_at, inputs, inputs_file, allow_outside, quiet=output == "json")
    if output == "json":
        click.echo(json.dumps(plan, indent=2, ensure_ascii=False))
        return 0
    from taskrun.listeners.plan import plan_text  # noqa: PLC0415 - only for people

    columns = size(STDOUT)[0] if is_terminal(STDOUT) and output != "plain" else None
    click.echo(plan_text(plan, style_for(STDOUT, color), columns=columns), nl=False)
    return 0


def _of_file(
    file: str,
    fail_at: str | None,
    inputs: tuple[str, ...],
    inputs_file: str | None,
    allow_outside: bool,
    *,
    quiet: bool,
) -> dict[str, Any]:
    from taskrun.cli.workflows import given_inputs, load_definition  # noqa: PLC0415 - after the usage is checked
    from taskrun.drivers.planning import plan_run  # noqa: PLC0415

    definition, _ = load_definition(file, allow_outside=allow_outside, quiet=quiet)
    resolved = given_inputs(definition, inputs, inputs_file)
    shared = shared_names(definition, resolved, "", time.time(), None)
    return _masked(definition, plan_run(definition, resolved, shared, fail_at))


def _of_revert(given: str) -> dict[str, Any]:
    from taskrun.drivers.planning import plan_revert  # noqa: PLC0415 - after the usage is checked

    row = find_run(given)
    held = recall(home(), row.id, RunOptions())
    shared = shared_names(held.definition, row.inputs, row.id, row.created, None)
    return _masked(held.definition, plan_revert(held.definition, row.inputs, shared, held.entries, row.id))


def _masked(definition: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    """A secret may also stand in an input or a variable."""
    masker, _ = masker_of(definition)
    masked: dict[str, Any] = plan if masker is None else masker.value(plan)
    return masked
