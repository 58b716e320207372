"""``taskrun revert RUN``."""

import click

from taskrun import app
from taskrun.cli.continuing import go_on, refuse_held
from taskrun.cli.found import find_run
from taskrun.cli.options import color_option, jobs_option, output_option
from taskrun.cli.output import Output
from taskrun.engine import events as e
from taskrun.engine.flow import Flow
from taskrun.errors import NotFoundError


@click.command("revert")
@click.argument("run", default="latest")
@click.option("--to", "savepoint", metavar="SAVEPOINT", help="Undo only what came after this savepoint.")
@jobs_option
@output_option
@color_option
def command(run: str, savepoint: str | None, jobs: int | None, output: str, color: str) -> int:
    """Undo what a run has done: of a failed run, an interrupted one, or one that succeeded.

    \b
      taskrun revert                     all of the latest run
      taskrun revert 1m86c361 --to data  back to a savepoint, from where
                                         `taskrun resume` goes forward again

    Undos that failed before are tried again. The exit code is 0 when everything is undone, 3 when not.
    """
    row = find_run(run)
    refuse_held(row)
    if row.state == "REVERTED":
        click.echo(f"run {row.id} is REVERTED: everything is undone already.", err=True)
        return 0

    def event(flow: Flow, at: float) -> e.Event:
        return e.RevertRequested(at, None if savepoint is None else _savepoint(flow, savepoint))

    outcome = go_on(row, event, "revert", Output(output, color, row.file), app.RunOptions(jobs or 0))
    if outcome.view.state == "REVERTED" or (savepoint and outcome.view.state == "SUSPENDED"):
        return 0
    return outcome.exit_code


def _savepoint(flow: Flow, name: str) -> int:
    for node in flow.tasks:
        if flow.names[node] == name:
            return node
    raise NotFoundError(f"the workflow has no savepoint {name!r}")
