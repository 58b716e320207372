"""Rehearsing without doing anything: the machine against a world that is only simulated.

It proves the order of undos and what crashes do to them, not that a script does what it says.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.drivers.foresight import Foresight
from taskrun.drivers.rehearsal.cases import FAIL, KILL, KILL_UNDO, WORKS, Case, Result
from taskrun.drivers.script import CALM, Chaos, Smooth
from taskrun.drivers.sim import Simulation
from taskrun.drivers.world import DO, FAILS, Fate, Key
from taskrun.engine import events as e
from taskrun.engine.flow import UNDO_IMPOSSIBLE, UNDO_RUNS, Flow, compile_flow
from taskrun.engine.states import FAILURE, IGNORE, PENDING, REVERTED

SEEDS = 20  # crashes fall elsewhere with each
_CRASHES = Chaos(crash=0.2, kill=0.3, repeat=0.1, most=4)


class _Script(Smooth):
    def __init__(self, flow: Flow, fails: str) -> None:
        self._flow = flow
        self._fails = fails

    def fate(self, key: Key) -> Fate:
        if key.verb == DO and self._flow.names[key.node] == self._fails:
            return Fate(FAILS, leaves=True, again=False)
        return super().fate(key)


def rehearse(
    definition: Mapping[str, Any], shared: Mapping[str, Any], played: Sequence[Case]
) -> list[Result]:
    """Each case, some of them with many seeds. Fan-outs have the items that are known, or one."""
    foresight = Foresight(definition, shared)
    foresight.look(e.RunRequested(0.0))
    flow = compile_flow(foresight.values.definition)
    return [_play(case, flow) for case in played]


def _play(case: Case, flow: Flow) -> Result:
    begun = time.monotonic()
    names = [flow.names[node] for node in flow.tasks]
    task = next((name for name in names if name == case.task or name.startswith(f"{case.task}[")), "")
    fails = {WORKS: "", KILL: "", FAIL: task, KILL_UNDO: names[-1]}[case.kind]
    crashes = case.kind in (KILL, KILL_UNDO)
    problem, left, stays = "", list[str](), list[str]()
    for seed in range(SEEDS if crashes else 1):
        simulation = Simulation(flow, _Script(flow, fails), seed=seed, chaos=_CRASHES if crashes else CALM)
        simulation.run()
        _give_back(simulation)
        effects = simulation.world.effects
        left = [flow.names[n] for n in effects if flow.undo[n] == UNDO_RUNS]
        stays = [flow.names[n] for n in effects if flow.undo[n] == UNDO_IMPOSSIBLE]
        problem = "; ".join(simulation.world.faults) or _ended(simulation, case)
        if left or problem:
            break
    if case.kind == FAIL and simulation.machine.record.state[flow.tasks[names.index(task)]] in (
        PENDING,
        IGNORE,
    ):
        return Result(case, time.monotonic() - begun, skipped="it is not reached")
    found = [f"+ the effect of {name}" for name in left]
    return Result(case, time.monotonic() - begun, found, problem, stays=stays)


def _give_back(simulation: Simulation) -> None:
    """What a person does who wants the world back."""
    for _ in range(3):
        record = simulation.machine.record
        if record.run == REVERTED:
            return
        simulation.run(e.RevertRequested(simulation.now, force=True))


def _ended(simulation: Simulation, case: Case) -> str:
    run, record = simulation.machine.record.run, simulation.machine.record
    if run == REVERTED or (run == FAILURE and all(record.is_given_up(node) for node in record.residue())):
        return ""
    return f"the run is {run}" + (", not all of it is undone" if run == FAILURE else f" after {case.title}")
