"""The order inside flows: edges from ``needs`` and from references, lifted to siblings; what cannot be ordered."""

from typing import Any

from taskrun.spec.compiling.calls import traits_of
from taskrun.spec.compiling.cycles import cycles
from taskrun.spec.compiling.entries import Layout
from taskrun.spec.compiling.positions import Edges, Positions
from taskrun.spec.compiling.references import Wrong, may_give, report
from taskrun.spec.compiling.rewording import did_you_mean
from taskrun.spec.compiling.scopes import TASK_PARTS, Element
from taskrun.spec.compiling.unit import Needs, Reference, Unit

_BETTER_THAN_ITSELF = {"revert": "self.outputs", "outputs": "result", "verify": "result"}


def order(layout: Layout, unit: Unit) -> None:
    """Work out ``needs`` and the references of one file, and write the edges into its graph flows."""
    ordering = _Ordering(layout, unit)
    for needs in unit.needs:
        ordering.resolve_needs(needs)
    for reference in unit.references:
        ordering.resolve_reference(reference)
    ordering.edges.settle()
    for index, flow in enumerate(layout.flows):
        if flow.get("edges") and index not in layout.foreign:
            for cycle in cycles(len(flow["children"]), flow["edges"]):
                ordering.report_cycle(flow, cycle)


class _Ordering:
    def __init__(self, layout: Layout, unit: Unit) -> None:
        self.layout = layout
        self.unit = unit
        self.positions = Positions(layout)
        self.edges = Edges(layout)

    def resolve_needs(self, needs: Needs) -> None:
        element = self.unit.elements.get(needs.name)
        if element is None:
            if not self.unit.has_lost_names:
                help_ = did_you_mean(needs.name, self._siblings(needs))
                self._wrong_needs(needs, "TR310", f"there is no task or flow `{needs.name}`", help_)
            return
        flow, position = self.positions.place(element)
        if flow != needs.flow:
            message = f"`{needs.name}` is not in this flow: it is in {self._label(flow)}"
            self._wrong_needs(needs, "TR311", message, self._cousin_help(needs, element, flow))
        elif position == needs.position:
            self._wrong_needs(needs, "TR603", f"`{needs.name}` needs itself")
        else:
            self.edges.add(flow, position, needs.position)

    def _wrong_needs(self, needs: Needs, id_: str, message: str, help_: str | None = None) -> None:
        self.unit.problems.error(id_, message, needs.mark, len(needs.name), help_)

    def _label(self, flow: int) -> str:
        return f"flow `{self.layout.flows[flow]['name']}`" if flow else "the workflow itself"

    def _name(self, child: list[Any]) -> str:
        kind, index = child
        name: str = (self.layout.tasks if kind == "task" else self.layout.flows)[index]["name"]
        return name

    def _siblings(self, needs: Needs) -> list[str]:
        children = self.layout.flows[needs.flow]["children"]
        return [self._name(child) for position, child in enumerate(children) if position != needs.position]

    def _cousin_help(self, needs: Needs, element: Element, flow: int) -> str:
        """Name what stands beside: the flow around the named one, or the flow around the needing one."""
        flows = self.layout.flows
        if element[0] == "flow" and self._is_around(element[1], needs.flow):
            return "it is the flow around this one, which cannot wait for itself"
        while flow > 0 and flows[flow]["parent"] != needs.flow:
            flow = flows[flow]["parent"]
        if flow > 0 and self.positions.of_flow[flow] != needs.position:
            return f"need the flow it is in: `{flows[flow]['name']}`"
        if flow > 0:
            return "it is inside this very flow"
        return f"give the `needs` to the flow `{flows[needs.flow]['name']}`"

    def _is_around(self, outer: int, inner: int) -> bool:
        while inner > 0 and inner != outer:
            inner = self.layout.flows[inner]["parent"]
        return inner == outer

    def resolve_reference(self, reference: Reference) -> None:
        name = reference.names[1]
        element = self.unit.elements.get(name)
        if element is None:
            if not self.unit.has_lost_names:
                help_ = did_you_mean(name, self.unit.elements, list_all=8)
                self._wrong(reference, Wrong("TR306", f"there is no task `{name}`", help_, 1))
        elif element[0] == "flow":
            help_ = (
                f'name a task inside it: `tasks["{name}.TASK"]`'
                if element[1] in self.layout.foreign
                else "name a task inside it"
            )
            message = f"`{name}` is a flow, and only tasks have outputs and a state"
            self._wrong(reference, Wrong("TR315", message, help_, 1))
        else:
            check_parts(self.layout.tasks[element[1]], self.unit, reference)
            if reference.scope.element is not None:
                self._order(reference, reference.scope.element, element)

    def _wrong(self, reference: Reference, wrong: Wrong) -> None:
        report(self.unit, reference, wrong)

    def _order(self, reference: Reference, here: Element, there: Element) -> None:
        flow, mine, theirs = self.positions.lift(here, there)
        pattern = self.layout.flows[flow]["pattern"]
        name = reference.names[1]
        if mine == theirs:
            self._inside_itself(reference, here, there)
        elif pattern == "graph":
            self.edges.add(flow, theirs, mine)
        elif pattern == "unordered":
            message = f"`{name}` may run later or at the same time: {self._label(flow)} has no order"
            help_ = "use `pattern: graph`, where a reference makes an order"
            self._wrong(reference, Wrong("TR605", message, help_, 1))
        elif theirs > mine:
            message = f"`{name}` runs later: in a linear flow only what stands above is known"
            self._wrong(reference, Wrong("TR604", message, "move it up, or use `pattern: graph`", 1))

    def _inside_itself(self, reference: Reference, here: Element, there: Element) -> None:
        if here != there:
            self._wrong(reference, Wrong("TR603", "a flow cannot refer to what is inside it", part=1))
            return
        better = _BETTER_THAN_ITSELF.get(reference.scope.place)
        help_ = f"use `{better}`" if better else None
        self._wrong(reference, Wrong("TR603", "a task cannot refer to itself by name", help_, 1))

    def report_cycle(self, flow: dict[str, Any], cycle: list[int]) -> None:
        names = [self._name(flow["children"][position]) for position in cycle]
        path = " -> ".join([*names, names[0]])
        mark = self.unit.marks.get(names[0], self.unit.tree.mark)
        help_ = "`a -> b` means b waits for a, by `needs` or by a reference to an output"
        message = f"these wait for each other: {path}"
        self.unit.problems.error("TR601", message, mark, len(names[0]), help_)


def check_parts(task: dict[str, Any], unit: Unit, reference: Reference) -> None:
    """What stands behind ``tasks.NAME``."""
    names, outputs = reference.names, task.get("outputs", {})
    if len(names) > 2 and names[2] not in TASK_PARTS:
        help_ = did_you_mean(names[2], TASK_PARTS)
        if names[2] in outputs:
            help_ = f"did you mean `tasks.{names[1]}.outputs.{names[2]}`?"
        elif names[2] == "result":
            help_ = f"declare an output of `{names[1]}`, as `outputs: {{text: result.stdout}}`"
        report(unit, reference, Wrong("TR308", f"a task has no `{names[2]}`", help_, 2))
    elif len(names) > 3 and names[2] == "outputs" and names[3] not in outputs:
        dynamic = task["kind"] != "savepoint" and traits_of(task["kind"]).dynamic
        if may_give(task["fields"] if dynamic else None, names[3], outputs):
            return
        help_ = did_you_mean(names[3], outputs) or f"declare it under `outputs:` of `{names[1]}`"
        report(unit, reference, Wrong("TR307", f"task `{names[1]}` has no output `{names[3]}`", help_, 3))
