"""Runs told line by line: `what happens -> the transitions it makes | the commands it gives`.

    start            -> run RUNNING, a RUNNING | do a 1
    a ok             -> a SUCCESS, b RUNNING
    b fails          -> b FAILURE, run FAILURE, run REVERTING, b REVERTING | undo b 1
    undo b ok        -> b REVERTED, ...

Commands are compared where a line names them. Warnings and logs are told as `a (kind)`. Every story is told
twice: by one machine, and by machines that are restored from the journal before each line.
"""

import re
from collections.abc import Callable
from typing import Any

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.flow import compile_flow
from taskrun.engine.machine import Machine, Step
from taskrun.engine.record import Transition
from tests.engine.building import definition

FAILURE = {"type": "ExitCode", "message": "exit code 1"}


def tell(workflow: dict[str, Any], story: str, *, jobs: int = 1, restore: bool = True) -> "Told":
    """Compare each line of the story with what the machine does.

    ``restore`` is False for a story in which a wait ends while all places are taken: no transition tells of that.
    """
    flow = compile_flow(definition(workflow))
    told = Told(Machine(flow, jobs=jobs))
    told.all(story)
    if restore:
        Told(Machine(flow, jobs=jobs), restores=True).all(story)
    return told


class Told:
    def __init__(self, machine: Machine, *, restores: bool = False) -> None:
        self.machine = machine
        self.flow = machine.flow
        self.restores = restores
        self.journal: list[Transition] = []
        self.now = 0.0
        self.step = Step([], [])
        names = self.flow.names
        self.nodes = {names[n]: n for n in reversed(range(len(self.flow)))}  # of a flow: its beginning

    def all(self, story: str) -> None:
        for line in filter(None, map(str.strip, story.splitlines())):
            what, _, expected = (part.strip() for part in line.partition("->"))
            transitions, bar, commands = (part.strip() for part in expected.partition("|"))
            self.receive(what)
            self.compare(what, self.transitions(), transitions)
            if bar:
                self.compare(what, self.commands(), commands)

    def compare(self, what: str, got: str, told: str) -> None:
        who = "a restored machine" if self.restores else "the machine"
        assert got == told, f"after {what!r}\n{who}: {got}\nthe story: {told}"

    def receive(self, what: str) -> Step:
        event = self.event(what)
        if self.restores and not isinstance(event, e.ConditionDecided | e.ItemsEvaluated):
            self.machine = Machine.restore(self.flow, self.journal, jobs=self.machine.jobs)
        self.step = self.machine.receive(event)
        self.journal += self.step.transitions
        return self.step

    def event(self, what: str) -> e.Event:
        for pattern, make in EVENTS:
            found = re.fullmatch(pattern, what)
            if found:
                return make(self, *found.groups())
        raise AssertionError(f"nobody knows what happens when {what!r}")

    def attempt(self, name: str) -> int:
        return self.machine.record.attempt[self.nodes[name]]

    def undo(self, name: str) -> int:
        return self.machine.record.undos[self.nodes[name]]

    def later(self, seconds: str) -> float:
        self.now += float(seconds)
        return self.now

    # ------------------------------------------------------------------ what came of it

    def transitions(self) -> str:
        return ", ".join(map(self.word, self.step.transitions))

    def word(self, t: Transition) -> str:
        if t.kind in ("warning", "log"):
            return f"{t.name} ({t.kind})"
        return {"flow": "run", "task": t.name, "retry": f"retry {t.name}"}[t.kind] + f" {t.state}"

    def commands(self) -> str:
        return ", ".join(map(self.command, self.step.commands))

    def command(self, command: c.Command) -> str:
        name = self.flow.names[command.node]
        match command:
            case c.StartAttempt(_, attempt):
                return f"do {name} {attempt}"
            case c.StartRevert(_, attempt):
                return f"undo {name} {attempt}"
            case c.StopAttempt(_, attempt):
                return f"stop {name} {attempt}"
            case c.StartProbe():
                return f"probe {name}"
            case c.StartTimer(_, due):
                return f"wait {name} {due:g}"
            case c.EvaluateCondition():
                return f"ask {name}"
            case _:
                return f"list {name}"

    def pending(self) -> str:
        return ", ".join(map(self.command, self.machine.pending()))

    def data(self, name: str, state: str) -> dict[str, Any]:
        """What the last move of a node to this state said."""
        found = [t for t in self.journal if t.name == name and t.state == state]
        return dict(found[-1].data or {})


