"""What a person may ask of a run as it stands."""

from taskrun.engine.view import View
from taskrun.listeners.verdict import mendable, unapproved
from taskrun.web.doors import Plain

SUSPEND, CANCEL, RESUME, REVERT = "suspend", "cancel", "resume", "revert"
RESOLVE, APPROVE, DECLINE, SKIP = "resolve", "approve", "decline", "skip"
REQUESTS = (SUSPEND, CANCEL)
EACH = 50  # tasks that get buttons of their own


def acts(view: View, standing: str, *, driven: bool) -> list[Plain]:
    """Of the run first, then of its tasks; each a verb and, where it is about one, the task."""
    if driven:
        return [{"verb": verb} for verb in _driven(view)]
    found = [{"verb": verb} for verb in _free(view, standing)]
    if standing != "INTERRUPTED":
        found += _of_tasks(view)
    return found


def _driven(view: View) -> list[str]:
    if view.state in ("RUNNING", "RESUMING") or (view.state == "FAILURE" and not view.rolling):
        return [SUSPEND, CANCEL] if view.state != "FAILURE" else [SUSPEND]
    if view.state == "SUSPENDING":
        return [] if view.rolling else [CANCEL]
    return [SUSPEND] if view.state == "REVERTING" else []


def _free(view: View, standing: str) -> list[str]:
    found = []
    if standing == "INTERRUPTED" or (standing == "SUSPENDED" and not unapproved(view)):
        found.append(RESUME)
    undone = view.state in ("PENDING", "REVERTED")
    if view.residue or (not undone and (view.applied or view.unknown or view.revert_failed)):
        found.append(REVERT)
    return found


def _of_tasks(view: View) -> list[Plain]:
    found: list[Plain] = []
    asked = set(unapproved(view))
    for name in view.unknown[:EACH]:
        verbs = (APPROVE, DECLINE) if name in asked else (RESOLVE,)
        found += [{"verb": verb, "task": name} for verb in verbs]
    again = mendable(view) if view.rolling else []
    for name in view.revert_failed[:EACH]:
        found.append({"verb": RESOLVE, "task": name})
        if name in again:
            found.append({"verb": SKIP, "task": name})
    return found
