"""`approve` at a terminal: the question is put as soon as the run waits for nothing else."""

import sys
import termios

from taskrun.app.base import Outcome
from taskrun.app.resolving import resolve_task
from taskrun.cli.continuing import GoOn
from taskrun.engine import events as e
from taskrun.engine.flow import Flow
from taskrun.listeners.sanitize import one_line
from taskrun.listeners.screen import is_terminal

YES, NO, LATER = "yes", "no", "later"


def attend(outcome: Outcome, go_on: GoOn) -> Outcome:
    """Ask for every approval the run is waiting for, as long as somebody is there to answer."""
    while (question := _question(outcome)) is not None:
        task, message = question
        answer = _ask(message)
        if answer == LATER:
            return outcome
        if answer == YES:
            resolve_task(
                outcome.run_id, task, "done", {"resolved": "done", "reason": "approved at the terminal"}
            )
            outcome = go_on(_resume, "resume")
        else:
            outcome = go_on(_revert, "revert")
    return outcome


def _resume(_flow: Flow, at: float) -> e.Event:
    return e.ResumeRequested(at)


def _revert(_flow: Flow, at: float) -> e.Event:
    return e.RevertRequested(at)


def _question(outcome: Outcome) -> tuple[str, str] | None:
    if outcome.left or outcome.view.state != "SUSPENDED" or not (is_terminal(0) and is_terminal(2)):
        return None
    for name in outcome.view.unknown:
        failure = outcome.view.index[name].failure or {}
        if failure.get("type") == "Approval":
            return name, str(failure.get("message"))
    return None


def _ask(message: str) -> str:
    """No answer (Ctrl-D, Ctrl-C) means later."""
    sys.stderr.write(
        f"\n{one_line(message)}\n  yes    go on\n  no     undo what was done\n  later  leave it as it is for now\n"
    )
    termios.tcflush(0, termios.TCIFLUSH)  # what was typed before the question is no answer to it
    while True:
        sys.stderr.write("> ")
        sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            line = ""
        if not line:
            sys.stderr.write("\n")
            return LATER
        word = line.strip().lower()
        found = [answer for answer in (YES, NO, LATER) if word and answer.startswith(word)]
        if len(found) == 1:
            return found[0]
