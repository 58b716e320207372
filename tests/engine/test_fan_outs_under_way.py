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


def asks_tasks() -> dict[str, Any]:
    fan = task("p", for_each="tasks.l.outputs.items")
    return definition(flow("f", flow("g", task("l"), fan, task("x"), retry={"attempts": 3}), task("z")))


FIRST_ROUND = """
    start      -> run RUNNING, retry g RUNNING, retry g SUCCESS, l RUNNING
    l ok       -> l SUCCESS, p[0] RUNNING
    p[0] ok    -> p[0] SUCCESS, p[1] RUNNING
    p[1] ok    -> p[1] SUCCESS, x RUNNING
    x fails    -> x FAILURE, x REVERTING
    undo x ok  -> x REVERTED, p[1] REVERTING
    undo p[1] ok -> p[1] REVERTED, p[0] REVERTING
    undo p[0] ok -> p[0] REVERTED, l REVERTING
    undo l ok  -> l REVERTED, retry g RETRYING, l PENDING, p[0] PENDING, p[1] PENDING, x PENDING, retry g RUNNING, retry g SUCCESS, l RUNNING
"""


def test_a_list_is_asked_for_again_and_items_that_are_too_many_are_passed_by() -> None:
    Told(Machine(expanded(asks_tasks(), p=2))).all(
        FIRST_ROUND
        + """
        l ok         -> l SUCCESS | list p
        list p has 1 -> p (log), p[1] IGNORE, p[0] RUNNING | do p[0] 2
        p[0] ok      -> p[0] SUCCESS, x RUNNING
        x fails      -> x FAILURE, x REVERTING
        undo x ok    -> x REVERTED, p[0] REVERTING
        undo p[0] ok -> p[0] REVERTED, l REVERTING
        undo l ok    -> l REVERTED, retry g RETRYING, l PENDING, p[0] PENDING, p[1] PENDING, x PENDING, retry g RUNNING, retry g SUCCESS, l RUNNING
        l ok         -> l SUCCESS | list p
        list p has 0 -> p (log), p[0] IGNORE, p[1] IGNORE, x RUNNING
        """
    )


def test_a_crash_while_a_list_is_asked_for_again_changes_nothing() -> None:
    flow_ = expanded(asks_tasks(), p=2)
    told = Told(Machine(flow_))
    told.all(FIRST_ROUND + "l ok -> l SUCCESS | list p")
    restored = Told(Machine.restore(flow_, told.journal))
    restored.journal = told.journal
    restored.all("""
        resume       -> run RESUMING, run RUNNING | list p
        list p has 2 -> p (log), p[0] RUNNING | do p[0] 2
        p[0] ok      -> p[0] SUCCESS, p[1] RUNNING
    """)
    again = Machine.restore(flow_, restored.journal)
    assert again.record.stale == {}


def test_a_list_that_cannot_be_had_the_second_time_fails_what_the_first_would_have() -> None:
    Told(Machine(expanded(asks_tasks(), p=2))).all(
        FIRST_ROUND
        + """
        l ok           -> l SUCCESS | list p
        list p has wrong -> p (warning), l REVERTING
        """
    )


def test_a_list_that_asks_for_nothing_that_changes_is_asked_for_once() -> None:
    given = definition(
        flow("f", flow("g", task("p", for_each="inputs.list"), task("x"), retry={"attempts": 2}))
    )
    Told(Machine(expanded(given, p=1))).all("""
        start        -> run RUNNING, retry g RUNNING, retry g SUCCESS, p[0] RUNNING
        p[0] ok      -> p[0] SUCCESS, x RUNNING
        x fails      -> x FAILURE, x REVERTING
        undo x ok    -> x REVERTED, p[0] REVERTING
        undo p[0] ok -> p[0] REVERTED, retry g RETRYING, p[0] PENDING, x PENDING, retry g RUNNING, retry g SUCCESS, p[0] RUNNING
    """)
