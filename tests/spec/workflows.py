"""Compiles snippets of workflows, and shows what is wrong with them in a form that is easy to compare."""

from typing import NamedTuple

from taskrun.errors import WorkflowError
from taskrun.spec.compiler import compile_text


class Found(NamedTuple):
    id: str
    line: int
    column: int
    length: int
    message: str
    help: str | None
    severity: str


def definition(text, **options):
    return compile_text(text.encode(), "/w/flow.yaml", **options).definition


def task(text, index=0, **options):
    return definition(text, **options)["tasks"][index]


def found(text, **options):
    try:
        diagnostics = compile_text(text.encode(), "/w/flow.yaml", **options).diagnostics
    except WorkflowError as error:
        diagnostics = error.diagnostics
    return [Found(d.id, d.line, d.column, d.length, d.message, d.help, d.severity) for d in diagnostics]


def ids(text, **options):
    return [one.id for one in found(text, **options)]


def one(text, **options):
    """The only finding, and the words it points at."""
    findings = found(text, **options)
    assert len(findings) == 1, findings
    line = text.split("\n")[findings[0].line - 1]
    start = findings[0].column - 1
    return findings[0], line[start : start + findings[0].length]


def of_task(lines, head="name: f"):
    """A workflow of one task ``t`` with some lines."""
    body = "".join(f"    {line}\n" for line in lines.strip("\n").split("\n"))
    return f"{head}\ntasks:\n  - name: t\n{body}"
