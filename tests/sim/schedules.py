"""One seed, one schedule: a random flow, played out under random luck, crashes and wishes, and checked all the way."""

import random

from taskrun.drivers.sim import Simulation
from taskrun.engine.flow import compile_flow
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
    simulation.run(5_000)
    if simulation.world.faults:
        raise Violation("; ".join(simulation.world.faults))
    return simulation
