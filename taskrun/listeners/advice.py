"""The commands to type after a run, each whole and safe to paste, with what it is for.

The ending and the report say the same, so they ask here.
"""

from collections.abc import Iterator
from typing import NamedTuple

from taskrun.engine.view import View
from taskrun.listeners.verdict import in_doubt, is_past_pivot, mendable, still_applied, unapproved, was_left

_EACH = 3  # tasks of a kind that get commands of their own; the names of all are in the lists


class Advice(NamedTuple):
    """``urgent``: the world is not as it should be until a person has done this, or something like it."""

    command: str
    purpose: str
    urgent: bool


def advice(view: View, run: str) -> list[Advice]:
    """What to do first comes first."""
    return [] if view.state == "SUCCESS" else [*_needed(view, run), *_possible(view, run)]


def _word(name: str) -> str:
    """As a shell takes it for one word: the brackets of an item would be a pattern."""
    return f"'{name}'" if "[" in name else name


def _needed(view: View, run: str) -> Iterator[Advice]:
    if was_left(view):
        return  # nothing is decided before somebody goes on with it
    if view.residue:
        yield Advice(f"revert {run}", "look again, once it is cleaned up", urgent=True)
    again = mendable(view)
    if again:
        yield Advice(f"revert {run}", "try again, then undo the rest", urgent=True)
    for name in again[:_EACH]:
        purpose = "or give it up, undo the rest"
        yield Advice(f"revert {run} --skip {_word(name)} --reason WHY", purpose, urgent=True)
    for name in view.revert_failed[:_EACH]:
        yield Advice(f"resolve {run} {_word(name)} --undone", "once undone by hand", urgent=True)
    for name in unapproved(view)[:_EACH]:
        yield Advice(f"resolve {run} {_word(name)} --done && taskrun resume {run}", "approve", urgent=True)
    for name in in_doubt(view)[:_EACH]:
        purpose = "look first; or --not-done, --undone"
        yield Advice(f"resolve {run} {_word(name)} --done", purpose, urgent=True)


def _revert(view: View, run: str, *, left: bool) -> Advice:
    if not view.rolling and is_past_pivot(view):
        return Advice(f"revert {run} --force", "undo it, behind the point of no return", urgent=False)
    is_open = in_doubt(view) and not left
    purpose = "undo, once that is decided" if is_open else "undo what is still applied"
    return Advice(f"revert {run}", purpose, urgent=False)


def _possible(view: View, run: str) -> Iterator[Advice]:
    left = was_left(view)
    if left or (view.state == "SUSPENDED" and not unapproved(view)):
        purpose = "go on, once that is decided" if in_doubt(view) and not left else "go on where it stopped"
        yield Advice(f"resume {run}", purpose, urgent=False)
    if view.state not in ("REVERTED", "SUCCESS") and still_applied(view) and (left or not mendable(view)):
        yield _revert(view, run, left=left)
    broken = [name for name in view.revert_failed if view.index[name].revert != "impossible"]
    for name in dict.fromkeys(view.failed[:1] + broken[:1]):
        yield Advice(f"logs {run} {_word(name)}", "all of its output", urgent=False)
