"""``taskrun doctor``."""

import json

import click

from taskrun.cli.options import color_option
from taskrun.journal.home import home
from taskrun.listeners.screen import COLOURS, FAINT, style_for

STDOUT = 1
_SIGNS = {"good": ("SUCCESS", "ok"), "note": ("RETRYING", "note"), "bad": ("FAILURE", "BAD")}


@click.command("doctor")
@click.option(
    "-o",
    "--output",
    metavar="HOW",
    type=click.Choice(["plain", "json"]),
    default="plain",
    help="plain or json.",
)
@color_option
def command(output: str, color: str) -> int:
    """Check what taskrun needs on this machine, and the state it keeps.

    \b
      taskrun doctor
      taskrun doctor -o json   for programs

    The exit code is 1 if something is in the way.
    """
    from taskrun.drivers.checkup import BAD, findings  # noqa: PLC0415 - imports most of taskrun

    found = []
    style = style_for(STDOUT, color)
    for each in findings(home()):
        found.append(each)
        if output == "plain":
            state, word = _SIGNS[each.verdict]
            click.echo(f"  {style.paint(COLOURS[state], word.ljust(4))}  {each.what:<9}  {each.message}")
            if each.help:
                click.echo(f"                   {style.paint(FAINT, each.help)}")
    if output == "json":
        click.echo(json.dumps([each._asdict() for each in found], indent=2))
    return 1 if any(each.verdict == BAD for each in found) else 0
