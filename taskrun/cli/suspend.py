"""``taskrun suspend RUN``."""

import click

from taskrun.cli.requests import ask


@click.command("suspend")
@click.argument("run", default="latest")
@click.option("--reason", default="", help="Kept in the run's history.")
def command(run: str, reason: str) -> int:
    """Stop a run that another process drives, once the tasks under way have ended.

    \b
      taskrun suspend --reason "window is over"
      taskrun resume                              goes on with it
    """
    return ask(
        run, "suspend", reason, "will stop when what runs has ended", "taskrun resume {id} continues it"
    )
