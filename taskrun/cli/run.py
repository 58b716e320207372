"""``taskrun run FILE``."""

from typing import Any

import click

from taskrun.cli.options import (
    ci_option,
    color_option,
    input_option,
    inputs_file_option,
    jobs_option,
    output_option,
    outside_option,
)


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
@click.option("--web", is_flag=True, help="With a page of the run in the browser.")
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
def command(**given: Any) -> int:
    """Run a workflow. If a task fails, everything done so far is undone in reverse order.

    \b
      taskrun run deploy.yaml -i version=1.4.2
      taskrun run deploy.yaml --detach             in the background
      taskrun run deploy.yaml --web                with a page in the browser
      taskrun run deploy.yaml -j 1 -o ndjson       for programs
    """
    from taskrun.cli.running import run  # noqa: PLC0415 - not for its help

    return run(**given)
