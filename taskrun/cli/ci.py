"""What a run leaves in a CI besides its log: annotations at the lines of a file, a summary of the step, its outputs.

Nothing here changes how a run ends: what cannot be written is a warning.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from taskrun.app.base import Displayed, Outcome
from taskrun.cli.ci_problems import Place, annotation
from taskrun.cli.found import open_journal
from taskrun.cli.runner import is_listening
from taskrun.listeners.ci.commands import file_value, harmless
from taskrun.listeners.ci.sections import Folding, GitHub, GitLab, Sections
from taskrun.listeners.outlet import show
from taskrun.listeners.verdict import verdict
from taskrun.listeners.words import why

STDOUT, STDERR = 1, 2
LARGEST_SUMMARY = 1000 * 1000  # bytes; GitHub refuses more than 1 MiB
_MOST_ANNOTATIONS = 10  # of a step; GitHub shows no more


def sections(kind: str, shown: Displayed, *, ascii_only: bool) -> Sections:
    folding: Folding = GitHub() if kind == "github" else GitLab()
    return Sections(
        STDOUT,
        shown.view,
        folding,
        f"{shown.run_dir}/out",
        hide=shown.hide,
        secret_values=shown.secret_values if is_listening() else tuple,
        ascii_only=ascii_only,
    )


def finish(kind: str, outcome: Outcome, last_words: str) -> None:
    """All in one stream, so that it stays in order."""
    if kind != "github":
        show(last_words, STDOUT)
        return
    show(harmless(last_words) + "".join(_annotations(outcome)), STDOUT)
    for variable, text in (("GITHUB_STEP_SUMMARY", _summary), ("GITHUB_OUTPUT", _outputs)):
        path = os.environ.get(variable)
        if path:
            try:
                with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(text(outcome))
            except OSError as error:
                show(f"warning: {variable} cannot be written: {error.strerror}\n", STDERR)


def _annotations(outcome: Outcome) -> Iterable[str]:
    view = outcome.view
    with closing(open_journal()) as journal:
        places = _places(journal.definition(outcome.run_id))
    stuck = [(name, "not undone", view.index[name].revert_failure) for name in view.revert_failed]
    unknown = [(name, "unknown outcome", view.index[name].failure) for name in view.unknown]
    failed = [(name, "failed", view.index[name].failure) for name in view.failed]
    for name, what, failure in (*failed, *stuck, *unknown)[:_MOST_ANNOTATIONS]:
        place = places.get(name.rpartition("].")[2].partition("[")[0])
        yield annotation("error", f"{name} {what}", why(failure) or view.index[name].reason or what, place)
    for name in view.tolerated[:_MOST_ANNOTATIONS]:
        yield annotation(
            "warning", f"{name} failed, which is allowed", why(view.index[name].failure), places.get(name)
        )


def _places(definition: Mapping[str, Any]) -> dict[str, Place]:
    """By task; a flow that came from another file says from which."""
    flows = definition["flows"]
    files: list[str] = []
    for flow in flows:
        above = files[flow["parent"]] if flow["parent"] >= 0 else definition.get("file", "")
        files.append(flow.get("file", above))
    return {
        task["name"]: Place(files[task["flow"]], task.get("line", 0), task.get("column", 0))
        for task in definition["tasks"]
    }


def _summary(outcome: Outcome) -> str:
    from taskrun.cli.report import facts_of  # noqa: PLC0415 - only where somebody reads it
    from taskrun.listeners.report.markdown import markdown  # noqa: PLC0415

    text = markdown(facts_of(outcome.run_id))
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= LARGEST_SUMMARY:
        return text + "\n"
    return data[:LARGEST_SUMMARY].decode("utf-8", "ignore").rpartition("\n")[0] + "\n\n(cut here)\n"


def _outputs(outcome: Outcome) -> str:
    view = outcome.view
    said = "everything is done" if view.state == "SUCCESS" else verdict(view)
    values = {
        "run_id": outcome.run_id,
        "state": view.state,
        "exit_code": str(outcome.exit_code),
        "outcome": said,
    }
    return "".join(file_value(name, value) for name, value in values.items())
