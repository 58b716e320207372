"""``taskrun resume RUN``."""

from typing import TYPE_CHECKING

import click

from taskrun.cli.found import ENDED, find_free, is_ended
from taskrun.cli.options import ci_option, color_option, jobs_option, output_option
from taskrun.errors import UsageError
from taskrun.journal.base import RunRow

if TYPE_CHECKING:
    from taskrun.app.base import Current


@click.command("resume")
@click.argument("run", default="latest")
@jobs_option
@output_option
@ci_option
@color_option
@click.option("--use-original", is_flag=True, help="Go on with the file as it was, although it has changed.")
@click.option(
    "--use-current",
    is_flag=True,
    help="Go on with the file as it is now; what is done has to be the same in it.",
)
def command(
    run: str, jobs: int | None, output: str, ci: str, color: str, use_original: bool, use_current: bool
) -> int:
    """Continue a run that was interrupted, suspended or stopped: forward, or with its rollback.

    \b
      taskrun resume                 the latest run
      taskrun resume 1m86c361jrxg8   this one
      taskrun resume --use-current   after mending what failed in the file
    """
    if use_original and use_current:
        raise UsageError("--use-original or --use-current, not both")
    row = find_free(run)
    if is_ended(row):
        click.echo(f"run {row.id} has ended: {row.state}. There is nothing to resume.", err=True)
        return row.exit_code if row.exit_code is not None else ENDED[row.state]
    current = None
    if not use_original:
        from taskrun.cli.changed import current_of, refuse_changed  # noqa: PLC0415 - not for whoever is refused

        if use_current:
            current = current_of(row)
        else:
            refuse_changed(row)
    return _resume(row, jobs or 0, (output, color, row.file, ci), current)


def _resume(row: RunRow, jobs: int, look: tuple[str, str, str, str], current: "Current | None") -> int:
    # Whoever is refused above need not wait for all this to be loaded.
    from taskrun.app.base import RunOptions  # noqa: PLC0415
    from taskrun.cli import approving, asking  # noqa: PLC0415
    from taskrun.cli.continuing import go_on  # noqa: PLC0415
    from taskrun.cli.continuing import resume as going_on  # noqa: PLC0415
    from taskrun.cli.output import Output  # noqa: PLC0415

    shown, options = Output(*look), RunOptions(jobs)
    outcome = go_on(row, going_on, "resume", shown, options, current=current)
    if not shown.for_programs:
        for attend in (approving.attend, asking.attend):
            outcome = attend(outcome, lambda event, verb: go_on(row, event, verb, shown, options))
    return outcome.exit_code
