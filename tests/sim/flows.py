"""Random flows with everything the language has, as compiled definitions."""

import random
from typing import Any

CONTROLLERS, CONDITIONS, RETRIES, TOLERANCE, UNDOS, LOSSES, PIVOTS, SAVEPOINTS, STOPS, FAN_OUTS, APPROVALS = (
    range(11)
)
FEATURES = range(11)

Definition = dict[str, Any]


def random_definition(rng: random.Random, most: int = 9) -> Definition:
    """A definition with up to ``most`` tasks; half of the features are in it, so that each is also met alone."""
    return _Maker(rng, most).make()


class _Maker:
    def __init__(self, rng: random.Random, most: int) -> None:
        self.rng = rng
        self.left = rng.randint(0, most) if rng.random() < 0.1 else rng.randint(2, most)
        rare = {PIVOTS: 0.15, STOPS: 0.2, FAN_OUTS: 0.25, APPROVALS: 0.15}
        self.features = {f for f in FEATURES if rng.random() < rare.get(f, 0.5)}
        self.result: Definition = {"name": "root", "flows": [], "tasks": []}

    def make(self) -> Definition:
        if STOPS in self.features:
            self.result["on_failure"] = self.rng.choice(["stop", "ask", "revert"])
        self.flow(-1, 0)
        return self.result

    def some(self, feature: int, probability: float) -> bool:
        return feature in self.features and self.rng.random() < probability

    def flow(self, parent: int, depth: int) -> int:
        rng, index = self.rng, len(self.result["flows"])
        pattern = rng.choice(["linear", "unordered", "graph"])
        spec: Definition = {"name": f"f{index}", "parent": parent, "pattern": pattern, "children": []}
        self.result["flows"].append(spec)
        if self.some(CONTROLLERS, 0.5):
            spec["retry"] = self.controller()
        if parent >= 0 and self.some(CONDITIONS, 0.4):
            spec["if"], spec["skip"] = "x", rng.choice(["task", "dependents", "flow"])
        if parent >= 0:
            self.maybe_over_a_list(spec)
        for _ in range(rng.randint(0, 2 if rng.random() < 0.2 else 5)):
            if self.left <= 0:
                break
            if depth < 3 and rng.random() < 0.35:
                spec["children"].append(["flow", self.flow(index, depth + 1)])
            else:
                spec["children"].append(["task", self.task(index)])
        if pattern == "graph":
            spec["edges"] = self.edges(len(spec["children"]))
        return index

    def edges(self, size: int) -> list[list[int]]:
        """Along a random order of the children: what comes first in the file may come last in the graph."""
        order = list(range(size))
        if self.rng.random() < 0.4:
            self.rng.shuffle(order)
        density = self.rng.choice([0.2, 0.4, 0.7])
        return [[order[a], order[b]] for b in range(size) for a in range(b) if self.rng.random() < density]

    def controller(self) -> Definition:
        rng, spec = self.rng, {}
        kind = rng.random()
        if kind < 0.6:
            spec["attempts"] = rng.randint(1, 3)
        elif kind < 0.8:
            spec["for_each"] = ["v"] * rng.randint(0, 3)
        else:
            spec["for_each"] = "inputs.list"
        if rng.random() < 0.4:
            spec["delay"] = rng.choice([0.5, 5.0])
        if rng.random() < 0.2:
            spec["exhausted"] = "revert_all"
        return spec

    def task(self, flow: int) -> int:
        rng, index = self.rng, len(self.result["tasks"])
        self.left -= 1
        spec: Definition = {"name": f"t{index}", "flow": flow, "kind": "run", "fields": {}}
        self.result["tasks"].append(spec)
        spec["revert"] = {"form": "action"}
        if self.some(SAVEPOINTS, 0.2):
            spec |= {"name": f"s{index}", "kind": "savepoint", "savepoint": True, "revert": {"form": "none"}}
            return index
        self.maybe_over_a_list(spec)
        if self.some(APPROVALS, 0.3):
            return self.approval(spec, index)
        if self.some(UNDOS, 0.4):
            spec["revert"] = self.revert()
        if self.some(CONDITIONS, 0.3):
            spec["if"], spec["skip"] = "x", rng.choice(["task", "dependents", "flow"])
        if self.some(RETRIES, 0.4):
            spec["retry"] = {"attempts": rng.randint(1, 3), "delay": rng.choice([0.0, 0.0, 0.5, 5.0])}
        if self.some(TOLERANCE, 0.3):
            spec["allow_failure"] = True
        if self.some(LOSSES, 0.6):
            spec["on_lost"] = rng.choice(["rerun", "revert", "ask"])
        if self.some(LOSSES, 0.4):
            spec["probe"] = {"kind": "run", "fields": {}}
        if self.some(PIVOTS, 0.2):
            spec["pivot"] = True
        return index

    def maybe_over_a_list(self, spec: Definition) -> None:
        if self.some(FAN_OUTS, 0.3):
            spec["for_each"] = "inputs.list"
            if self.rng.random() < 0.5:
                spec["max_parallel"] = self.rng.randint(1, 2)

    def approval(self, spec: Definition, index: int) -> int:
        """Suspends the run until a person decides; without an effect of its own."""
        spec |= {"kind": "approve", "revert": {"form": "none"}}
        return index

    def revert(self) -> Definition:
        form = self.rng.choice(["action", "action", "none", "unstated", "impossible", "auto"])
        revert: Definition = {"form": form}
        if form == "action":
            revert["retry"] = {"attempts": self.rng.randint(1, 3), "delay": self.rng.choice([0.0, 0.5])}
        return revert
