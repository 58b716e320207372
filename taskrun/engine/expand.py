"""Fan-out: a task or a nested flow with `for_each` becomes a flow of its items once its list is known.

A flow is immutable, so knowing a list means another flow: the definition is expanded and compiled again, and the
machine restored in it from the same transitions, which speak of tasks by name. Until its list is known a fan-out is an
empty flow whose beginning asks for it.

    push over [a, b]                    push[0], push[1]
    a flow `site` with a task `fetch`   site[0].fetch, site[1].fetch

A list that may be another one the next time (it asks about tasks, or about the round of a controller) is asked for again
in each round: see ``Record.stale``. Items never go: those that are too many are ignored in that round, so the history stays
one of these names; ``known_lists`` says how many there have to be.

What comes of an item carries ``bound`` (the names of the item and of the items around it) and ``prefix`` (what is put
before a task's name to find the one of the same item).
"""

from collections.abc import Mapping, Sequence
from typing import Any

Lists = Mapping[str, Sequence[Any]]

_OF_THE_FAN_OUT = frozenset({"for_each", "max_parallel", "as"})


def has_fan_out(definition: Mapping[str, Any]) -> bool:
    return any("for_each" in each for kind in ("tasks", "flows") for each in definition[kind])


def expand(definition: Mapping[str, Any], lists: Lists) -> dict[str, Any]:
    """The definition with every fan-out as a flow: of its items as ``lists`` has them, or still empty."""
    return _Expansion(definition, lists).result()


def known_lists(before: Lists, name: str, items: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """With the list that is known now, as long as the longest that was known."""
    return {**before, name: [*items, *before.get(name, ())[len(items) :]]}


def _may_change(source: Any) -> bool:
    """Is this list another one, perhaps, when its flow runs again?"""
    texts = source if isinstance(source, list) else [source]
    return any(isinstance(text, str) and ("tasks" in text or "retr" in text) for text in texts)


def declared_name(name: str) -> str:
    """The name in the file: ``fetch`` of ``site[0].fetch[1]``."""
    return name.rpartition("].")[2].partition("[")[0]


class _Around:
    """Where something stands: below which flow of the result, within which items."""

    __slots__ = ("bound", "parent", "prefix")

    def __init__(self, parent: int, prefix: str, bound: Mapping[str, Any]) -> None:
        self.parent = parent
        self.prefix = prefix
        self.bound = bound

    def marks(self) -> dict[str, Any]:
        return {"bound": self.bound, "prefix": self.prefix} if self.bound else {}


class _Expansion:
    def __init__(self, definition: Mapping[str, Any], lists: Lists) -> None:
        self._definition = definition
        self._lists = lists
        self._flows: list[dict[str, Any]] = []
        self._tasks: list[dict[str, Any]] = []

    def result(self) -> dict[str, Any]:
        root = self._definition["flows"][0]
        self._flow(root, root["name"], _Around(-1, "", {}))
        return {**self._definition, "flows": self._flows, "tasks": self._tasks}

    def _flow(self, flow: Mapping[str, Any], name: str, around: _Around) -> int:
        """A flow with all that is in it. Flows nest a few deep at most, so this may recurse."""
        index = len(self._flows)
        own = {key: value for key, value in flow.items() if key not in _OF_THE_FAN_OUT}
        new = {**own, "name": name, "parent": around.parent, "children": [], **around.marks()}
        self._flows.append(new)
        inside = _Around(index, around.prefix, around.bound)
        for kind, which in flow["children"]:
            spec = self._definition[f"{kind}s"][which]
            if "for_each" in spec:
                new["children"].append(["flow", self._fan_out(kind, spec, inside)])
            elif kind == "flow":
                new["children"].append(["flow", self._flow(spec, inside.prefix + spec["name"], inside)])
            else:
                new["children"].append(["task", self._task(spec, inside.prefix + spec["name"], inside)])
        return index

    def _task(self, task: Mapping[str, Any], name: str, around: _Around) -> int:
        if around.bound:
            own = {key: value for key, value in task.items() if key not in _OF_THE_FAN_OUT}
            task = {**own, "name": name, "flow": around.parent, **around.marks()}
        elif task["flow"] != around.parent:
            task = {**task, "flow": around.parent}
        self._tasks.append(task if isinstance(task, dict) else dict(task))
        return len(self._tasks) - 1

    def _fan_out(self, kind: str, spec: Mapping[str, Any], around: _Around) -> int:
        index, name = len(self._flows), around.prefix + spec["name"]
        flow: dict[str, Any] = {"name": name, "parent": around.parent, "pattern": "unordered", "children": []}
        self._flows.append({**flow, **around.marks()})
        new = self._flows[index]
        if kind == "task" and spec.get("outputs"):
            new["gives"] = list(spec["outputs"])  # also of a list with nothing in it
        if "max_parallel" in spec:
            new["limit"] = spec["max_parallel"]
        items = self._lists.get(name)
        if items is None:
            new.update(expands=True, for_each=spec["for_each"])
            return index
        if _may_change(spec["for_each"]):
            new.update(relists=True, for_each=spec["for_each"])
        for number, item in enumerate(items):
            own = f"{name}[{number}]"
            bound = {**around.bound, "item": item, spec.get("as", "item"): item}
            if kind == "task":
                inside = _Around(index, around.prefix, bound)
                new["children"].append(["task", self._task(spec, own, inside)])
            else:
                new["children"].append(["flow", self._flow(spec, own, _Around(index, f"{own}.", bound))])
        return index
