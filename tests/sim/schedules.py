"""One seed, one schedule: a random flow, played out under random luck, crashes and wishes, and checked all the way."""

import random

from taskrun.drivers.sim import CALM, Simulation, Smooth
from taskrun.engine import events as e
from taskrun.engine.flow import Section, compile_flow
from taskrun.engine.states import REVERT_FAILURE, REVERTED, SUCCESS, UNKNOWN
from tests.sim.checker import Checker, Violation
from tests.sim.flows import random_definition
from tests.sim.luck import Luck, random_chaos, random_people


def play(seed: int | random.Random, most: int = 9, shadows: float = 0.1) -> Simulation:
    """Raises Violation (or what the machine raised) when something does not hold."""
    rng = seed if isinstance(seed, random.Random) else random.Random(seed)
    definition = random_definition(rng, most)
    flow = compile_flow(definition)
    savepoints = [flow.tasks[i] for i, task in enumerate(definition["tasks"]) if task.get("savepoint")]
    simulation = Simulation(
        flow,
        Luck(rng),
        seed=rng,
        jobs=rng.choice([1, 1, 2, 3, 4]),
        chaos=random_chaos(rng),
        people=random_people(rng, flow, savepoints),
    )
    simulation.watcher = Checker(simulation, shadows=shadows)
    simulation.run(limit=5_000)
    simulation.end = simulation.machine.record.run
    calm_down(simulation)
    if simulation.world.faults:
        raise Violation("; ".join(simulation.world.faults))
    return simulation


def calm_down(simulation: Simulation) -> None:
    """From wherever it stands: when all works again, and people do their part, the run comes to a good end."""
    simulation.chaos, simulation.script = CALM, Smooth()
    for _ in range(4):
        record = simulation.machine.record
        if record.run in (SUCCESS, REVERTED):
            return
        for node in simulation.flow.tasks:
            settle(simulation, node)
        simulation.run(e.ResumeRequested(simulation.now))
    if not any(is_hopeless(section) for section in simulation.flow.sections):
        raise Violation(f"it cannot be brought to an end: {record.run}")


def settle(simulation: Simulation, node: int) -> None:
    state, effects = simulation.machine.record.state[node], simulation.world.effects
    if state in (UNKNOWN, REVERT_FAILURE):
        effects.pop(node, None)
        simulation.run(e.Resolved(simulation.now, node, "undone"))


def is_hopeless(section: Section) -> bool:
    """A controller without values to try can only fail."""
    return section.controller is not None and section.controller.retry.attempts < 1
