"""One seed, one schedule: a random flow, played out under random luck, crashes and wishes, and checked all the way."""

import random
from collections.abc import Mapping
from typing import NamedTuple

from taskrun.drivers.script import CALM, Smooth
from taskrun.drivers.sim import Simulation
from taskrun.engine import events as e
from taskrun.engine.expand import expand
from taskrun.engine.flow import Flow, Section, compile_flow
from taskrun.engine.states import REVERT_FAILURE, REVERTED, SUCCESS, UNKNOWN
from tests.sim.checker import Checker, Violation
from tests.sim.flows import Definition, random_definition
from tests.sim.luck import Luck, random_chaos, random_people


class Played(NamedTuple):
    """``ended`` is the state of the run before it was brought to a good end."""

    simulation: Simulation
    checker: Checker
    ended: str


def play(
    seed: int | random.Random,
    *,
    most: int | None = None,
    shadows: float = 0.1,
    watch: type[Checker] = Checker,
) -> Played:
    """Raises Violation (or what the machine raised) when something does not hold."""
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    definition = random_definition(rng, most or rng.choice([4, 9, 9, 20]))
    luck = Luck(rng)
    simulation = luck.simulation = Simulation(
        expanded(definition, {}),
        luck,
        seed=rng,
        jobs=rng.choice([1, 1, 2, 3, 4]),
        chaos=random_chaos(rng),
        people=random_people(rng),
        fan_out=lambda sizes: expanded(definition, sizes),
    )
    checker = simulation.watcher = watch(simulation, shadows=shadows)
    simulation.run(limit=5_000)
    ended = simulation.machine.record.run
    bring_to_an_end(simulation, back=rng.random() < 0.3)
    if simulation.world.faults:
        raise Violation("; ".join(simulation.world.faults))
    return Played(simulation, checker, ended)


def expanded(definition: Definition, sizes: Mapping[str, int]) -> Flow:
    return compile_flow(expand(definition, {name: range(size) for name, size in sizes.items()}))


def bring_to_an_end(simulation: Simulation, *, back: bool) -> None:
    """From wherever it stands: when all works again, and people do their part, it can go on, and it can go back."""
    simulation.chaos, simulation.script = CALM, Smooth()
    for _ in range(4):
        run = simulation.machine.record.run
        if run == REVERTED or (run == SUCCESS and not back):
            return
        for node in simulation.flow.tasks:
            settle(simulation, node)
        now = simulation.now
        simulation.run(e.RevertRequested(now, force=True) if back else e.ResumeRequested(now))
    if back or not any(is_hopeless(section) for section in simulation.flow.sections):
        raise Violation(f"it cannot be brought to an end: {simulation.machine.record.run}")


def settle(simulation: Simulation, node: int) -> None:
    """A person undoes by hand what is open."""
    if simulation.machine.record.state[node] in (UNKNOWN, REVERT_FAILURE):
        simulation.world.effects.pop(node, None)
        simulation.run(e.Resolved(simulation.now, node, "undone"))


def is_hopeless(section: Section) -> bool:
    """A controller without values to try can only fail."""
    return section.controller is not None and section.controller.retry.attempts < 1
