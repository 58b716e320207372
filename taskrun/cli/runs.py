"""``taskrun runs``."""

import json
import time

import click

from taskrun.cli.found import is_held, open_journal
from taskrun.cli.options import color_option, whole_number
from taskrun.journal.codec import timestamp
from taskrun.listeners.runs import runs_dicts, runs_text, standing
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import is_terminal, size, style_for

STDOUT = 1
_TOLD = 5  # interrupted runs whose command to go on is printed


@click.command("runs")
@click.option(
    "-n",
    "--limit",
    metavar="N",
    callback=whole_number(1_000_000),
    default="20",
    help="The newest N. Default: 20.",
)
@click.option(
    "-o",
    "--output",
    metavar="HOW",
    type=click.Choice(["auto", "plain", "json"]),
    default="auto",
    help="plain or json. auto: a table on a terminal, else plain.",
)
@color_option
def command(limit: int, output: str, color: str) -> int:
    """List the runs, the newest first, each with the commands that went on with it below.

    \b
      taskrun runs
      taskrun runs -n 100 -o json

    INTERRUPTED means that a run was under way, and no process drives it any more: `taskrun resume` goes on with it.
    """
    journal = open_journal()
    try:
        rows = journal.runs(limit)
        later = journal.continuations([row.id for row in rows])
    finally:
        journal.close()
    if output == "json":
        click.echo(json.dumps(runs_dicts(rows, is_held, timestamp, later), indent=2))
        return 0
    if not rows:
        click.echo("There is no run yet. Make a first one: taskrun run FILE", err=True)
        return 0
    columns = size(STDOUT)[0] if is_terminal(STDOUT) and output != "plain" else None
    style = style_for(STDOUT, color)
    text = runs_text(rows, is_held, time.time(), style, columns=columns, continuations=later)
    click.echo(text, nl=False)
    for row in [row for row in rows if standing(row, is_held) == "INTERRUPTED"][:_TOLD]:
        click.echo(f"taskrun resume {row.id}   continues {one_line(row.name)}", err=True)
    return 0
