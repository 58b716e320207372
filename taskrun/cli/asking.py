"""`on_failure: ask`: what is to become of a failed run, asked at the terminal once nothing of it runs any more."""

from taskrun.app.base import Outcome
from taskrun.cli.answers import ask
from taskrun.cli.continuing import GoOn, resume, revert
from taskrun.cli.found import open_journal
from taskrun.listeners.screen import is_terminal

REVERT, RETRY, STOP = "revert", "retry", "stop"
_CHOICES = {
    REVERT: "undo what it did",
    RETRY: "try again what failed, and go on",
    STOP: "leave it as it is for now",
}


def attend(outcome: Outcome, go_on: GoOn) -> Outcome:
    """Ask, and do what is wanted, until the run needs no answer or nobody is there to give one."""
    while _waits_for_answer(outcome):
        wanted = ask("What now?", _CHOICES)
        if wanted == STOP:
            return outcome
        outcome = go_on(revert, "revert") if wanted == REVERT else go_on(resume, "resume")
    return outcome


def _waits_for_answer(outcome: Outcome) -> bool:
    if outcome.left or outcome.view.state != "SUSPENDED" or not outcome.view.failed:
        return False
    if not (is_terminal(0) and is_terminal(2)):
        return False
    journal = open_journal()
    try:
        return bool(journal.definition(outcome.run_id).get("on_failure") == "ask")
    finally:
        journal.close()
