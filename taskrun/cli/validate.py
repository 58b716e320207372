"""``taskrun validate FILE...``."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from taskrun.cli.options import ci_option, color_option, outside_option
from taskrun.cli.which_ci import which_ci
from taskrun.errors import WorkflowError
from taskrun.listeners.outlet import show
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import BOLD, FAINT, style_for
from taskrun.listeners.words import counted

STDOUT, STDERR = 1, 2
PAINT = {"error": "1;31", "warning": "1;33", "message": BOLD, "gutter": FAINT, "help": "36"}


@click.command("validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option(
    "-o",
    "--output",
    metavar="HOW",
    type=click.Choice(["plain", "json", "codequality"]),
    default="plain",
    help="plain (for people), json (one list) or codequality (GitLab's report).",
)
@ci_option
@color_option
@outside_option
def command(
    files: tuple[str, ...], strict: bool, output: str, ci: str, color: str, allow_outside: bool
) -> int:
    """Say everything that is wrong with workflow files, without running them.

    \b
      taskrun validate deploy.yaml
      taskrun validate --strict workflows/*.yaml
      taskrun validate -o json deploy.yaml

    The exit code is 0 when all files can be run, 2 when not.
    """
    from taskrun.spec.compiler import compile_file  # noqa: PLC0415 - yaml and pydantic

    found: list[Any] = []
    bad = 0
    for path in files:
        count = None
        try:
            compiled = compile_file(path, strict=strict, allow_outside=allow_outside)
        except WorkflowError as error:
            bad += 1
            diagnostics, sources = error.diagnostics, getattr(error, "sources", {})
        else:
            diagnostics, sources = tuple(compiled.diagnostics), compiled.sources
            count = len(compiled.definition["tasks"])
        found += diagnostics
        if output == "plain":
            if diagnostics:
                show_problems(diagnostics, sources, err=False, color=color, ci=ci)
                click.echo()
            click.echo(f"{one_line(path)}: {_verdict(diagnostics, count)}")
    if output != "plain":
        import json  # noqa: PLC0415

        report = [each.to_dict() for each in found] if output == "json" else _code_quality(found)
        click.echo(json.dumps(report, indent=2))
    return 2 if bad else 0


def _code_quality(found: Sequence[Any]) -> list[dict[str, Any]]:
    """What GitLab shows in a merge request, at the lines of its files; their paths are those of the repository."""
    from taskrun.cli.ci_problems import fingerprints, seen_from_workspace  # noqa: PLC0415 - seldom asked for

    return [
        {
            "description": each.message + (f" ({each.help})" if each.help else ""),
            "check_name": each.id,
            "fingerprint": own,
            "severity": "major" if each.severity == "error" else "minor",
            "location": {"path": seen_from_workspace(each.path), "lines": {"begin": max(each.line, 1)}},
        }
        for each, own in zip(found, fingerprints(found), strict=True)
    ]


def _verdict(diagnostics: Sequence[Any], tasks: int | None) -> str:
    errors = sum(each.severity == "error" for each in diagnostics)
    warnings = len(diagnostics) - errors
    parts = [] if tasks is None else ["ok", counted(tasks, "task")]
    parts += [counted(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number]
    return ", ".join(parts)


def show_problems(
    diagnostics: Iterable[Any],
    sources: Mapping[str, str] | None = None,
    *,
    err: bool = True,
    color: str = "auto",
    ci: str = "auto",
) -> None:
    """Print diagnostics as a compiler does, with the lines they are about; in a CI as annotations, too."""
    from taskrun.spec.diagnostics import render_plain  # noqa: PLC0415 - only when there is something to say

    style = style_for(STDERR if err else STDOUT, color)
    text = render_plain(diagnostics, dict(sources or {}), lambda part, words: style.paint(PAINT[part], words))
    text += "\n"
    kind = which_ci(ci)
    if kind == "github":
        from taskrun.cli.ci_problems import with_annotations  # noqa: PLC0415 - only in a CI

        text = with_annotations(text, diagnostics)
    if err:
        show(text, STDERR)  # what cannot be said there is no reason not to go on
    else:
        click.echo(text, nl=False, color=True)  # click would take away what the style has decided
