"""What tasks and nested flows have in common: a name, a place, conditions, and a fan-out."""

from typing import Any, NamedTuple

from taskrun.spec.compiling.references import BARE, TEXT, bare, scan
from taskrun.spec.compiling.scopes import ALL_ROOTS, Element, Scope
from taskrun.spec.compiling.unit import Entry, Needs
from taskrun.spec.marks import Mark


class Around(NamedTuple):
    """What encloses an entry: its flow, the names of items, and the controllers with whether they have values."""

    flow: int
    items: frozenset[str] = frozenset()
    controllers: tuple[tuple[str, bool], ...] = ()

    def scope(self, place: str, where: str, element: Element) -> Scope:
        return Scope(place, where, element, self.items, self.controllers)


class Layout:
    """The two lists of a definition while they grow, and what included files add to it."""

    def __init__(self) -> None:
        self.flows: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []
        self.foreign: set[int] = set()  # flows that came from included files
        self.secrets: dict[str, dict[str, Any]] = {}
        self.fixed: dict[str, dict[str, Any]] = {}  # inputs of included files, settled by who includes them
        self.verify_revert: list[dict[str, Any]] = []

    def add_flow(self, name: str, parent: int, pattern: str, mark: Mark) -> int:
        flow = {"name": name, "parent": parent, "pattern": pattern, "children": []}
        flow.update(line=mark.line, column=mark.column)
        self.flows.append(flow)
        return len(self.flows) - 1

    def add_child(self, flow: int, kind: str, index: int) -> None:
        self.flows[flow]["children"].append([kind, index])


def entry_name(entry: Entry, key: str, element: Element) -> str:
    """The name of an entry; a missing or a second one is reported."""
    unit = entry.unit
    name: str | None = entry.spec.get(key)
    if name is None:
        return _nameless(entry, key, element)
    first = unit.marks.get(name)
    if element[0] == "flow" and name == unit.document["name"]:
        message = f"the name `{name}` is taken: it is that of the whole workflow"
        entry.at_value("TR301", message, key, "events of flows are told apart by their names")
    elif first is not None:
        message = f"the name `{name}` is taken: line {first.line} has it too"
        entry.at_value("TR301", message, key, "names are unique in the file, those of flows included")
    else:
        unit.elements[name] = element
        unit.marks[name] = entry.tree.value_marks.get(key, entry.tree.mark)
    return name


def _nameless(entry: Entry, key: str, element: Element) -> str:
    lost = entry.unit.removed.get(id(entry.tree), {}).get(key)
    if lost is None and not entry.lost(key):
        what = "flow" if element[0] == "flow" else "task"
        entry.at_start("TR202", f"this {what} has no name", "add `name: ...`")
    # What refers to a name that is wrong is not wrong a second time.
    name = str(lost) if lost is not None else f"_{len(entry.unit.elements)}"
    entry.unit.elements.setdefault(name, element)
    return name


def place_needs(layout: Layout, entry: Entry, around: Around) -> None:
    """Keep ``needs`` for when all names are known."""
    names = entry.spec.get("needs")
    if names is None:
        return
    flow = layout.flows[around.flow]
    if flow["pattern"] != "graph":
        help_ = f"this flow is `{flow['pattern']}`: say `pattern: graph`"
        if flow["pattern"] == "linear":
            help_ += ", or leave `needs` out: each task waits for the one above"
        entry.at_key("TR602", "`needs` is for `pattern: graph`", "needs", help_)
        return
    position = len(flow["children"])
    if isinstance(names, str):
        marks, names = [entry.tree.value_marks["needs"]], [names]
    else:
        marks = entry.tree["needs"].item_marks
    entry.unit.needs += [
        Needs(around.flow, position, name, mark) for name, mark in zip(names, marks, strict=True)
    ]


def conditions(entry: Entry, out: dict[str, Any], scope: Scope) -> None:
    """``if`` and ``skip``."""
    if "if" in entry.spec:
        scan(entry.unit, entry.tree, "if", scope.at("if", "`if`"), BARE)
        out["if"] = bare(entry.spec["if"])
    if "skip" in entry.spec:
        out["skip"] = entry.spec["skip"]
        if "if" not in entry.spec and not entry.lost("if"):
            message = "`skip` says how far an `if` reaches, and there is no `if`"
            entry.at_key("TR211", message, "skip")


def fan_out(entry: Entry, out: dict[str, Any], scope: Scope) -> frozenset[str]:
    """``for_each`` with its ``as`` and ``max_parallel``; gives the names of the item."""
    name = entry.spec.get("as", "item")
    names = frozenset({"item", name})
    if name in ALL_ROOTS and name != "item":
        entry.at_value("TR209", f"`{name}` means something else in expressions", "as", "choose another name")
    if "for_each" not in entry.spec:
        if entry.lost("for_each"):
            return names
        for key in ("as", "max_parallel"):
            if key in entry.spec:
                entry.at_key("TR211", f"`{key}` goes with `for_each`", key)
        return frozenset()
    value = entry.spec["for_each"]
    is_source = isinstance(value, str)
    scan(entry.unit, entry.tree, "for_each", scope.at("for_each", "`for_each`"), BARE if is_source else TEXT)
    out["for_each"] = bare(value) if is_source else value
    for key in ("as", "max_parallel"):
        if key in entry.spec:
            out[key] = entry.spec[key]
    return names
