"""``taskrun run FILE``."""

import os
import sys

import click

from taskrun.app.base import ListenersFor, Outcome, RunOptions
from taskrun.app.starting import start_run
from taskrun.cli.found import find_run
from taskrun.cli.options import (
    ci_option,
    color_option,
    input_option,
    inputs_file_option,
    jobs_option,
    output_option,
    outside_option,
)
from taskrun.cli.output import Output
from taskrun.journal.base import Durability


@click.command(
    "run",
    epilog="""\b
Exit codes:
  0  done
  1  failed, and rolled back: the world is as before
  2  a wrong option or file; nothing ran
  3  failed, and not all of it is rolled back""",
)
@click.argument("file", type=click.Path())
@input_option
@inputs_file_option
@jobs_option
@output_option
@click.option("--detach", is_flag=True, help="Run in the background, and print the run's id.")
@click.option(
    "--on-failure",
    metavar="WHAT",
    type=click.Choice(["revert", "stop", "ask"]),
    help="revert, stop or ask: instead of what the file says.",
)
@click.option(
    "--on-interrupt",
    metavar="WHAT",
    type=click.Choice(["revert", "suspend"]),
    default="revert",
    help="What the first Ctrl-C does: revert (roll back) or suspend.",
)
@click.option(
    "--durability",
    metavar="LEVEL",
    type=click.Choice(["full", "process"]),
    default="full",
    help="full: the journal survives a power loss; process: only the death of processes, but is faster.",
)
@click.option("--strict", is_flag=True, help="Take the file's warnings for errors.")
@outside_option
@ci_option
@color_option
def command(
    file: str,
    inputs: tuple[str, ...],
    inputs_file: str | None,
    jobs: int | None,
    output: str,
    detach: bool,
    on_failure: str | None,
    on_interrupt: str,
    durability: Durability,
    strict: bool,
    allow_outside: bool,
    ci: str,
    color: str,
) -> int:
    """Run a workflow. If a task fails, everything done so far is undone in reverse order.

    \b
      taskrun run deploy.yaml -i version=1.4.2
      taskrun run deploy.yaml --detach             in the background
      taskrun run deploy.yaml -j 1 -o ndjson       for programs
    """
    from taskrun.cli.workflows import given_inputs, load_definition  # noqa: PLC0415 - seldom needs YAML

    shown = Output(output, color, os.path.abspath(file), ci)
    definition, text = load_definition(
        file, strict=strict, allow_outside=allow_outside, quiet=shown.for_programs
    )
    if on_failure is not None:
        definition = {**definition, "on_failure": on_failure}
    resolved = given_inputs(definition, inputs, inputs_file)
    options = RunOptions(jobs or 0, durability, on_interrupt, on_failure)

    def start(listeners_for: ListenersFor) -> Outcome:
        return start_run(definition, text, resolved, options, listeners_for)

    if detach:
        from taskrun.cli.detaching import run_detached  # noqa: PLC0415 - seldom asked for

        return run_detached(start, os.path.abspath(file), for_programs=shown.for_programs)
    outcome = start(shown.listeners)
    shown.finish(outcome)
    if outcome.view.unknown and not shown.for_programs:
        outcome = _ask_for_approval(outcome, options, shown)
    if definition.get("on_failure") == "ask" and not shown.for_programs:
        outcome = _ask_what_now(outcome, options, shown)
    sys.stdout.flush()
    return outcome.exit_code


def _ask_for_approval(outcome: Outcome, options: RunOptions, shown: Output) -> Outcome:
    from taskrun.cli.approving import attend  # noqa: PLC0415 - seldom needed
    from taskrun.cli.continuing import go_on  # noqa: PLC0415

    row = find_run(outcome.run_id)
    return attend(outcome, lambda event, verb: go_on(row, event, verb, shown, options))


def _ask_what_now(outcome: Outcome, options: RunOptions, shown: Output) -> Outcome:
    from taskrun.cli.asking import attend  # noqa: PLC0415 - seldom needed
    from taskrun.cli.continuing import go_on  # noqa: PLC0415

    row = find_run(outcome.run_id)
    return attend(outcome, lambda event, verb: go_on(row, event, verb, shown, options))
