"""``taskrun config show`` and ``taskrun config path``."""

import json
import os

import click

from taskrun.cli.settings import KEYS, Found, Settings, user_file, variable
from taskrun.spec.spelling import nearest

_UNSET = {"jobs": "the number of cores", "log_file": "none", "home": "the platform's directory for state"}

# Variables of taskrun that are no settings: those that a task finds, and the file to read.
_OTHERS = (
    "TASKRUN_CONFIG", "TASKRUN_RUN_ID", "TASKRUN_TASK", "TASKRUN_ATTEMPT", "TASKRUN_OUTPUT", "TASKRUN_STATUS",
    "TASKRUN_IDEMPOTENCY_KEY",
)  # fmt: skip


@click.group("config", context_settings={"max_content_width": 80})
def command() -> None:
    """Show the settings that hold here, and where they come from.

    \b
      taskrun config show --origin
      taskrun config path            the files that are looked for

    An option on the command line counts first, then a variable TASKRUN_NAME,
    then the project's file (the nearest taskrun.toml, or pyproject.toml with
    [tool.taskrun], upwards from the workflow), then the user's file.
    """


@command.command("show")
@click.argument("file", required=False, type=click.Path())
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@click.option(
    "-o",
    "--output",
    metavar="HOW",
    type=click.Choice(["plain", "json"]),
    default="plain",
    help="plain or json.",
)
def show(file: str | None, origin: bool, output: str) -> int:
    """Show every setting: for a workflow FILE, or for this folder.

    \b
      taskrun config show
      taskrun config show deploy/release.yaml --origin
    """
    settings = _settings(file)
    found = {key: _found(settings, key) for key in KEYS}
    _warn_of_variables()
    if output == "json":
        shown = {k: {"value": f.value, "origin": f.origin, "where": f.where} for k, f in found.items()}
        click.echo(json.dumps(shown, indent=2))
        return 0
    said = {key: _said(key, each) for key, each in found.items()}
    widths = max(map(len, KEYS)), max(map(len, said.values()))
    for key, each in found.items():
        line = f"{key.ljust(widths[0])}  {said[key].ljust(widths[1])}"
        where = f"{each.origin} {each.where}" if origin else ""
        click.echo(f"{line}  {where}".rstrip())
    return 0


@command.command("path")
@click.argument("file", required=False, type=click.Path())
def path(file: str | None) -> int:
    """Show the files: for a workflow FILE, or for this folder.

    \b
      taskrun config path
    """
    settings = _settings(file)
    given = os.environ.get("TASKRUN_CONFIG")
    if given:
        click.echo(f"instead of both  {given}  (TASKRUN_CONFIG)")
        return 0
    project, user = settings.project_file(), user_file()
    click.echo(f"project  {project or 'none: no taskrun.toml, and no pyproject.toml with [tool.taskrun]'}")
    missing = "" if user and os.path.isfile(user) else "  (there is none yet)"
    click.echo(f"user     {user}{missing}")
    return 0


def _warn_of_variables() -> None:
    """What looks like a setting and is none does nothing: better said where somebody looks for it."""
    known = {variable(key) for key in KEYS}
    for name in sorted(os.environ):
        if name.startswith("TASKRUN_") and name not in known and name not in _OTHERS:
            near = nearest(name.removeprefix("TASKRUN_").lower(), KEYS)
            if near:
                click.echo(f"warning: {name} is no setting: did you mean {variable(near)}?", err=True)


def _settings(file: str | None) -> Settings:
    return Settings(os.path.dirname(os.path.abspath(file)) if file else os.getcwd())


def _found(settings: Settings, key: str) -> Found:
    return settings.find(key) or Found(KEYS[key].default, "default")


def _said(key: str, found: Found) -> str:
    if found.value is None:
        return f"({_UNSET[key]})"
    return str(found.value).lower() if isinstance(found.value, bool) else str(found.value)
