"""The rules of order, slowly: what a flow's transitions must be when one task runs at a time.

Written from the rules alone and as plainly as can be: it looks at everything again before each move. The machine, which looks at
nothing twice, is compared with it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

DONE = ("SUCCESS", "IGNORE")


class Item:
    """A task, or the controller of a flow that is retried. ``flow`` is what it is in; a controller is in its own flow."""

    def __init__(self, kind: str, spec: dict[str, Any], flow: "Flow") -> None:
        self.kind, self.spec, self.flow = kind, spec, flow
        self.state = "PENDING"
        self.name = spec["name"]
        self.needs: list[Item] = []


class Flow:
    def __init__(self, spec: dict[str, Any], parent: "Flow | None") -> None:
        self.spec, self.parent = spec, parent
        self.controller = Item("retry", spec, self) if "retry" in spec else None
        self.children = [Flow(c, self) if "tasks" in c else Item("task", c, self) for c in spec["tasks"]]

    def items(self) -> Iterator[Item]:
        """In file order."""
        if self.controller:
            yield self.controller
        for child in self.children:
            yield from [child] if isinstance(child, Item) else child.items()

    def before(self, index: int) -> list["Flow | Item"]:
        """The children that the one at ``index`` waits for."""
        pattern = self.spec.get("pattern", "linear")
        if pattern == "linear":
            return self.children[:index]
        needed = self.children[index].spec.get("needs", []) if pattern == "graph" else []
        return [child for child in self.children if child.spec["name"] in needed]

    def connect(self, outside: list[Item]) -> None:
        """Tell every item all it waits for directly; ``outside`` is what the flow as a whole waits for."""
        if self.controller:
            self.controller.needs = outside
            outside = [*outside, self.controller]
        for index, child in enumerate(self.children):
            needs = list(outside)
            for earlier in self.before(index):
                needs += [earlier] if isinstance(earlier, Item) else earlier.items()
            if isinstance(child, Item):
                child.needs = needs
            else:
                child.connect(needs)

    def chain(self) -> Iterator["Flow"]:
        """The flow and those around it, the innermost first."""
        yield self
        if self.parent:
            yield from self.parent.chain()


class Oracle:
    """``events`` is what must be seen, as ``kind name STATE``."""

    def __init__(self, workflow: dict[str, Any]) -> None:
        self.root = Flow(workflow, None)
        self.root.connect([])
        self.events: list[str] = []
        self.started: list[Item] = []
        self.tries: Counter[str] = Counter()
        self.rounds: Counter[str] = Counter()
        self.run()

    def tell(self, state: str) -> None:
        self.events.append(f"flow {self.root.spec['name']} {state}")

    def move(self, item: Item, *states: str) -> None:
        for state in states:
            item.state = state
            self.events.append(f"{item.kind} {item.name} {state}")

    def run(self) -> None:
        self.tell("RUNNING")
        while True:
            ready = (
                i for i in self.root.items() if i.state == "PENDING" and all(n.state in DONE for n in i.needs)
            )
            item = next(ready, None)
            if item is None:
                break
            if item.kind == "retry":
                self.rounds[item.name] = 1
                self.started.append(item)
                self.move(item, "RUNNING", "SUCCESS")
            elif "if" in item.spec:
                self.ignore(item)
            elif not self.works(item) and not self.again(item):
                return
        self.tell("SUCCESS")

    def ignore(self, item: Item) -> None:
        reach = item.spec.get("skip", "task")
        self.move(item, "IGNORE")
        for other in self.root.items() if reach != "task" else ():
            near = reach == "dependents" or item.flow in other.flow.chain()
            if other.state == "PENDING" and near and item in self.ancestors(other):
                self.move(other, "IGNORE")

    def works(self, item: Item) -> bool:
        self.started.append(item)
        left = item.spec.get("retry", {}).get("attempts", 1)
        while True:
            self.tries[item.name] += 1
            self.move(item, "RUNNING")
            if self.tries[item.name] > item.spec.get("fails", 0):
                self.move(item, "SUCCESS")
                return True
            self.move(item, "FAILURE")
            left -= 1
            if not left:
                return False
            self.move(item, "RETRYING")

    def again(self, failed: Item) -> bool:
        """Whether the run goes on, because some controller runs its flow again."""
        flow = self.scope(failed)
        if flow is None:
            self.tell("FAILURE")
            self.tell("REVERTING")
        ended = self.undo(flow or self.root, own=flow is None)
        if flow is None or not ended:
            self.tell("REVERTED" if ended else "FAILURE")
            return False
        assert flow.controller
        self.move(flow.controller, "RETRYING")
        for item in flow.items():
            if item is not flow.controller and item.state != "PENDING":
                self.move(item, "PENDING")
        self.rounds[flow.controller.name] += 1
        self.move(flow.controller, "RUNNING", "SUCCESS")
        return True

    def scope(self, failed: Item) -> Flow | None:
        for flow in failed.flow.chain():
            if flow.controller:
                retry = flow.spec["retry"]
                if self.rounds[flow.spec["name"]] < retry["attempts"]:
                    return flow
                if retry.get("exhausted") == "revert_all":
                    return None
        return None

    def undo(self, flow: Flow, *, own: bool) -> bool:
        """Undo what is applied in the flow, the last first; an undo that fails is the end of the whole run's forward way."""
        inside = {item for item in flow.items() if own or item is not flow.controller}
        kept: set[Item] = set()
        while True:
            left = [item for item in self.started if item in inside and item.state in ("SUCCESS", "FAILURE")]
            item = next((each for each in reversed(left) if each not in kept), None)
            if item is None:
                return not kept
            self.move(item, "REVERTING")
            if not item.spec.get("undo_fails") or item.kind == "retry":
                self.move(item, "REVERTED")
                self.started.remove(item)
                continue
            self.move(item, "REVERT_FAILURE")
            kept |= {item, *self.ancestors(item)}
            if not own:
                own, inside = True, set(self.root.items())
                self.tell("FAILURE")
                self.tell("REVERTING")

    def ancestors(self, item: Item) -> set[Item]:
        found: set[Item] = set()
        todo = list(item.needs)
        while todo:
            each = todo.pop()
            if each not in found:
                found.add(each)
                todo += each.needs
        return found
