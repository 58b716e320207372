"""``taskrun revert RUN``."""

from typing import TYPE_CHECKING, Any

import click

from taskrun.cli.found import find_free
from taskrun.cli.options import ci_option, color_option, jobs_option, output_option
from taskrun.errors import NotFoundError, UsageError
from taskrun.journal.base import RunRow
from taskrun.journal.home import home, run_dir

if TYPE_CHECKING:
    from taskrun.app.base import Outcome, Verdict
    from taskrun.engine import events as e
    from taskrun.engine.flow import Flow

RESIDUE = 3  # everything is undone, but a check after that found something left: it is made again


@click.command("revert")
@click.argument("run", default="latest")
@click.option("--to", "savepoint", metavar="SAVEPOINT", help="Undo only what came after this savepoint.")
@click.option("--retry", is_flag=True, help="Try the undos again that failed, and nothing else.")
@click.option(
    "--skip",
    "skipped",
    metavar="TASK",
    multiple=True,
    help="Give up this undo, which failed: the task stays applied, what it depended on is undone; repeatable.",
)
@click.option("--reason", metavar="TEXT", help="Why it is given up; kept in the run's history.")
@click.option("--force", is_flag=True, help="Also behind the point of no return.")
@jobs_option
@output_option
@ci_option
@color_option
def command(
    run: str,
    savepoint: str | None,
    retry: bool,
    skipped: tuple[str, ...],
    reason: str | None,
    force: bool,
    jobs: int | None,
    output: str,
    ci: str,
    color: str,
) -> int:
    """Undo what a run has done: of a failed run, an interrupted one, or one that succeeded.

    \b
      taskrun revert                     all of the latest run
      taskrun revert 1m86c361 --to data  back to a savepoint, from where
                                         `taskrun resume` goes forward again
      taskrun revert --skip mail --reason "the server is gone"

    Undos that failed before are tried again. The exit code is 0 when everything is undone, 3 when not.
    """
    _check(savepoint, retry, skipped, reason, force)
    row = find_free(run)
    if row.state == "PENDING":
        from taskrun.app.witness import hear  # noqa: PLC0415 - for this rare case alone

        hear(row.id, run_dir(home(), row.id), ())
        click.echo(f"run {row.id} was interrupted before it began: there is nothing to undo.", err=True)
        return 0
    if row.state == "REVERTED" and row.exit_code not in (None, RESIDUE):
        click.echo(f"run {row.id} is REVERTED: everything is undone already.", err=True)
        return 0

    data: dict[str, Any] = {"reason": reason, "message": f"its undo is given up: {reason}"}
    wish = {"force": force, "failed_only": retry}
    verdicts: list[Verdict] = [(task, "skip", data) for task in skipped]
    outcome = _revert(row, savepoint, wish, verdicts, jobs, (output, color, row.file, ci))
    return _code(outcome, to_savepoint=savepoint is not None)


def _revert(
    row: RunRow,
    savepoint: str | None,
    wish: dict[str, bool],
    verdicts: "list[Verdict]",
    jobs: int | None,
    look: tuple[str, str, str, str],
) -> "Outcome":
    # Whoever is refused above need not wait for all this to be loaded.
    from taskrun.app.base import RunOptions  # noqa: PLC0415
    from taskrun.cli.continuing import go_on  # noqa: PLC0415
    from taskrun.cli.output import Output  # noqa: PLC0415
    from taskrun.engine.events import RevertRequested  # noqa: PLC0415

    def event(flow: "Flow", at: float) -> "e.Event":
        floor = None if savepoint is None else _savepoint(flow, savepoint)
        return RevertRequested(at, floor, **wish)

    shown, options = Output(*look), RunOptions(jobs or 0)
    return go_on(row, event, "revert", shown, options, verdicts)


def _check(
    savepoint: str | None, retry: bool, skipped: tuple[str, ...], reason: str | None, force: bool
) -> None:
    if skipped and not (reason or "").strip():
        raise UsageError("--skip needs a --reason: who reads the history wants to know why")
    if reason and not skipped:
        raise UsageError("--reason goes with --skip only")
    if retry and (savepoint or skipped or force):
        raise UsageError("--retry goes alone: it only tries the undos again that failed")


def _code(outcome: "Outcome", *, to_savepoint: bool) -> int:
    """What was asked for is the undoing: that everything is undone is a success here."""
    state = outcome.view.state
    undone = state == "REVERTED" and not outcome.view.residue
    reached = to_savepoint and state == "SUSPENDED"
    return 0 if (undone or reached) and not outcome.left else outcome.exit_code


def _savepoint(flow: "Flow", name: str) -> int:
    for node in flow.tasks:
        if flow.names[node] == name:
            return node
    raise NotFoundError(f"the workflow has no savepoint {name!r}")
