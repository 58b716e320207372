"""What a run has left in the world, in one sentence, and who is concerned: told the same way everywhere.

It says that the world is as before only where the journal proves it: nothing applied, nothing unknown, every task that
was undone had said how, and what the file wants looked at was looked at.
"""

from collections.abc import Sequence

from taskrun.engine.view import View
from taskrun.listeners.words import counted

APPROVAL = "Approval"  # the type of failure of a task that asks a person
UNDER_WAY = ("RUNNING", "REVERTING", "SUSPENDING", "RESUMING", "PENDING")


def was_left(view: View) -> bool:
    """Did its process leave before the end? Only for a run that nobody drives."""
    return view.state in UNDER_WAY or view.checking


def still_applied(view: View) -> list[str]:
    """Done and not undone; apart from the undos that failed."""
    stuck = set(view.revert_failed)
    return [name for name in view.applied if name not in stuck]


def unapproved(view: View) -> list[str]:
    """They wait for somebody's word. Nothing has happened: a run that nobody drives keeps them as UNKNOWN."""
    return [name for name in view.unknown if (view.index[name].failure or {}).get("type") == APPROVAL]


def in_doubt(view: View) -> list[str]:
    """Nobody knows how they ended."""
    waiting = set(unapproved(view))
    return [name for name in view.unknown if name not in waiting]


def is_past_pivot(view: View) -> bool:
    """Is it done what nothing above may be undone after?"""
    return any(view.index[name].pivot and view.index[name].state == "SUCCESS" for name in view.applied)


def mendable(view: View) -> list[str]:
    """Undos that failed and may be tried again."""
    rows = [view.index[name] for name in view.revert_failed]
    return [row.name for row in rows if row.revert != "impossible" and row.given_up is None]


def undeclared(view: View) -> list[str]:
    """Called undone, though nobody said how: there may be something left of them."""
    return [name for name in view.undone if view.index[name].revert == "unstated"]


def verdict(view: View) -> str:
    """The sentence, of a run that did not succeed."""
    if view.state in UNDER_WAY:
        return f"taskrun left while the run was {view.state}; what it had recorded is safe in the journal"
    if view.state == "SUSPENDED":
        waiting = unapproved(view)
        begun = f"{_whose(waiting)} waits for an approval" if len(waiting) == 1 else "nothing runs now"
        return f"{begun}; {_amounts(view) or 'nothing is applied'}"
    if view.applied or view.unknown or view.revert_failed:
        begun = "not fully rolled back" if view.rolling else "not rolled back"
        return f"{begun}: {_amounts(view)}"
    return _after_rollback(view)


def _after_rollback(view: View) -> str:
    nameless = undeclared(view)
    if view.checking:
        return "rolled back, but taskrun left before the checks after that were over"
    if view.residue:
        found = f"{len(view.residue):,} of {counted(view.checks, 'check')}"
        return f"rolled back, but {found} found something left: the world is not as before"
    if nameless:
        return f"rolled back, but for what {_whose(nameless)} may have left: no undo is declared"
    if view.state == "REVERTED" or not view.undone:
        begun = "rolled back" if view.undone else "nothing was applied"
        checked = f", and {counted(view.checks, 'check')} found nothing left" if view.checks else ""
        return f"{begun}{checked}: the world is as before"
    return "rolled back: nothing is applied any more"


def _amounts(view: View) -> str:
    parts = [
        (len(still_applied(view)), "still applied"),
        (len(view.revert_failed), "could not be undone"),
        (len(in_doubt(view)), "with an unknown outcome"),
    ]
    if len(unapproved(view)) > 1:
        parts.append((len(unapproved(view)), "waiting for an approval"))
    return ", ".join(f"{counted(number, 'task')} {words}" for number, words in parts if number)


def _whose(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names):,} tasks"
