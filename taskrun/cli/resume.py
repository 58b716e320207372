"""``taskrun resume RUN``."""

import click

from taskrun.cli.found import ENDED, changed_file, find_free, is_ended
from taskrun.cli.options import color_option, jobs_option, output_option
from taskrun.errors import RefusedError
from taskrun.journal.base import RunRow
from taskrun.journal.home import home, run_dir


@click.command("resume")
@click.argument("run", default="latest")
@jobs_option
@output_option
@color_option
@click.option("--use-original", is_flag=True, help="Go on with the file as it was, although it has changed.")
def command(run: str, jobs: int | None, output: str, color: str, use_original: bool) -> int:
    """Continue a run that was interrupted, suspended or stopped: forward, or with its rollback.

    \b
      taskrun resume                 the latest run
      taskrun resume 1m86c361jrxg8   this one
    """
    row = find_free(run)
    if is_ended(row):
        click.echo(f"run {row.id} has ended: {row.state}. There is nothing to resume.", err=True)
        return row.exit_code if row.exit_code is not None else ENDED[row.state]
    if not use_original:
        refuse_changed(row)
    return _resume(row, jobs or 0, output, color)


def _resume(row: RunRow, jobs: int, output: str, color: str) -> int:
    # Whoever is refused above need not wait for all this to be loaded.
    from taskrun.app.base import RunOptions  # noqa: PLC0415
    from taskrun.cli.asking import attend  # noqa: PLC0415
    from taskrun.cli.continuing import go_on  # noqa: PLC0415
    from taskrun.cli.output import Output  # noqa: PLC0415
    from taskrun.engine.events import ResumeRequested  # noqa: PLC0415

    shown, options = Output(output, color, row.file), RunOptions(jobs)
    outcome = go_on(row, lambda _flow, at: ResumeRequested(at), "resume", shown, options)
    if not shown.for_programs:
        outcome = attend(outcome, lambda event, verb: go_on(row, event, verb, shown, options))
    return outcome.exit_code


def refuse_changed(row: RunRow) -> None:
    """A run goes on with what it was started with; somebody who edited the file should know."""
    data = changed_file(row)
    if data is None:
        return
    import difflib  # noqa: PLC0415 - seldom needed

    with open(f"{run_dir(home(), row.id)}/workflow.yaml", encoding="utf-8", errors="replace") as file:
        before = file.read()
    lines = difflib.unified_diff(
        before.splitlines(),
        data.decode("utf-8", "replace").splitlines(),
        "as the run was started",
        row.file,
        lineterm="",
    )
    raise RefusedError(
        "\n".join([f"{row.file} has changed since run {row.id} was started:", *lines]),
        hint=f"taskrun resume {row.id} --use-original goes on with the file as it was",
    )
