"""The driver that pretends: a virtual clock, a seeded order of everything, crashes, and a world to check against.

    run()
      _act()      one thing happens: an attempt ends, a result arrives (or arrives again), a timer fires, somebody asks
                  for something
      _give()     the machine decides; the step is journaled, then carried out command by command, and anywhere in
                  between the driver may crash
      _recover()  a newcomer restores the machine, settles what was in flight, and goes on

What the world holds is kept apart from what the machine believes (see ``world``); a ``Watcher`` sees every step and may
compare the two. The same arguments give the same run, in any process.
"""

import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

from taskrun.drivers.outcomes import FAILURE, done, probed, undone
from taskrun.drivers.script import CALM, Chaos, Script, Watcher
from taskrun.drivers.world import DO, FAILS, LOST, PROBE, SUCCEEDS, UNDO, Fate, Key, World
from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.flow import Flow
from taskrun.engine.machine import Machine
from taskrun.engine.record import Transition
from taskrun.engine.states import PENDING
from taskrun.errors import RefusedError

_VERBS: dict[type, str] = {c.StartAttempt: DO, c.StartRevert: UNDO, c.StartProbe: PROBE}

Attempted = c.StartAttempt | c.StartRevert | c.StartProbe


class Listed(NamedTuple):
    """The list of a fan-out is known: no event, for the machine goes on in another flow."""

    at: float
    node: int
    size: int


Arrival = e.Event | Listed


class _Crash(Exception):  # noqa: N818 - not an error: part of the play
    pass


# Given the simulation, what a person does about a run that is going on, paused or over; None: nothing (more).
People = Callable[["Simulation"], e.Event | None]


def nobody(_simulation: "Simulation") -> e.Event | None:
    return None


# The flow in which the fan-outs named have so many items each.
FanOut = Callable[[Mapping[str, int]], Flow]


