"""The machine alone: a line of tasks that all succeed at once. Prints microseconds an event."""

import gc
import json
import sys
import time

from taskrun.engine import events as e
from taskrun.engine.flow import compile_flow
from taskrun.engine.machine import Machine
from tests.engine.building import definition, flow, task

count = int(sys.argv[1])
compiled = compile_flow(definition(flow("f", *(task(f"t{i}") for i in range(count)))))
best = float("inf")
for _ in range(max(1, 30_000 // count)):
    machine = Machine(compiled, jobs=1)
    commands = machine.receive(e.RunRequested(0.0)).commands
    gc.collect()
    gc.freeze()
    start = time.perf_counter()
    while commands:
        commands = machine.receive(e.AttemptSucceeded(0.0, commands[0].node, commands[0].attempt)).commands
    best = min(best, time.perf_counter() - start)
    assert machine.over
print(json.dumps({"microseconds": best / count * 1e6}))
