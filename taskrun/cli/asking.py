"""`on_failure: ask`: what is to become of a failed run, asked at the terminal once nothing of it runs any more."""

import sys
import termios

from taskrun.app.base import Outcome
from taskrun.cli.continuing import Event, GoOn
from taskrun.cli.found import open_journal
from taskrun.engine import events as e
from taskrun.engine.flow import Flow
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
        wanted = _ask()
        if wanted == STOP:
            return outcome
        event: Event = _revert if wanted == REVERT else _resume
        outcome = go_on(event, "revert" if wanted == REVERT else "resume")
    return outcome


def _revert(_flow: Flow, at: float) -> e.Event:
    return e.RevertRequested(at)


def _resume(_flow: Flow, at: float) -> e.Event:
    return e.ResumeRequested(at)


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


def _ask() -> str:
    """The one word, or the beginning of it. No answer (Ctrl-D, Ctrl-C) means to stop."""
    lines = [f"  {name:<8}{meaning}" for name, meaning in _CHOICES.items()]
    sys.stderr.write("\n".join(["", "What now?", *lines, ""]))
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
            return STOP
        word = line.strip().lower()
        found = [name for name in _CHOICES if word and name.startswith(word)]
        if len(found) == 1:
            return found[0]
        sys.stderr.write(f"{', '.join(_CHOICES)}?\n")
