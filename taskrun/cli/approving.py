"""`approve` at a terminal: the question is put as soon as the run waits for nothing else."""

from taskrun.app.base import Outcome
from taskrun.app.resolving import resolve_task
from taskrun.cli.answers import ask
from taskrun.cli.continuing import GoOn, resume, revert
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import is_terminal

YES, NO, LATER = "yes", "no", "later"
_ANSWERS = {YES: "go on", NO: "undo what was done", LATER: "leave it as it is for now"}


def attend(outcome: Outcome, go_on: GoOn) -> Outcome:
    """Ask for every approval the run is waiting for, as long as somebody is there to answer."""
    while (question := _question(outcome)) is not None:
        task, message = question
        answer = ask(one_line(message), _ANSWERS)
        if answer == LATER:
            return outcome
        if answer == YES:
            resolve_task(
                outcome.run_id, task, "done", {"resolved": "done", "reason": "approved at the terminal"}
            )
            outcome = go_on(resume, "resume")
        else:
            outcome = go_on(revert, "revert")
    return outcome


def _question(outcome: Outcome) -> tuple[str, str] | None:
    if outcome.left or outcome.view.state != "SUSPENDED" or not (is_terminal(0) and is_terminal(2)):
        return None
    for name in outcome.view.unknown:
        failure = outcome.view.index[name].failure or {}
        if failure.get("type") == "Approval":
            return name, str(failure.get("message"))
    return None
