"""Compiles a workflow file into a definition: plain data, which is all a run needs.

    loader        bytes -> values with marks
    validation    values -> a document the schema allows, everything else reported
    document      inputs, secrets, settings, notifications
    reusable      the file's own actions
    flows, tasks  the two lists of a definition; calls, reverts, retries below them
    includes      other files as nested flows
    references    the expressions and the names they use
    graph         what comes before what

Every mistake is collected; one error carries them all.

A definition holds durations in seconds, expressions as source (bare where a field is one by nature, with their braces
in texts), and no key that says nothing. Beside what a file says, it has

    inputs["db.n"]        {"fixed": true}: a large input of an included file, settled by who includes it
    secrets["db.token"]   a secret of an included file, with the "dir" of that file where it is another one
    includes              path -> sha256 of every included file
    flows[i]["file"]      the included file this flow came from
    tasks[i]["dir"]       the folder of the task's file, where it is not that of the workflow: its paths start there
    tasks[i]["inputs"]    also the inputs of a reusable action, whose body refers to them as ``self.inputs.NAME``

In expressions of an included file the names are those of the whole run: ``tasks["db.create"].outputs.url``.
"""

import os
from typing import Any, NamedTuple

from taskrun.spec.compiling.assembly import assemble
from taskrun.spec.compiling.includes import Fragment, Includes
from taskrun.spec.compiling.problems import Problems
from taskrun.spec.diagnostics import Diagnostic, InvalidWorkflowError, has_errors, in_order
from taskrun.spec.loader import Loaded, collector_paused, examine
from taskrun.spec.loading.findings import Findings
from taskrun.spec.loading.reading import read_bytes

__all__ = ["FORMAT", "Compiled", "compile_file", "compile_text"]

FORMAT = 1


class Compiled(NamedTuple):
    """``diagnostics`` are warnings: a file with errors raises. ``sources``: the text of every file by its path."""

    definition: dict[str, Any]
    diagnostics: list[Diagnostic]
    text: str
    sources: dict[str, str]


def compile_file(path: str, *, strict: bool = False, allow_outside: bool = False) -> Compiled:
    """Compile the workflow file at a path; raises InvalidWorkflowError with all its mistakes."""
    return compile_text(read_bytes(path, Findings(path)), path, strict=strict, allow_outside=allow_outside)


def compile_text(data: bytes, path: str, *, strict: bool = False, allow_outside: bool = False) -> Compiled:
    """Compile what a file called ``path`` holds.

    Args:
        data: the bytes of the file.
        path: its name in messages; included files are looked for beside it.
        strict: make every warning an error.
        allow_outside: included files may stand outside of the folder of the file that names them.

    """
    with collector_paused():
        loaded = examine(data, path)
        problems = Problems(path, loaded.text, strict=strict)
        problems.take(loaded.diagnostics)
        includes = Includes(path, assemble, strict=strict, allow_outside=allow_outside)
        fragment = assemble(loaded.root, problems, includes)
    diagnostics = in_order(problems.found + includes.found)
    sources = {path: loaded.text, **includes.sources}
    if fragment is None or has_errors(diagnostics):
        raise InvalidWorkflowError(diagnostics, sources)
    return Compiled(_definition(fragment, loaded, includes), diagnostics, loaded.text, sources)


def _definition(fragment: Fragment, loaded: Loaded, includes: Includes) -> dict[str, Any]:
    absolute = os.path.abspath(loaded.path)
    layout, run = fragment.layout, fragment.run
    definition = {
        "format": FORMAT,
        "name": layout.flows[0]["name"],
        "file": absolute,
        "dir": os.path.dirname(absolute),
        "sha256": loaded.sha256,
        **run,
        "inputs": {**run["inputs"], **layout.fixed},
        "secrets": {**run["secrets"], **layout.secrets},
        "flows": layout.flows,
        "tasks": layout.tasks,
    }
    if layout.verify_revert:
        definition["verify_revert"] = [*run.get("verify_revert", ()), *layout.verify_revert]
    if includes.hashes:
        definition["includes"] = includes.hashes
    return definition
