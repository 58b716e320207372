"""TR6xx: the order of tasks."""

from taskrun.spec.catalog.entry import Entry


def _two(pattern: str, first: str, second: str) -> str:
    return f"name: hello\npattern: {pattern}\ntasks:\n  - {{name: a, {first}}}\n  - {{name: b, {second}}}\n"


_GIVES = "echo: hi, outputs: {x: '1'}"

ENTRIES: dict[str, Entry] = {
    "TR601": Entry(
        "cycle",
        "Tasks or flows wait for each other, so none of them could start. An edge comes from `needs` or from a "
        "reference to an output; a reference from inside a nested flow counts for the whole flow.",
        _two("graph", "echo: hi, needs: [b]", "echo: hi, needs: [a]"),
        _two("graph", "echo: hi", "echo: hi, needs: [a]"),
    ),
    "TR602": Entry(
        "needs outside of a graph",
        "In a linear flow each entry waits for the one above, in an unordered one none waits: `needs` is for "
        "`pattern: graph`. The pattern is that of the flow the entry stands in.",
        _two("linear", "echo: hi", "echo: hi, needs: [a]"),
        _two("graph", "echo: hi", "echo: hi, needs: [a]"),
    ),
    "TR603": Entry(
        "refers to itself",
        "A task cannot wait for itself, nor a flow for what is inside it. A task's own values are `result` in "
        "`outputs` and `verify`, and `self.outputs` in `revert`.",
        _two("linear", _GIVES + ", revert: 'echo ${{ tasks.a.outputs.x }}'", "echo: hi"),
        _two("linear", _GIVES + ", revert: 'echo ${{ self.outputs.x }}'", "echo: hi"),
    ),
    "TR604": Entry(
        "refers to something later",
        "In a linear flow only the entries above have run. Move the other one up, or use `pattern: graph`, where a "
        "reference makes an order.",
        _two("linear", "echo: '${{ tasks.b.outputs.x }}'", _GIVES),
        _two("graph", "echo: '${{ tasks.b.outputs.x }}'", _GIVES),
    ),
    "TR605": Entry(
        "refers to something unordered",
        "In an unordered flow it is not known what has run already. Use `pattern: graph`, where a reference makes an "
        "order.",
        _two("unordered", _GIVES, "echo: '${{ tasks.a.outputs.x }}'"),
        _two("graph", _GIVES, "echo: '${{ tasks.a.outputs.x }}'"),
    ),
}
