"""A list becomes known while other things are under way: the run goes on in another flow as if it were the same."""

from typing import Any

from taskrun.drivers.script import Smooth
from taskrun.drivers.sim import Simulation
from taskrun.drivers.world import DO, FAILS, SUCCEEDS, UNDO, Fate, Key
from taskrun.engine import events as e
from taskrun.engine.expand import expand
from taskrun.engine.flow import Flow, compile_flow
from taskrun.engine.machine import Machine
from taskrun.engine.record import Transition
from tests.engine.building import definition, flow, task
from tests.engine.telling import Told


def over(name: str, *tasks: dict[str, Any]) -> dict[str, Any]:
    return flow(name, *tasks, for_each="inputs.list")


def expanded(given: dict[str, Any], **sizes: int) -> Flow:
    return compile_flow(expand(given, {name: range(size) for name, size in sizes.items()}))


def renumbered(journal: list[Transition], old: Flow, new: Flow) -> list[Transition]:
    numbers = {(new.kinds[n], new.names[n]): n for n in range(len(new))}
    return [
        t if t.node < 0 else t._replace(node=numbers[old.kinds[t.node], old.names[t.node]]) for t in journal
    ]


def test_a_flow_that_is_to_run_again_is_still_that_flow() -> None:
    """Its index is another one, for each item of a flow over a list is a flow of its own."""
    given = definition(
        flow(
            "f",
            over("site", task("x")),
            flow("g", task("a"), task("b"), pattern="unordered", retry={"attempts": 2}),
            pattern="unordered",
        )
    )
    before, after = expanded(given), expanded(given, site=3)
    told = Told(Machine(before, jobs=3))
    told.all("""
        start   -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING, b RUNNING | list site, do a 1, do b 1
        a fails -> a FAILURE |
    """)
    journal = renumbered(told.journal, before, after)
    told = Told(Machine.restore(after, journal, jobs=3))
    told.journal = journal
    step = told.machine.receive(e.TimerFired(0.0, 0, -1.0))
    assert [t.name for t in step.transitions] == ["site[0].x", "site[1].x"]
    told.all("b ok -> b SUCCESS, b REVERTING | undo b 1")


class Steady(Smooth):
    """The same fate for the same attempt of the same task, whatever its number; tasks whose name ends in `!` fail once."""

    def __init__(self) -> None:
        self.simulation: Simulation

    def fate(self, key: Key) -> Fate:
        if key.verb == UNDO:
            return Fate(leaves=False)
        fails = self.simulation.flow.names[key.node].split("[")[0].endswith("!") and key.number == 1
        return Fate(FAILS if fails and key.verb == DO else SUCCEEDS)

    def items(self, node: int) -> int:
        return 2


def played(given: dict[str, Any], **sizes: int) -> list[str]:
    script = Steady()
    simulation = script.simulation = Simulation(
        expanded(given, **sizes), script, fan_out=lambda known: expanded(given, **{**sizes, **known})
    )
    simulation.run()
    assert not simulation.world.faults
    return [f"{t.kind} {t.name} {t.state}" for t in simulation.journal]


def test_it_makes_no_difference_when_a_list_becomes_known() -> None:
    given = definition(
        flow(
            "f",
            task("a"),
            over("site", task("b"), flow("g", task("c!"), retry={"attempts": 2})),
            flow("h", task("d", for_each="x"), task("e!"), retry={"attempts": 2}),
            task("z!"),
        )
    )
    late = played(given)
    assert late == played(given, site=2) == played(given, site=2, d=2)
    assert "task site[1].c! REVERTED" in late
    assert "task d[1] REVERTED" in late
    assert late[-1] == "flow f REVERTED"
