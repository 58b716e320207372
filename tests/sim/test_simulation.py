"""The simulating driver: a perfect world, a crash at every point, the same run from the same seed, what the world notices."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest

from taskrun.drivers.script import Chaos, Smooth
from taskrun.drivers.sim import Simulation
from taskrun.drivers.world import DO, FAILS, NEVER_BEGINS, SUCCEEDS, UNDO, Fate, Key, World
from taskrun.engine import events as e
from taskrun.engine.flow import compile_flow
from taskrun.engine.record import Transition
from taskrun.engine.states import RESUMING, REVERTED, SUCCESS
from tests.cases import CASES, definition
from tests.engine.building import definition as built
from tests.engine.building import flow, task
from tests.sim.checker import Checker, Violation


class Cast(Smooth):
    """Plays a case: tasks that fail their first N times, undos that never work, conditions that never hold."""

    def __init__(self, workflow: dict, names: list[str]) -> None:
        self.names = names
        self.specs = specs(workflow)

    def fate(self, key: Key) -> Fate:
        spec = self.specs[self.names[key.node]]
        if key.verb == UNDO:
            return Fate(FAILS) if spec.get("undo_fails") else Fate(leaves=False)
        return Fate(SUCCEEDS if key.number > spec.get("fails", 0) else FAILS)

    def condition(self, node: int) -> bool:
        return False


def specs(workflow: dict) -> dict[str, dict]:
    found = {}
    for child in workflow["tasks"]:
        found |= specs(child) if "tasks" in child else {child["name"]: child}
    return found


def cast(case: dict, crash_at: int | None = None) -> Simulation:
    compiled = compile_flow(definition(case["workflow"]))
    simulation = Simulation(compiled, Cast(case["workflow"], compiled.names), crash_at=crash_at)
    simulation.watcher = Checker(simulation)
    return simulation


def told(journal: list[Transition]) -> list[str]:
    return [f"{t.kind} {t.name} {t.state}" for t in journal if t.kind in ("flow", "task", "retry")]


EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])


@EVERY_CASE
def test_in_a_perfect_world_the_simulation_makes_the_transitions_it_must(case: dict) -> None:
    simulation = cast(case)
    simulation.run()
    assert told(simulation.journal) == case["events"]
    assert not simulation.world.faults


# ---------------------------------------------------------------------- a crash at every point


def without_recovery(journal: list[Transition]) -> list[str]:
    """A newcomer adds that it resumes, and in what state it goes on; all else must be as it would have been."""
    kept, coming_back = [], False
    for t in journal:
        if t.state != RESUMING and not coming_back and t.kind in ("flow", "task", "retry"):
            kept.append(f"{t.kind} {t.name} {t.state}")
        coming_back = t.state == RESUMING
    return kept


def crashed_at_every_point(case: dict) -> Iterator[Simulation]:
    at, points = 0, 1
    while at < points:
        simulation = cast(case, crash_at=at)
        simulation.run()
        yield simulation
        at, points = at + 1, simulation.points


@EVERY_CASE
def test_a_crash_at_any_point_changes_nothing_of_what_a_run_does(case: dict) -> None:
    for at, simulation in enumerate(crashed_at_every_point(case)):
        assert without_recovery(simulation.journal) == case["events"], at
        assert not simulation.world.faults


# ---------------------------------------------------------------------- the same seed, the same run

PROGRAM = """
import sys, zlib
from tests.sim.schedules import play
for seed in range(int(sys.argv[1]), int(sys.argv[2])):
    played = play(seed)
    print(seed, zlib.crc32(repr(played.simulation.journal).encode()), played.ended)