def _timer(told: Told, name: str) -> e.Event:
    node = told.nodes[name]
    due = next(x.due for x in told.machine.pending() if isinstance(x, c.StartTimer) and x.node == node)
    told.now = max(told.now, due)
    return e.TimerFired(told.now, node, due)


def _condition(told: Told, name: str, word: str) -> e.Event:
    failure = FAILURE if word == "wrong" else None
    return e.ConditionDecided(told.now, told.nodes[name], word == "true", failure)


def _items(told: Told, name: str, count: str) -> e.Event:
    failure = FAILURE if count == "wrong" else None
    return e.ItemsEvaluated(told.now, told.nodes[name], 0 if failure else int(count), None, failure)


ANSWERS = {"yes": True, "no": False, "nothing": None}

EVENTS: list[tuple[str, Callable[..., e.Event]]] = [
    (r"start", lambda t: e.RunRequested(t.now)),
    (r"(\S+) ok", lambda t, n: e.AttemptSucceeded(t.now, t.nodes[n], t.attempt(n))),
    (r"(\S+) fails", lambda t, n: e.AttemptFailed(t.now, t.nodes[n], t.attempt(n), FAILURE)),
    (
        r"(\S+) fails after (\d+)s",
        lambda t, n, s: e.AttemptFailed(t.later(s), t.nodes[n], t.attempt(n), FAILURE),
    ),
    (
        r"(\S+) fails for good",
        lambda t, n: e.AttemptFailed(t.now, t.nodes[n], t.attempt(n), FAILURE, retryable=False),
    ),
    (
        r"(\S+) never begins",
        lambda t, n: e.AttemptFailed(t.now, t.nodes[n], t.attempt(n), FAILURE, started=False),
    ),
    (r"(\S+) was there", lambda t, n: e.AttemptSucceeded(t.now, t.nodes[n], t.attempt(n), already=True)),
    (r"(\S+) is lost", lambda t, n: e.AttemptLost(t.now, t.nodes[n], t.attempt(n))),
    (r"undo (\S+) ok", lambda t, n: e.RevertSucceeded(t.now, t.nodes[n], t.undo(n))),
    (r"undo (\S+) fails", lambda t, n: e.RevertFailed(t.now, t.nodes[n], t.undo(n), FAILURE)),
    (
        r"undo (\S+) fails for good",
        lambda t, n: e.RevertFailed(t.now, t.nodes[n], t.undo(n), FAILURE, final=True),
    ),
    (r"undo (\S+) is lost", lambda t, n: e.RevertLost(t.now, t.nodes[n], t.undo(n))),
    (
        r"probe (\S+) says (yes|no|nothing)",
        lambda t, n, w: e.ProbeAnswered(t.now, t.nodes[n], t.attempt(n), ANSWERS[w]),
    ),
    (r"timer (\S+)", _timer),
    (r"if (\S+) is (true|false|wrong)", _condition),
    (r"list (\S+) has (\d+|wrong)", _items),
    (r"suspend", lambda t: e.SuspendRequested(t.now)),
    (r"cancel", lambda t: e.CancelRequested(t.now, FAILURE)),
    (r"resume", lambda t: e.ResumeRequested(t.now)),
    (r"revert", lambda t: e.RevertRequested(t.now)),
    (r"revert the failed", lambda t: e.RevertRequested(t.now, failed_only=True)),
    (r"revert by force", lambda t: e.RevertRequested(t.now, force=True)),
    (r"revert to (\S+)", lambda t, n: e.RevertRequested(t.now, t.nodes[n])),
    (r"resolve (\S+) (\S+)", lambda t, n, v: e.Resolved(t.now, t.nodes[n], v)),
]
