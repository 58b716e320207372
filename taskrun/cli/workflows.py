"""From a path to a compiled workflow, with its warnings shown."""

import os
from collections.abc import Mapping
from typing import Any

from taskrun import debugging
from taskrun.cli.given import parse_inputs, read_inputs_file
from taskrun.journal.home import home
from taskrun.spec import cache


def load_definition(
    path: str, *, strict: bool = False, allow_outside: bool = False, quiet: bool = False
) -> tuple[dict[str, Any], str]:
    """The definition and the text of a workflow file. WorkflowError has all its mistakes."""
    folder = f"{home()}/cache"
    found = cache.find(folder, path)
    if debugging.listeners:
        debugging.say("cache", f"{path}: {'compiled anew' if found is None else 'as it was compiled before'}")
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


def given_inputs(
    definition: Mapping[str, Any], inputs: tuple[str, ...], inputs_file: str | None
) -> dict[str, Any]:
    """The value of every input, with what was given on the command line. UsageError names all that is wrong."""
    from taskrun.spec.inputs import resolve_inputs  # noqa: PLC0415

    given = {**read_inputs_file(inputs_file), **parse_inputs(inputs)}
    return resolve_inputs(definition, _from_here(definition, given), os.environ)


def _from_here(definition: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A path typed on the command line means a place seen from there; one in the file, from the file."""
    declared = definition.get("inputs", {})
    return {
        name: os.path.abspath(value)
        if isinstance(value, str) and value and declared.get(name, {}).get("type") == "path"
        else value
        for name, value in given.items()
    }
