"""May a run go on with a workflow file that has changed? Only where what it has done stays what the file says.

A task that was begun may have to be undone, with what it was done with: it has to be as it was, and so have the flows
around it and what it uses of the file's other parts. Of a task that failed and will be done again the doing may change,
but not its undo. What was not begun, or is undone, may change, come, go and move, but not to before what is done.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from taskrun.drivers.values import ITEMS
from taskrun.engine.expand import declared_name
from taskrun.engine.flow import ROOT, TASK
from taskrun.engine.machine import Machine
from taskrun.engine.record import ROLLING
from taskrun.engine.states import FAILURE, IGNORE, PENDING, RETRYING, REVERT_FAILURE, REVERTED
from taskrun.journal.base import Entry
from taskrun.journal.codec import encode_any
from taskrun.spec.inputs import resolve_inputs

Definition = Mapping[str, Any]
Spec = Mapping[str, Any]

_PLACE = frozenset({"line", "column", "flow", "name", "parent", "children", "edges"})
_FOR_PEOPLE = frozenset({"description", "tags"})
_UNDO = frozenset(
    {
        "revert",
        "inputs",
        "env",
        "cwd",
        "shell",
        "lock",
        "for_each",
        "as",
        "probe",
        "on_lost",
        "pivot",
        "if",
        "skip",
    }
)
_UNTOUCHED = frozenset({PENDING, REVERTED})
_TO_BE_DONE_AGAIN = frozenset({FAILURE, RETRYING})


class Objection(NamedTuple):
    """``line``: in the file as it is now; 0 where it is about nothing that is in there."""

    line: int
    message: str


class Begun(NamedTuple):
    """What stands of a task: ``state`` to say it; ``doing_is_free``: it failed and will be done again."""

    state: str
    doing_is_free: bool


def objections(
    old: Definition, new: Definition, machine: Machine, entries: Sequence[Entry]
) -> list[Objection]:
    """Why a run of ``old``, which stands as ``machine`` does, cannot go on with ``new``; empty if it can."""
    if new["name"] != old["name"]:
        return [Objection(1, f"the workflow is called {new['name']} now, it was {old['name']}")]
    return sorted(set(_Comparison(old, new, machine, entries).objections()))


class _Comparison:
    def __init__(self, old: Definition, new: Definition, machine: Machine, entries: Sequence[Entry]) -> None:
        self._old = old
        self._new = new
        self._begun = begun_tasks(machine)
        self._known = {
            declared_name(each.name)
            for each in entries
            if each.kind == ITEMS and each.data and "items" in each.data
        }
        self._tried = {declared_name(entry.name) for entry in entries if entry.kind == "task"}
        self._tasks = {task["name"]: task for task in new["tasks"]}
        self._flows = {flow["name"]: index for index, flow in enumerate(new["flows"]) if index}
        self._holding = self._flows_that_are_begun(machine)

    def objections(self) -> Iterator[Objection]:
        for task in self._old["tasks"]:
            name = task["name"]
            if name in self._begun:
                yield from self._of_begun(task, self._begun[name])
            elif name in self._known:
                yield from self._of_begun(task, Begun("begun", doing_is_free=False))
            elif name in self._tried:
                yield from self._of_tried(task)
        for index in sorted(self._holding):
            yield from self._of_flow(index)
        if self._begun:
            yield from self._of_shared()

    # ------------------------------------------------------------------ tasks

    def _of_begun(self, task: Spec, begun: Begun) -> Iterator[Objection]:
        name = task["name"]
        now = self._tasks.get(name)
        if now is None:
            where = f"(line {task['line']} as the run was started)"
            yield Objection(0, f"task {name} {where} is {begun.state}, and no longer in the file")
            return
        changed = _differences(task, now, _PLACE | _FOR_PEOPLE)
        if begun.doing_is_free and task["revert"]["form"] != "auto":
            changed = [key for key in changed if key in _UNDO]
        if changed:
            message = f"task {name} is {begun.state}, and its {_listed(changed, now)} changed"
            if begun.state == REVERT_FAILURE:
                message += f" (undo it by hand, and say so: `taskrun resolve latest {name} --undone`)"
            yield Objection(now["line"], message)
        elif _path(self._old, task) != _path(self._new, now):
            yield Objection(now["line"], f"task {name} is {begun.state}, and has moved to another flow")

    def _of_tried(self, task: Spec) -> Iterator[Objection]:
        """It may change and go, but its history is told by its name and the flows around it."""
        name = task["name"]
        now = self._tasks.get(name)
        if name in self._flows:
            message = f"{name} was a task that this run has tried: the flow needs another name"
            yield Objection(self._new["flows"][self._flows[name]]["line"], message)
        elif now is not None and _path(self._old, task) != _path(self._new, now):
            message = (
                f"task {name} was tried in this run, and has moved to another flow: give it another name"
            )
            yield Objection(now["line"], message)

    # ------------------------------------------------------------------ flows

    def _flows_that_are_begun(self, machine: Machine) -> set[int]:
        """Those with something in them that was begun, or with a condition or a list that is decided."""
        flows, flow, record = self._old["flows"], machine.flow, machine.record
        names = {
            declared_name(section.name)
            for section in flow.sections[1:]
            if section.begin in record.decided or record.state[section.begin] not in _UNTOUCHED
        }
        names |= self._known
        found = {index for index, each in enumerate(flows) if index and each["name"] in names}
        found |= {task["flow"] for task in self._old["tasks"] if task["name"] in {*self._begun, *self._known}}
        for index in sorted(found, reverse=True):
            up = flows[index]["parent"]
            while up >= ROOT:
                found.add(up)
                up = flows[up]["parent"]
        return found

    def _of_flow(self, index: int) -> Iterator[Objection]:
        flow = self._old["flows"][index]
        at = self._flows.get(flow["name"]) if index else ROOT
        if at is None:
            where = f"(line {flow['line']} as the run was started)"
            yield Objection(0, f"flow {flow['name']} {where} was begun, and is no longer in the file")
            return
        now = self._new["flows"][at]
        what = (
            f"flow {flow['name']} was begun, and" if index else "tasks are done already, and the workflow's"
        )
        changed = _differences(flow, now, _PLACE | _FOR_PEOPLE)
        if changed:
            yield Objection(now["line"], f"{what} {'its ' if index else ''}{_listed(changed, now)} changed")
        elif self._order(self._old, flow) != self._order(self._new, now):
            about = f"flow {flow['name']}" if index else "the workflow"
            yield Objection(now["line"], f"what was begun of {about} stands in another order now")

    def _order(self, definition: Definition, flow: Spec) -> Any:
        """Of what is begun in a flow: its order in the file, and in a graph what depends on what."""
        names = [definition[f"{kind}s"][which]["name"] for kind, which in flow["children"]]
        holding = {self._old["flows"][index]["name"] for index in self._holding if index}
        begun = {*self._begun, *self._known, *holding}
        edges = {(names[a], names[b]) for a, b in flow.get("edges", ())}
        return [name for name in names if name in begun], {edge for edge in edges if begun >= {*edge}}

    # ------------------------------------------------------------------ what tasks share

    def _of_shared(self) -> Iterator[Objection]:
        if self._old.get("env_file") != self._new.get("env_file"):
            yield Objection(0, "what is done was done with another env_file")
        for name, value in self._old.get("env", {}).items():
            if self._new.get("env", {}).get(name) != value:
                yield Objection(0, f"what is done was done with another value of {name} in env")
        used = encode_any([task for task in self._old["tasks"] if task["name"] in self._begun])
        for kind in ("secrets", "inputs"):
            for name, spec in self._old.get(kind, {}).items():
                is_other = self._new.get(kind, {}).get(name) != spec
                if is_other and f"{kind}.{name}" in used and (kind == "secrets" or spec.get("fixed")):
                    yield Objection(0, f"what is done was done with another {kind.removesuffix('s')} {name}")


def begun_tasks(machine: Machine) -> dict[str, Begun]:
    """By the name in the file: what was begun, and is not undone."""
    flow, record = machine.flow, machine.record
    nodes: dict[str, list[int]] = {}
    for node in flow.tasks:
        nodes.setdefault(declared_name(flow.names[node]), []).append(node)
    found = {}
    for name, every in nodes.items():
        left = [n for n in every if record.state[n] not in _UNTOUCHED and not _is_as_if_never(machine, n)]
        if left:
            states = {record.state[n] for n in left}
            again = states <= _TO_BE_DONE_AGAIN and not any(flow.tolerated[n] for n in every)
            found[name] = Begun(record.state[left[0]], again)
    return found


def _is_as_if_never(machine: Machine, node: int) -> bool:
    """It failed before it had begun, and will be done anew from its condition on."""
    record = machine.record
    is_anew = record.phase != ROLLING and not machine.flow.tolerated[node]
    return record.state[node] == FAILURE and bool(record.inert[node]) and is_anew


def too_late(old: Machine, new: Machine, definition: Definition) -> list[Objection]:
    """Tasks that are still to be done, but would stand before others that are done already."""
    if old.record.phase == ROLLING:
        return []
    flow, record = new.flow, new.record
    lines = {task["name"]: task["line"] for task in definition["tasks"]}
    before: dict[int, int] = {}  # a node -> what is still to be done before it
    stack = []
    for node in flow.tasks:
        if record.state[node] in _UNTOUCHED:
            before[node] = node
            stack.append(node)
    found = []
    while stack:
        node = stack.pop()
        for after in flow.successors[node]:
            if after in before:
                continue
            before[after] = before[node]
            if flow.kinds[after] == TASK and record.state[after] not in (*_UNTOUCHED, IGNORE):
                name, done = declared_name(flow.names[before[node]]), flow.names[after]
                message = f"task {name} would have to be done before {done}, which is {record.state[after]}"
                found.append(Objection(lines.get(name, 0), message))
            else:
                stack.append(after)
    return found


def changes(old: Definition, new: Definition) -> str:
    """In words: which tasks are new, gone or other than before."""
    before = {task["name"]: task for task in old["tasks"]}
    after = {task["name"]: task for task in new["tasks"]}
    other = [
        name for name, task in after.items() if name in before and _differences(before[name], task, _PLACE)
    ]
    parts = [
        (other, "changed"),
        (
            [n for n, task in after.items() if n in before and _path(old, before[n]) != _path(new, task)],
            "moved",
        ),
        ([name for name in after if name not in before], "new"),
        ([name for name in before if name not in after], "gone"),
    ]
    return "; ".join(f"{word}: {', '.join(names)}" for names, word in parts if names) or "no task has changed"


def inputs(new: Definition, values: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The values the run was given, as far as the file still asks for them, and defaults of what it asks for now.

    Raises:
        UsageError: it asks for something else.

    """
    declared = new.get("inputs", {})
    given = {
        name: value for name, value in values.items() if name in declared and not declared[name].get("fixed")
    }
    return resolve_inputs(new, given, environ)


def told(found: Iterable[Objection]) -> list[str]:
    return [f"  line {line}: {message}" if line else f"  {message}" for line, message in found]


def _differences(one: Spec, other: Spec, but: Iterable[str]) -> list[str]:
    keys = [key for key in (*one, *(key for key in other if key not in one)) if key not in but]
    return [key for key in keys if one.get(key) != other.get(key)]


def _listed(keys: Sequence[str], spec: Spec) -> str:
    """As they are called in the file: an action stands under its own name."""
    names = dict.fromkeys(spec["kind"] if key in ("kind", "fields") else key for key in keys)
    return f"{', '.join(names)} {'has' if len(names) == 1 else 'have'}"


def _path(definition: Definition, task: Spec) -> list[str]:
    """The names of the flows around it."""
    found, flow = [], task["flow"]
    while flow >= ROOT:
        found.append(definition["flows"][flow]["name"])
        flow = definition["flows"][flow]["parent"]
    return found
