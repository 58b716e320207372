"""How attempts go, what conditions give, what people want: all by chance, within what is possible."""

import random
from typing import NamedTuple

from taskrun.drivers.script import Chaos
from taskrun.drivers.sim import People, Simulation
from taskrun.drivers.world import ALREADY, DO, FAILS, LOST, NEVER_BEGINS, SUCCEEDS, UNDO, Fate, Key
from taskrun.engine import events as e
from taskrun.engine.states import REVERT_FAILURE, REVERTED, SUCCESS, UNKNOWN


class Luck:
    """The rates are drawn once, so that some runs go wrong everywhere and others hardly anywhere."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.simulation: Simulation
        self.fails = rng.choice([0.0, 0.05, 0.2, 0.4])
        self.undo_fails = rng.choice([0.0, 0.0, 0.2, 0.5])
        self.lost = rng.choice([0.0, 0.0, 0.05, 0.2])
        self.idle = rng.choice([0.0, 0.0, 0.1])

    def fate(self, key: Key) -> Fate:
        rng, draw = self.rng, self.rng.random()
        if key.verb == DO:
            if self.simulation.flow.on_lost[key.node] == "approve":
                return Fate(LOST, leaves=False)  # a person's word is not there yet
            if draw < self.idle:
                ends = rng.choice([ALREADY, NEVER_BEGINS])
                return Fate(ends, leaves=False, again=rng.random() < 0.7)
            if draw < self.idle + self.lost:
                return Fate(LOST, leaves=rng.random() < 0.5)
            if draw < self.idle + self.lost + self.fails:
                return Fate(FAILS, leaves=rng.random() < 0.5, again=rng.random() < 0.9)
            return Fate(SUCCEEDS, leaves=True)
        if key.verb == UNDO:
            if draw < self.lost:
                return Fate(LOST, leaves=rng.random() < 0.5)
            if draw < self.lost + self.undo_fails:
                return Fate(FAILS, leaves=rng.random() < 0.8, again=rng.random() < 0.8)
            return Fate(SUCCEEDS, leaves=False)
        return Fate(SUCCEEDS if draw < 0.7 else FAILS)

    def condition(self, node: int) -> bool | None:
        return self.rng.choices([True, False, None], [60, 35, 5])[0]

    def items(self, node: int) -> int | None:
        return self.rng.choices([0, 1, 2, 3, None], [15, 30, 30, 15, 10])[0]


def random_chaos(rng: random.Random) -> Chaos:
    return Chaos(
        crash=rng.choice([0.0, 0.0, 0.1, 0.3]),
        kill=rng.choice([0.0, 0.3]),
        repeat=rng.choice([0.0, 0.2]),
        give_up=rng.choice([0.0, 0.1]),
        ask=rng.choice([0.0, 0.0, 0.05, 0.2]),
        most=rng.choice([1, 3, 6, 10]),
    )


class Verdict(NamedTuple):
    state: str
    word: str


VERDICTS = (
    Verdict(UNKNOWN, "done"),
    Verdict(UNKNOWN, "not-done"),
    Verdict(UNKNOWN, "undone"),
    Verdict(REVERT_FAILURE, "undone"),
    Verdict(REVERT_FAILURE, "skip"),
)


def random_people(rng: random.Random) -> People:
    """Somebody who asks for all that can be asked for, at any time."""

    def wish(simulation: Simulation) -> e.Event | None:
        run, now = simulation.machine.record.run, simulation.now
        if run in (SUCCESS, REVERTED) and rng.random() < 0.5:
            return None
        draw = rng.random()
        if draw < 0.3:
            resolved = resolve(rng, simulation)
            if resolved is not None:
                return resolved
        if simulation.machine.over and run != SUCCESS:
            return e.ResumeRequested(now) if rng.random() < 0.6 else revert(rng, simulation)
        if draw < 0.5:
            return e.SuspendRequested(now)
        if draw < 0.7:
            return e.CancelRequested(now, {"type": "Cancelled", "message": "a person wants it so"})
        if draw < 0.9:
            return revert(rng, simulation)
        return e.ResumeRequested(now)

    return wish


def revert(rng: random.Random, simulation: Simulation) -> e.Event:
    now, flow = simulation.now, simulation.flow
    if rng.random() < 0.2:
        return e.RevertRequested(now, failed_only=True)
    savepoints = [node for node in flow.tasks if flow.names[node].split(".")[-1].startswith("s")]
    floor = rng.choice(savepoints) if savepoints and rng.random() < 0.6 else None
    return e.RevertRequested(now, floor, force=rng.random() < 0.3)


def resolve(rng: random.Random, simulation: Simulation) -> e.Event | None:
    """People tell the truth: they look, and where need be they set it right before they say so."""
    states, world = simulation.machine.record.state, simulation.world
    asked = [command.node for command in simulation.machine.pending()]  # it would be refused
    tasks = simulation.flow.tasks
    open_ = [n for n in tasks if states[n] in (UNKNOWN, REVERT_FAILURE) and n not in asked]
    if not open_:
        return None
    node = rng.choice(open_)
    verdict = rng.choice([v for v in VERDICTS if v.state == states[node]])
    if verdict.word == "done":
        world.effects[node] = simulation.machine.record.attempt[node]
    elif verdict.word != "skip":
        world.effects.pop(node, None)
    return e.Resolved(simulation.now, node, verdict.word)
