"""From a path to a compiled workflow, with its warnings shown."""

from typing import Any

from taskrun.journal.home import home
from taskrun.spec import cache


def load_definition(
    path: str, *, strict: bool = False, allow_outside: bool = False, quiet: bool = False
) -> tuple[dict[str, Any], str]:
    """The definition and the text of a workflow file. WorkflowError has all its mistakes."""
    folder = f"{home()}/cache"
    found = cache.find(folder, path)
    if found is not None:
        return found
    from taskrun.spec.compiler import compile_file  # noqa: PLC0415 - yaml and pydantic

    compiled = compile_file(path, strict=strict, allow_outside=allow_outside)
    if not compiled.diagnostics:
        if not allow_outside:  # what is kept is believed without asking again
            cache.keep(folder, path, compiled.text, compiled.definition)
    elif not quiet:
        from taskrun.cli.validate import show_problems  # noqa: PLC0415 - there is something to say

        show_problems(compiled.diagnostics, compiled.sources)
    return compiled.definition, compiled.text
