"""What must hold at every step of any run, told from the world and the journal, not from the machine's own working."""

import random

from taskrun.drivers.sim import Simulation
from taskrun.drivers.world import ALREADY, DO, LOST, NEVER_BEGINS, PROBE, SUCCEEDS, UNDO, Key
from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.flow import BEGIN, TASK, UNDO_IMPOSSIBLE, UNDO_NOTHING, Flow
from taskrun.engine.machine import Machine, Step
from taskrun.engine.record import Record, Transition
from taskrun.engine.states import (
    FAILURE,
    FLOW_MOVES,
    IGNORE,
    PENDING,
    RESUMING,
    RETRY_MOVES,
    RETRYING,
    REVERT_FAILURE,
    REVERTED,
    REVERTING,
    RUNNING,
    SUCCESS,
    SUSPENDED,
    TASK_MOVES,
    UNKNOWN,
)

HARMLESS = (NEVER_BEGINS, ALREADY)
CLEAR = (PENDING, IGNORE, REVERTED)


class Violation(AssertionError):
    pass


class Checker:
    """Watches a simulation; ``shadows`` is how often a machine restored from the journal takes part beside the live one."""

    def __init__(self, simulation: Simulation, *, shadows: float = 0.1) -> None:
        self.sim = simulation
        self.rng = random.Random(len(simulation.flow))
        self.shadows = shadows
        self.shadow: Machine | None = None
        self.used: set[tuple[str, str, str]] = set()
        self.look_at_flow()
        self.reset()

    def look_at_flow(self) -> None:
        self.flow = self.sim.flow
        self.dependents = {
            node: tasks_behind(self.flow, node, self.flow.successors) for node in self.flow.tasks
        }
        self.needs = {node: tasks_behind(self.flow, node, self.flow.predecessors) for node in self.flow.tasks}
        self.before = {
            node: nodes_behind(self.flow, node, self.flow.predecessors) for node in self.flow.tasks
        }

    def reset(self) -> None:
        self.run = PENDING
        self.state = [PENDING] * len(self.flow)
        self.order = [0] * len(self.flow)
        self.base = [0] * len(self.flow)
        self.started = 0
        self.last_undone: int | None = None
        self.floor = 0
        self.ordered = ""
        self.due: dict[int, float] = {}
        self.given_up: set[int] = set()
        self.only: set[int] | None = None
        self.turns: set[int] = set()  # tasks that have their place, and whose condition is being asked

    # ------------------------------------------------------------------ as the simulation's watcher

    def crashed(self) -> None:
        self.shadow = None
        self.reset()
        for transition in self.sim.journal:
            self.fold(transition)
        self.last_undone = None

    def expanded(self) -> None:
        self.look_at_flow()
        self.crashed()

    def begun(self, key: Key) -> None:
        if key.verb == DO:
            self.check_start(key)
        elif key.verb == UNDO:
            self.check_undo(key)
        elif self.state[key.node] != UNKNOWN:
            self.fail(f"{key} asks about what is {self.state[key.node]}")

    def stepped(self, event: e.Event, step: Step, *, stale: bool) -> None:
        if self.sim.world.faults:
            self.fail("; ".join(self.sim.world.faults))
        if stale and (step.transitions or step.commands):
            self.fail(f"{event} was old, and yet it did {step}")
        if not isinstance(
            event, (e.AttemptSucceeded, e.AttemptFailed, e.RevertSucceeded, e.RevertFailed, e.TimerFired)
        ):
            self.last_undone = None
        if isinstance(event, e.ResumeRequested) and self.run in (SUCCESS, REVERTED) and step != ([], []):
            self.fail(f"{event} moved a run that is {self.run}")
        for transition in step.transitions:
            self.check_move(transition, event)
            self.fold(transition)
            self.check_rerun(transition)
        for command in step.commands:
            if isinstance(command, c.EvaluateCondition) and self.flow.kinds[command.node] == TASK:
                self.check_turn(command.node)
                self.turns.add(command.node)
        self.check_memory()
        self.check_idle()
        if self.sim.machine.over:
            self.check_end(fresh=any(t.kind == "flow" for t in step.transitions))
        self.compare(event, step)

    def fail(self, message: str) -> None:
        raise Violation(message)

    # ------------------------------------------------------------------ moves

    def check_move(self, t: Transition, event: e.Event) -> None:
        tables = {"flow": FLOW_MOVES, "task": TASK_MOVES, "retry": RETRY_MOVES}
        before = self.run if t.kind == "flow" else self.state[t.node]
        if t.old != before:
            self.fail(f"{t} comes from {before}")
        if t.kind in tables:
            self.used.add((t.kind, str(t.old), t.state))
            if (t.old, t.state) not in tables[t.kind]:
                self.fail(f"{t} is no move")
        elif t.old != t.state:
            self.fail(f"{t} must not change a state")
        if t.kind == "task" and t.state == RUNNING and self.run != RUNNING:
            self.fail(f"{t} while the run is {self.run}")
        begins = is_new_try(t) or (t.kind in ("task", "retry") and t.state == REVERTING)
        if begins and self.run not in (RUNNING, REVERTING):
            self.fail(f"{t} while the run is {self.run}")
        if t.kind == "task" and t.state == REVERTING:
            self.check_order(t.node)
            if self.run == REVERTING and self.order[t.node] <= self.floor:
                self.fail(f"{t.name} is undone, and started before the savepoint")
        if t.kind == "task" and t.state == RUNNING and t.old == PENDING:
            self.check_turn(t.node)
        self.check_pivots(t, event)
        self.check_wait(t)

    def fold(self, t: Transition) -> None:
        data = t.data or {}
        if t.kind == "flow":
            if t.state in (REVERTING, FAILURE):
                self.floor = data.get("floor", self.floor)
            elif t.state == RUNNING:
                self.floor = 0
            if t.state in (RUNNING, FAILURE) or (t.state == REVERTING and "floor" in data):
                self.only = None
            if data.get("failed_only"):
                self.only = {n for n in self.flow.tasks if self.state[n] in (REVERT_FAILURE, REVERTING)}
            self.ordered = "" if t.state == SUSPENDED and t.old in (FAILURE, REVERTING) else self.ordered
            self.ordered = data.get("order", self.ordered)
            self.run = t.state
            self.last_undone = None
            return
        self.state[t.node] = t.state
        self.turns.discard(t.node)
        self.due.pop(t.node, None)
        if data.get("due") is not None:
            self.due[t.node] = data["due"]
        if t.kind in ("warning", "log"):
            if data.get("skip"):
                self.given_up.add(t.node)
            return
        self.given_up.discard(t.node)
        if t.state in (PENDING, REVERTED):
            self.order[t.node] = 0
            self.base[t.node] = t.attempt if t.state == PENDING else self.base[t.node]
        elif t.state == RUNNING and not self.order[t.node]:
            self.started += 1
            self.order[t.node] = self.started

    def check_order(self, node: int) -> None:
        """With one job, the exact reverse of the starts."""
        if self.sim.jobs > 1 or self.run != REVERTING:
            return
        if self.last_undone is not None and self.order[node] > self.last_undone:
            self.fail(f"{self.flow.names[node]} is undone too late")
        self.last_undone = self.order[node]

    def check_wait(self, t: Transition) -> None:
        """Nothing is tried again before its time."""
        again = t.state == RUNNING or is_new_try(t)
        if t.kind != "flow" and again and t.at < self.due.get(t.node, 0.0):
            self.fail(f"{t} comes too early")

    def check_pivots(self, t: Transition, event: e.Event) -> None:
        """What is past its point of no return is not undone, unless by somebody's order."""
        if t.kind == "flow" and t.state == REVERTING and t.old != RESUMING:
            floor = (t.data or {}).get("floor", self.floor)
            forced = self.ordered == "force" or getattr(event, "force", False)
            if not forced and self.is_past_pivot(0, len(self.flow), floor):
                self.fail(f"{t} past a pivot")
        if t.kind == "retry" and t.state == RETRYING:
            section = self.flow.sections[self.flow.section[t.node]]
            if self.is_past_pivot(section.begin, section.end, 0):
                self.fail(f"{t} past a pivot")

    def is_past_pivot(self, lo: int, hi: int, floor: int) -> bool:
        pivots = [n for n in self.flow.pivots if lo <= n <= hi]
        return any(self.state[n] == SUCCESS and self.order[n] > floor for n in pivots)

    # ------------------------------------------------------------------ whose turn it is

    def ready(self) -> list[int]:
        """Tasks that nothing keeps from starting, told from states alone; conditions are left out."""
        record, flow = self.sim.machine.record, self.flow
        if self.run != RUNNING or record.doomed:
            return []
        return [
            node
            for node in flow.tasks
            if self.state[node] == PENDING
            and not flow.conditional[node]
            and not record.is_stopped(flow.section[node])
            and all(self.is_done(before) for before in self.before[node])
        ]

    def is_done(self, node: int) -> bool:
        state, flow = self.state[node], self.flow
        if flow.kinds[node] == TASK:
            return state in (SUCCESS, IGNORE) or (state == FAILURE and bool(flow.tolerated[node]))
        if flow.controller(node) is not None:
            return state in (SUCCESS, IGNORE)
        if flow.expands[node]:
            return False
        return (
            not flow.conditional[node] or flow.kinds[node] != BEGIN or node in self.sim.machine.record.decided
        )

    def check_turn(self, node: int) -> None:
        """With one job, the first ready task in file order, when it is given the place: before its condition is asked."""
        if self.sim.jobs == 1 and node not in self.turns:
            earlier = [n for n in self.ready() if n < node]
            if earlier:
                self.fail(f"{self.flow.names[node]} starts before {self.flow.names[earlier[0]]}")

    def check_idle(self) -> None:
        """No place stays empty while a task could start."""
        busy = self.sim.machine._core.inflight.busy
        ready = [n for n in self.ready() if n not in busy and self.has_room(n, busy)]
        if ready and len(busy) < self.sim.jobs:
            self.fail(f"{[self.flow.names[n] for n in ready]} could start, and {len(busy)} run")

    def has_room(self, node: int, busy: dict[int, str]) -> bool:
        section = self.flow.section
        limit = self.flow.limits.get(section[node])
        return limit is None or sum(section[n] == section[node] for n in busy) < limit

    def check_rerun(self, t: Transition) -> None:
        """A flow that runs again starts from nothing."""
        if t.kind != "retry" or t.state != RETRYING:
            return
        section = self.flow.sections[self.flow.section[t.node]]
        left = [self.flow.names[n] for n in self.effects() if section.begin <= n <= section.end]
        if left:
            self.fail(f"{t.name} runs again with {left} still there")

    # ------------------------------------------------------------------ commands

    def check_start(self, key: Key) -> None:
        if self.state[key.node] != RUNNING:
            self.fail(f"{key} is started, and nobody wrote it down")
        for node in self.needs[key.node]:
            state = self.state[node]
            if state not in (SUCCESS, IGNORE) and not (state == FAILURE and self.flow.tolerated[node]):
                self.fail(f"{key} is started while {self.flow.names[node]} is {state}")

    def check_undo(self, key: Key) -> None:
        node = key.node
        if self.state[node] != REVERTING:
            self.fail(f"{key} is started, and nobody wrote it down")
        if self.only is not None and node not in self.only:
            self.fail(f"{key} undoes what had not failed")
        if node in self.given_up:
            self.fail(f"{key} undoes what was given up")
        if not self.was_touched(node):
            self.fail(f"{key} undoes what never began")
        for after in self.dependents[node]:
            if any(other.node == after and other.verb != PROBE for other in self.sim.world.running):
                self.fail(f"{key} while {self.flow.names[after]} is under way")
            if self.holds(after):
                self.fail(f"{key} while {self.flow.names[after]} is {self.state[after]}")

    def was_touched(self, node: int) -> bool:
        """Did an attempt of this round begin, as far as anybody knows?"""
        world = self.sim.world
        return any(
            key.verb == DO and key.node == node and key.number > self.base[node] and fate.ends not in HARMLESS
            for found in (world.ended, world.running)
            for key, fate in found.items()
        )

    def holds(self, node: int) -> bool:
        state = self.state[node]
        if state in CLEAR:
            return False
        if state in (SUCCESS, FAILURE):
            return self.was_touched(node)
        given_up = node in self.given_up or self.flow.undo[node] == UNDO_IMPOSSIBLE
        return not (state == REVERT_FAILURE and given_up)

    # ------------------------------------------------------------------ the world and what is known of it

    def effects(self) -> list[int]:
        """What is in the world and would have to be undone."""
        return [n for n in self.sim.world.effects if self.flow.undo[n] != UNDO_NOTHING]

    def check_memory(self) -> None:
        """Nothing that is there may be forgotten, not even for one step."""
        record = self.sim.machine.record
        for node in self.effects():
            if record.state[node] not in (RUNNING, REVERTING) and not record.is_applied(node):
                self.fail(f"{self.flow.names[node]} is there, and believed to be {record.state[node]}")

    def check_end(self, *, fresh: bool) -> None:
        record, names, effects = self.sim.machine.record, self.flow.names, self.effects()
        if self.sim.world.running:
            self.fail(f"the run is {self.run}, and {list(self.sim.world.running)} go on")
        if self.run == REVERTED:
            if effects:
                self.fail(f"reverted, and {[names[n] for n in effects]} are left")
            if record.residue():
                self.fail("reverted, and yet there is a residue")
        elif self.run == SUCCESS:
            self.check_success(record)
        elif self.run == SUSPENDED and fresh and record.back_to:
            left = [names[n] for n in effects if record.order[n] > record.back_to]
            if left:
                self.fail(f"back at the savepoint, and {left} are left")
        elif self.run == FAILURE:
            known = set(record.residue())
            if fresh and not known:
                self.fail("the rollback failed for no reason")
            lost = [names[n] for n in effects if n not in known and record.order[n] > record.floor]
            if lost:
                self.fail(f"{lost} are left and not told of")

    def check_success(self, record: Record) -> None:
        for node in self.flow.tasks:
            state, there = record.state[node], node in self.sim.world.effects
            if state == FAILURE and self.flow.tolerated[node]:
                continue
            if state not in (SUCCESS, IGNORE):
                self.fail(f"success, and {self.flow.names[node]} is {state}")
            if there and state == IGNORE and self.flow.undo[node] != UNDO_NOTHING:
                self.fail(f"success, and {self.flow.names[node]} is there, though ignored")
            if state == SUCCESS and not there and self.ended_well(node):
                self.fail(f"success, and {self.flow.names[node]} is not there")

    def ended_well(self, node: int) -> bool:
        fate = self.sim.world.ended.get(Key(DO, node, self.sim.machine.record.attempt[node]))
        return fate is not None and fate.ends in (SUCCEEDS, LOST)

    # ------------------------------------------------------------------ a restored machine is the same machine

    def compare(self, event: e.Event, step: Step) -> None:
        if self.shadow is not None:
            beside = self.shadow.receive(event)
            if beside != step:
                self.fail(f"after {event} a restored machine does\n{beside}\nand the live one\n{step}")
        elif self.rng.random() < self.shadows:
            self.restore(step)

    def restore(self, step: Step) -> None:
        journal = [*self.sim.journal, *step.transitions]
        live, restored = self.sim.machine, Machine.restore(self.flow, journal, jobs=self.sim.jobs)
        for name in Record.__slots__:
            if name != "flow" and getattr(live.record, name) != getattr(restored.record, name):
                self.fail(f"restored {name} is not {getattr(live.record, name)}")
        here, there = live.pending(), restored.pending()
        if self.settled(here) != self.settled(there):
            self.fail(f"pending is\n{there}\nafter a restore, not\n{here}")
        if here == there:
            self.shadow = restored

    def settled(self, pending: tuple[c.Command, ...]) -> list[c.Command]:
        """Without questions (they are asked again) and waits that are over."""
        return [
            command
            for command in pending
            if not isinstance(command, (c.EvaluateCondition, c.EvaluateItems))
            and not (isinstance(command, c.StartTimer) and command.due <= self.sim.now)
        ]


def is_new_try(t: Transition) -> bool:
    """Does a task between two tries of its undo begin the next?"""
    return t.kind == "warning" and t.state == REVERTING and (t.data or {}).get("due") is None


def tasks_behind(flow: Flow, node: int, edges: list) -> list[int]:
    return [n for n in nodes_behind(flow, node, edges) if flow.kinds[n] == TASK]


def nodes_behind(flow: Flow, node: int, edges: list) -> list[int]:
    """All that is reached from a node, in either direction."""
    found: dict[int, None] = {}
    stack = [node]
    while stack:
        for other in edges[stack.pop()]:
            if other not in found:
                found[other] = None
                stack.append(other)
    return list(found)