class Simulation:
    """One run of a flow. ``journal`` is what would survive a crash; ``machine`` is as it stands.

    ``crash_at``: crash at that point, counted from 0, of all where it could, and nowhere else (see ``points``).
    """

    def __init__(
        self,
        flow: Flow,
        script: Script,
        *,
        seed: int | random.Random = 0,
        jobs: int = 1,
        chaos: Chaos = CALM,
        people: People = nobody,
        fan_out: FanOut | None = None,
        crash_at: int | None = None,
    ) -> None:
        self.flow = flow
        self.jobs = jobs
        self.chaos = chaos
        self.now = 0.0
        self.rng = seed if isinstance(seed, random.Random) else random.Random(seed)  # noqa: S311 - a play
        self.journal: list[Transition] = []
        self.machine = Machine(flow, jobs=jobs)
        self.world = World(jobs)
        self.watcher: Watcher | None = None
        self.interfered = 0  # crashes and wishes so far
        self.script = script
        self.lists: dict[str, int] = {}  # sizes of the fan-outs known so far; durable, as the journal is
        self.points = 0  # where it could have crashed so far
        self._crash_at = crash_at
        self._people = people
        self._fan_out = fan_out
        self._arriving: list[Arrival] = []
        self._stale: list[Arrival] = []
        self._timers: list[tuple[int, float]] = []

    def run(self, wish: e.Event | None = None, *, limit: int = 10_000) -> None:
        """Until the run is over and nobody wants anything of it; ``limit`` bounds a run that does not end.

        ``wish`` is how it begins, or goes on: by default it is started.
        """
        first = wish or e.RunRequested(self.now)
        self._try(lambda: self._ask(first))
        for _ in range(limit):
            if not self._act():
                return
        self.world.faults.append("it does not end")

    def _try(self, action: Callable[[], None]) -> None:
        """A crash ends the action, and a newcomer may crash as well."""
        while True:
            try:
                action()
            except _Crash:
                action = self._recover
            else:
                return

    # ------------------------------------------------------------------ what happens next

    def _act(self) -> bool:
        """One thing happens. False: nothing can happen any more."""
        choices: list[Callable[[], None]] = []
        if self._arriving:
            choices.append(self._arrive)
        if self.world.running:
            choices.append(self._end)
        if self._timers and not self.machine.over:
            choices.append(self._fire)
        over = self.machine.over
        if self.interfered < self.chaos.most and (over or self.rng.random() < self.chaos.ask):
            wish = self._people(self)
            if wish is not None:
                self.interfered += 1
                self._try(lambda: self._ask(wish))
                return True
        if self._stale and self.rng.random() < self.chaos.repeat:
            self._try(self._repeat)
            return True
        if not choices:
            if not over:
                self.world.faults.append("it stands still")
            return False
        self.now += self.rng.random()
        self._try(self.rng.choice(choices))
        return True

    def _pick(self, arrivals: list[Arrival]) -> Arrival:
        return arrivals.pop(self.rng.randrange(len(arrivals)))

    def _arrive(self) -> None:
        arrival = self._pick(self._arriving)
        if isinstance(arrival, Listed):
            self._expand(self.flow.names[arrival.node], arrival.size)
        else:
            self._give(arrival._replace(at=self.now))
            self._stale.append(arrival)

    def _repeat(self) -> None:
        arrival = self._pick(self._stale)
        if not isinstance(arrival, Listed):
            self._give(arrival._replace(at=self.now), stale=True)

    def _end(self) -> None:
        key = self.rng.choice(list(self.world.running))
        self._arriving.append(self._result(key, self.world.end(key)))

    def _fire(self) -> None:
        node, due = self._timers.pop(self.rng.randrange(len(self._timers)))
        self.now = max(self.now, due)
        self._give(e.TimerFired(self.now, node, due))

    def _ask(self, wish: e.Event) -> None:
        """A refusal must leave everything as it is."""
        before = self.machine.record.moves
        try:
            self._give(wish)
        except RefusedError:
            if self.machine.record.moves != before:
                self.world.faults.append(f"{wish} was refused, and yet something moved")

    # ------------------------------------------------------------------ the machine decides

    def _give(self, event: e.Event, *, stale: bool = False) -> None:
        step = self.machine.receive(event)
        if self.watcher is not None:
            self.watcher.stepped(event, step, stale=stale)
        crash_at = self._crash_point(len(step.commands))
        if crash_at < 0:
            raise _Crash  # before the step was durable: it was never taken
        self.journal += step.transitions
        for index, command in enumerate(step.commands):
            if crash_at == index:
                raise _Crash
            self._perform(command)
        if crash_at == len(step.commands):
            raise _Crash

    def _crash_point(self, commands: int) -> int:
        """How many commands are carried out before it; -1: none, and the step is lost as well."""
        first, self.points = self.points, self.points + commands + 2
        if self._crash_at is not None:
            return self._crash_at - first - 1 if first <= self._crash_at < self.points else commands + 1
        if self.interfered >= self.chaos.most or self.rng.random() >= self.chaos.crash:
            return commands + 1
        self.interfered += 1
        return self.rng.randint(-1, commands)

    def _perform(self, command: c.Command) -> None:
        match command:
            case c.StartAttempt() | c.StartRevert() | c.StartProbe():
                self._begin(_key(command))
            case c.StopAttempt(node, attempt):
                self._stop(Key(DO, node, attempt))
            case c.StartTimer(node, due):
                self._timers.append((node, due))
            case c.EvaluateCondition(node, asked):
                holds = self.script.condition(node)
                failure = FAILURE if holds is None else None
                self._arriving.append(e.ConditionDecided(self.now, node, bool(holds), failure, asked))
            case c.EvaluateItems(node, asked):
                size = self.script.items(node)
                if size is not None and self.flow.expands[node]:
                    self._arriving.append(Listed(self.now, node, size))
                    return
                failure = FAILURE if size is None else None
                self._arriving.append(e.ItemsEvaluated(self.now, node, size or 0, None, failure, asked))

    def _begin(self, key: Key) -> None:
        if self.watcher is not None:
            self.watcher.begun(key)
        self.world.begin(key, self.script.fate(key))

    def _stop(self, key: Key) -> None:
        """It may have been quicker; else it fails, and who knows what it leaves."""
        fate = self.world.running.get(key)
        if fate is not None and fate.ends == SUCCEEDS and self.rng.random() < 0.5:
            self.world.change(key, Fate(FAILS, self.rng.random() < 0.5, again=False))

    def _result(self, key: Key, fate: Fate) -> e.Event:
        """What the driver learns about an attempt that is over."""
        if key.verb == PROBE:
            return probed(key, fate, self.now, done=key.node in self.world.effects)
        return undone(key, fate, self.now) if key.verb == UNDO else done(key, fate, self.now)

    # ------------------------------------------------------------------ fan-outs

    def _expand(self, name: str, size: int) -> None:
        """Go on in the flow that has the items; all that speaks of nodes gets their new numbers."""
        if self._fan_out is None or name in self.lists:
            return
        self.lists[name] = size
        old, self.flow = self.flow, self._fan_out(self.lists)
        numbers = {(self.flow.kinds[n], self.flow.names[n]): n for n in range(len(self.flow))}
        new = [numbers[old.kinds[n], old.names[n]] for n in range(len(old))]
        self.journal[:] = [t if t.node < 0 else t._replace(node=new[t.node]) for t in self.journal]
        for arrivals in (self._arriving, self._stale):
            arrivals[:] = [_renumbered(arrival, new) for arrival in arrivals]
        self._timers = [(new[node], due) for node, due in self._timers]
        self.world.renumber(new)
        self.machine = Machine.restore(self.flow, self.journal, jobs=self.jobs, at=self.now)
        if self.watcher is not None:
            self.watcher.expanded()
        self._give(e.TimerFired(self.now, 0, -1.0))  # nothing happened; but it sees what it can do now

    # ------------------------------------------------------------------ crash and recovery

    def _recover(self) -> None:
        """What only the dead driver knew is gone; the world went on meanwhile."""
        if self.watcher is not None:
            self.watcher.crashed()
        self._arriving.clear()
        self._timers.clear()
        questions = (e.ConditionDecided, e.ItemsEvaluated)
        self._stale = [arrival for arrival in self._stale if not isinstance(arrival, questions)]
        for key in list(self.world.running):
            if self.rng.random() < self.chaos.kill:
                self.world.change(key, Fate(LOST, self.rng.random() < 0.5))
            if self.rng.random() < 0.5:
                self.world.end(key)
        self.machine = machine = Machine.restore(self.flow, self.journal, jobs=self.jobs)
        if machine.record.run == PENDING:
            self._give(e.RunRequested(self.now))
        elif not machine.over:
            self._take_over()

    def _take_over(self) -> None:
        """Take down what was in flight before anything is decided, and settle it afterwards."""
        in_flight = self.machine.pending()
        wish: e.Event = e.ResumeRequested(self.now)
        if self.rng.random() < self.chaos.give_up:
            wish = e.RevertRequested(self.now, force=True)
        self._give(wish)
        for command in in_flight:
            if isinstance(command, Attempted):
                self._settle(command)
                if self._crash_point(1) < 1:
                    raise _Crash

    def _settle(self, command: Attempted) -> None:
        key = _key(command)
        if key in self.world.running:
            return  # it is still alive: its result will come
        fate = self.world.ended.get(key)
        if fate is None or key.verb == PROBE:
            self._perform(command)
        else:
            self._arriving.append(self._result(key, fate))


def _renumbered(arrival: Arrival, new: list[int]) -> Arrival:
    node = getattr(arrival, "node", None)
    return arrival if node is None else arrival._replace(node=new[node])  # type: ignore[call-arg]


def _key(command: Attempted) -> Key:
    asked = command.asked if isinstance(command, c.StartProbe) else 0
    return Key(_VERBS[type(command)], command.node, command.attempt, asked)