"""


def digests(hash_seed: str) -> str:
    env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, "0", "150"]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


def test_a_seed_gives_the_same_run_in_any_process_whatever_the_hash_seed() -> None:
    first, *others = [digests(seed) for seed in ("0", "1", "4242")]
    assert len(first.splitlines()) == 150
    assert others == [first, first]


def test_two_simulations_with_one_seed_are_the_same_and_with_another_they_differ() -> None:
    compiled = compile_flow(built(flow("f", *map(task, "abcdefgh"), pattern="unordered")))

    def journal(seed: int) -> list[Transition]:
        simulation = Simulation(compiled, Smooth(), seed=seed, jobs=4)
        simulation.run()
        return simulation.journal

    assert journal(1) == journal(1)
    assert journal(1) != journal(2)


def test_a_journal_is_made_of_what_json_can_hold() -> None:
    case = next(case for case in CASES if case["id"] == "retry-times-success")
    simulation = cast(case)
    simulation.run()
    assert [Transition(*t) for t in json.loads(json.dumps(simulation.journal))] == simulation.journal


# ---------------------------------------------------------------------- the world


def test_an_attempt_leaves_its_effect_and_an_undo_takes_it_away() -> None:
    world = World(jobs=1)
    world.begin(Key(DO, 7, 1), Fate())
    assert not world.effects
    world.end(Key(DO, 7, 1))
    assert world.effects == {7: 1}
    world.begin(Key(UNDO, 7, 1), Fate(leaves=False))
    world.end(Key(UNDO, 7, 1))
    assert not world.effects
    assert not world.faults


def test_an_attempt_that_never_begins_leaves_nothing() -> None:
    world = World(jobs=1)
    world.begin(Key(DO, 7, 1), Fate(NEVER_BEGINS, leaves=True))
    world.end(Key(DO, 7, 1))
    assert not world.effects


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ([Key(DO, 1, 1), Key(DO, 1, 2)], "overlaps"),
        ([Key(DO, 1, 1), Key(UNDO, 1, 1)], "overlaps"),
        ([Key(DO, 1, 1), Key(DO, 2, 1), Key(DO, 3, 1)], "one more than 2"),
    ],
)
def test_the_world_notices_what_must_never_happen(keys: list[Key], fault: str) -> None:
    world = World(jobs=2)
    for key in keys:
        world.begin(key, Fate())
    assert fault in world.faults[0]


def test_the_world_notices_that_an_attempt_is_begun_twice() -> None:
    world = World(jobs=1)
    for _ in range(2):
        world.begin(Key(DO, 1, 1), Fate())
        world.end(Key(DO, 1, 1))
    assert "twice" in world.faults[0]


# ---------------------------------------------------------------------- the driver's own doings


def test_a_run_that_would_not_end_is_noticed() -> None:
    """A task that is always lost, and may always be repeated."""

    class Swamp(Smooth):
        def fate(self, key: Key) -> Fate:
            return Fate("lost")

    compiled = compile_flow(built(flow("f", task("a", on_lost="rerun"))))
    simulation = Simulation(compiled, Swamp())
    simulation.run(limit=100)
    assert simulation.world.faults == ["it does not end"]


def test_a_stopped_attempt_may_fail_and_the_run_rolls_back() -> None:
    def canceller(simulation: Simulation) -> e.Event | None:
        return e.CancelRequested(simulation.now, {"type": "Cancelled", "message": ""})

    compiled = compile_flow(built(flow("f", *map(task, "abcd"), pattern="unordered")))
    ends = set()
    for seed in range(40):
        chaos = Chaos(ask=0.3, most=1)
        simulation = Simulation(compiled, Smooth(), seed=seed, jobs=3, chaos=chaos, people=canceller)
        simulation.watcher = Checker(simulation)
        simulation.run()
        ends.add(simulation.machine.record.run)
        assert not simulation.world.faults
    assert ends == {REVERTED, SUCCESS}


def test_a_generator_of_chance_may_be_given_in_place_of_a_seed() -> None:
    compiled = compile_flow(built(flow("f", task("a"))))
    rng = random.Random(5)
    assert Simulation(compiled, Smooth(), seed=rng).rng is rng


def test_the_checker_notices_a_machine_that_forgets() -> None:
    """The one who watches is watched: an effect nobody knows of must not pass."""
    compiled = compile_flow(built(flow("f", task("a"), task("b"))))
    simulation = Simulation(compiled, Smooth())
    simulation.watcher = Checker(simulation)
    simulation.world.effects[compiled.tasks[1]] = 1
    with pytest.raises(Violation, match="b is there, and believed to be PENDING"):
        simulation.run()
