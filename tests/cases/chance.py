"""Random workflows of the kind the cases are made of."""

import random
from typing import Any

PATTERNS = ("linear", "unordered", "graph")


def workflow(seed: int) -> dict[str, Any]:
    """A tree of flows with a dozen tasks: controllers, conditions, tasks that fail some times, undos that never work."""
    return _Maker(random.Random(seed)).flow(0)


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.tasks = self.flows = 0
        self.left = chance.randint(1, 14)
        self.failing = chance.choice([0.1, 0.3])
        self.conditions = chance.choice([0, 0.15, 0.4])

    def flow(self, depth: int) -> dict[str, Any]:
        chance = self.chance
        self.flows += 1
        found: dict[str, Any] = {"name": f"f{self.flows}", "pattern": chance.choice(PATTERNS), "tasks": []}
        if chance.random() < 0.45:
            found["retry"] = {"attempts": chance.randint(1, 3)}
            if chance.random() < 0.25:
                found["retry"]["exhausted"] = "revert_all"
        for _ in range(chance.randint(1, 5)):
            if self.left <= 0 and found["tasks"]:
                break
            nested = depth < 3 and chance.random() < 0.35
            found["tasks"].append(self.flow(depth + 1) if nested else self.task())
        if found["pattern"] == "graph":
            self.connect(found["tasks"])
        return found

    def connect(self, children: list[dict[str, Any]]) -> None:
        """Along an order of their own: what comes first in the file may come last in the graph."""
        order = list(range(len(children)))
        if self.chance.random() < 0.5:
            self.chance.shuffle(order)
        for position, index in enumerate(order):
            needs = [children[i]["name"] for i in order[:position] if self.chance.random() < 0.4]
            if needs:
                children[index]["needs"] = needs

    def task(self) -> dict[str, Any]:
        chance = self.chance
        self.left -= 1
        self.tasks += 1
        found: dict[str, Any] = {"name": f"t{self.tasks}"}
        if chance.random() < self.failing:
            found["fails"] = chance.choice([1, 1, 2, 3, 9])
        if chance.random() < 0.12:
            found["undo_fails"] = True
        if chance.random() < 0.25:
            found["retry"] = {"attempts": chance.randint(1, 3)}
        self.condition(found)
        return found

    def condition(self, found: dict[str, Any]) -> None:
        if self.chance.random() < self.conditions:
            found["if"], found["skip"] = "1 == 2", self.chance.choice(["task", "dependents", "flow"])
