"""From a path to a compiled workflow, with its warnings shown."""

from typing import Any

from taskrun.cli.validate import show_problems


def load_definition(path: str, *, strict: bool = False, quiet: bool = False) -> tuple[dict[str, Any], str]:
    """The definition and the text of a workflow file. WorkflowError has all its mistakes."""
    from taskrun.spec.compiler import compile_file  # noqa: PLC0415 - yaml and pydantic

    compiled = compile_file(path, strict=strict)
    if compiled.diagnostics and not quiet:
        show_problems(compiled.diagnostics, {path: compiled.text})
    return compiled.definition, compiled.text
