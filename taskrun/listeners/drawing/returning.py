"""The way a rollback would take through a workflow: against every arrow, but not past a point of no return."""

from collections.abc import Mapping, Sequence
from typing import Any

Plain = Mapping[str, Any]


def goes_back(diagram: Plain, before: Sequence[Any]) -> bool:
    """Whether a rollback goes on into what stands ``before`` an arrow. Of a run it is drawn as it was instead."""
    if diagram["run"] is not None:
        return False
    waiting = [tuple(before)]
    while waiting:
        kind, which = waiting.pop()
        if kind == "flow":
            waiting += [tuple(child) for child in diagram["flows"][which]["children"]]
        elif diagram["tasks"][which].get("pivot"):
            return False
    return True
