"""``taskrun cancel RUN``."""

import click

from taskrun.cli.requests import ask


@click.command("cancel")
@click.argument("run", default="latest")
@click.option("--reason", default="", help="Kept in the run's history.")
def command(run: str, reason: str) -> int:
    """Stop a run that another process drives, and roll it back.

    \b
      taskrun cancel
      taskrun cancel 1m86c361 --reason "wrong version"
    """
    return ask(
        run, "cancel", reason, "will stop what runs and roll back", "taskrun revert {id} undoes what it did"
    )
