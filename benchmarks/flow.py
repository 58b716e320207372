"""TaskFlow: a linear flow of no-op tasks, run in the process by its serial engine."""

import sys

from taskflow import engines, task
from taskflow.patterns import linear_flow


class Nothing(task.Task):
    def execute(self):
        return None


flow = linear_flow.Flow("nothing")
for number in range(int(sys.argv[1])):
    flow.add(Nothing(name=f"t{number}"))
engines.run(flow, engine="serial")
