"""``taskrun validate FILE...``."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from taskrun.errors import WorkflowError


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["plain", "json"]),
    default="plain",
    help="For people, or one JSON list.",
)
def command(files: tuple[str, ...], strict: bool, output: str) -> int:
    """Say everything that is wrong with workflow files, without running them.

    \b
      taskrun validate deploy.yaml
      taskrun validate --strict --output json workflows/*.yaml
    """
    from taskrun.spec.compiler import compile_file  # noqa: PLC0415 - yaml and pydantic

    found: list[Any] = []
    sources: dict[str, str] = {}
    bad = 0
    for path in files:
        try:
            compiled = compile_file(path, strict=strict)
        except WorkflowError as error:
            bad += 1
            found += error.diagnostics
            sources.update(getattr(error, "sources", {}))
            continue
        found += compiled.diagnostics
        sources[path] = compiled.text
        if output == "plain" and not compiled.diagnostics:
            count = len(compiled.definition["tasks"])
            click.echo(f"{path}: ok, {count} task{'s' if count != 1 else ''}")
    if output == "json":
        import json  # noqa: PLC0415

        click.echo(json.dumps([each.to_dict() for each in found], indent=2))
    elif found:
        show_problems(found, sources, err=False)
    return 2 if bad else 0


def show_problems(
    diagnostics: Iterable[Any], sources: Mapping[str, str] | None = None, *, err: bool = True
) -> None:
    """Print diagnostics as a compiler does, with the lines they are about."""
    from taskrun.spec.diagnostics import render_plain  # noqa: PLC0415 - only when there is something to say

    texts = dict(sources or {})
    stream = sys.stderr if err else sys.stdout
    stream.write(render_plain(diagnostics, texts) + "\n")
    stream.flush()
