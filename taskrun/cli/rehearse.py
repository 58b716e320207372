"""``taskrun rehearse FILE``."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import click

from taskrun.app.shared import shared_names
from taskrun.cli.options import color_option, input_option, inputs_file_option
from taskrun.listeners.screen import is_terminal, size, style_for

STDOUT = 1
WITHOUT_TERMINAL = 120  # columns


@click.command("rehearse")
@click.argument("file", type=click.Path())
@click.option("--kill", is_flag=True, help="Also kill taskrun during every task and every undo.")
@click.option("--simulate", is_flag=True, help="Run nothing: play it with the simulator.")
@click.option(
    "--path",
    "paths",
    metavar="PATH",
    multiple=True,
    type=click.Path(),
    help="Copy only this, not the workflow's folder; repeatable.",
)
@click.option("--junit", metavar="FILE", type=click.Path(dir_okay=False), help="Write the results for CI.")
@input_option
@inputs_file_option
@color_option
def command(
    file: str,
    kill: bool,
    simulate: bool,
    paths: tuple[str, ...],
    junit: str | None,
    inputs: tuple[str, ...],
    inputs_file: str | None,
    color: str,
) -> int:
    """Fail at every task in turn, in a scratch copy, and see whether all is undone.

    \b
      taskrun rehearse deploy.yaml
      taskrun rehearse deploy.yaml --kill --junit rehearsal.xml
      taskrun rehearse deploy.yaml --simulate

    The copy is of the workflow's folder, and of what its path inputs name. What a task does
    elsewhere (a service, a database) it really does. The exit code is 1 if the world was not as
    before after any of the rehearsals.
    """
    from taskrun.cli.workflows import given_inputs, load_definition  # noqa: PLC0415 - seldom needs YAML
    from taskrun.drivers.rehearsal.cases import cases  # noqa: PLC0415

    definition, _ = load_definition(file)
    resolved = given_inputs(definition, inputs, inputs_file)
    played = cases(definition, kill=kill)
    style, columns = style_for(STDOUT, color), size(STDOUT)[0] if is_terminal(STDOUT) else WITHOUT_TERMINAL
    width = min(max(len(case.title) for case in played), columns // 2)
    if simulate:
        results: Iterator[Any] = _simulated(definition, resolved, played)
    else:
        _say_what_is_outside(definition)
        results = _played(file, definition, resolved, paths, played)
    from taskrun.listeners import rehearsal  # noqa: PLC0415 - after the file has compiled

    found = []
    for result in results:
        found.append(result)
        click.echo("\n".join(rehearsal.result_lines(result, style, width, columns)))
        sys.stdout.flush()
    click.echo("\n" + rehearsal.summary_line(found, style))
    if found[0].problem and not found[0].differences:
        words = "It does not work in the copy: give inputs (-i) that do, or say what to copy (--path)."
        click.echo(words, err=True)
    if junit is not None:
        with open(junit, "w", encoding="utf-8", errors="backslashreplace") as report:
            report.write(rehearsal.junit(definition["name"], found))
    return 0 if all(result.is_good for result in found) else 1


def _simulated(definition: dict[str, Any], inputs: dict[str, Any], played: list[Any]) -> Iterator[Any]:
    from taskrun.drivers.rehearsal.simulated import rehearse  # noqa: PLC0415 - not when it is done for real

    shared = shared_names(definition, inputs, "", time.time(), None)
    yield from rehearse(definition, shared, played)


def _played(
    file: str, definition: dict[str, Any], inputs: dict[str, Any], paths: tuple[str, ...], played: list[Any]
) -> Iterator[Any]:
    from taskrun.cli.rehearsing import Stage  # noqa: PLC0415 - not when it is simulated
    from taskrun.drivers.rehearsal.scratch import Scratch  # noqa: PLC0415
    from taskrun.spec.compiler import compile_file  # noqa: PLC0415

    path = os.path.realpath(file)
    with tempfile.TemporaryDirectory(prefix="taskrun-rehearsal-", ignore_cleanup_errors=True) as root:
        scratch = Scratch(root, os.path.dirname(path), path, paths)
        declared = definition.get("inputs", {})
        given = {
            name: scratch.redirect(value) if declared.get(name, {}).get("type") == "path" else value
            for name, value in inputs.items()
        }
        scratch.lay()
        compiled = compile_file(scratch.file)
        stage = Stage(scratch, compiled.definition, compiled.text, given)
        for case in played:
            yield stage.play(case)


def _say_what_is_outside(definition: dict[str, Any]) -> None:
    from taskrun.drivers.rehearsal.cases import outside  # noqa: PLC0415

    names = outside(definition)
    if names:
        shown = ", ".join(names[:10]) + (" and more" if len(names) > 10 else "")
        text = f"note: what these do is really done, each time: {shown} (--simulate runs nothing)"
        click.echo(text, err=True)
