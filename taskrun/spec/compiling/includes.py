"""Workflows inside workflows: ``workflow: other.yaml`` becomes a nested flow with the names of its task in front.

Each file is read and compiled once, however often it is used; a use copies the result with its names replaced and its
inputs written into its expressions.
"""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from taskrun.errors import WorkflowError
from taskrun.spec.compiling.arguments import bind, has_expressions
from taskrun.spec.compiling.entries import Around, Layout
from taskrun.spec.compiling.problems import Problems
from taskrun.spec.compiling.references import scan
from taskrun.spec.compiling.rewriting import as_source, rewrite_task, rewrite_value
from taskrun.spec.compiling.unit import Entry
from taskrun.spec.diagnostics import Diagnostic
from taskrun.spec.input_values import type_of
from taskrun.spec.loader import examine
from taskrun.spec.loading.findings import Findings
from taskrun.spec.loading.reading import read_bytes
from taskrun.spec.marks import Map, Mark

_LIMITS = ("enum", "pattern", "minimum", "maximum")
_LONG = 200  # characters; longer values would make expressions nobody can read
MOST_TASKS = 200_000
_DEEPEST = 16
_NOT_INSIDE = ("lock", "env_file")  # would silently not hold: refused
_IGNORED_INSIDE = ("timeout", "on_failure", "notify")


class Fragment(NamedTuple):
    """A compiled file: its flows and tasks under their own names, and the keys of its definition."""

    layout: Layout
    run: dict[str, Any]
    path: str


# What compiles a loaded document; handed in, for it is the caller of all this.
Assemble = Callable[[Any, Problems, "Includes"], Fragment | None]


class Includes:
    """The files of one compilation. ``found`` are the diagnostics of included files, ``hashes`` their sha256."""

    def __init__(self, path: str, assemble: Assemble, *, strict: bool, allow_outside: bool) -> None:
        self.assemble = assemble
        self.strict = strict
        self.allow_outside = allow_outside
        self.found: list[Diagnostic] = []
        self.sources: dict[str, str] = {}
        self.hashes: dict[str, str] = {}
        self._compiled: dict[str, Fragment | None] = {}
        self._is_full = False
        self._open = [os.path.realpath(path)]

    def fragment(self, path: str) -> Fragment | None:
        """The compiled file; its mistakes are reported the first time."""
        real = os.path.realpath(path)
        if real not in self._compiled:
            self._open.append(real)
            self._compiled[real] = self._compile(path)
            self._open.pop()
        return self._compiled[real]

    def circle(self, path: str) -> list[str]:
        """The files from one that is being compiled back to itself; empty if this is none."""
        real = os.path.realpath(path)
        return [*self._open[self._open.index(real) :], real] if real in self._open else []

    def overflow(self, entry: Entry) -> None:
        """Too many tasks: said once, for whatever includes this has too many as well."""
        if not self._is_full:
            entry.at_key("TR807", f"the included files make more than {MOST_TASKS:,} tasks", "workflow")
        self._is_full = True

    @property
    def depth(self) -> int:
        return len(self._open)

    def _compile(self, path: str) -> Fragment | None:
        try:
            loaded = examine(read_bytes(path, Findings(path)), path)
        except WorkflowError as error:
            self.found += [found for found in error.diagnostics if isinstance(found, Diagnostic)]
            self.sources.update(getattr(error, "sources", {}))
            return None
        self.sources[path], self.hashes[os.path.abspath(path)] = loaded.text, loaded.sha256
        problems = Problems(path, loaded.text, strict=self.strict)
        problems.take(loaded.diagnostics)
        fragment = self.assemble(loaded.root, problems, self)
        self.found += problems.found
        return fragment


def include(layout: Layout, entry: Entry, around: Around, index: int) -> None:
    """Fill flow ``index`` with the workflow that ``entry`` names."""
    holder = entry.tree["workflow"] if isinstance(entry.tree["workflow"], Map) else None
    value = entry.spec["workflow"]
    named = value["file"] if isinstance(value, dict) else value
    where: tuple[Map, str] = (entry.tree, "workflow") if holder is None else (holder, "file")
    if not named.strip():
        entry.unit.problems.at_value(
            "TR804", "`file` is empty", *where, "name the file of the other workflow"
        )
        return
    path = _path(entry, named, where)
    fragment = entry.unit.includes.fragment(path) if path else None
    given = holder if holder is not None and "inputs" in holder else entry.tree
    if "inputs" in given:
        scan(entry.unit, given, "inputs", around.scope("if", "`inputs` of a workflow", ("flow", index)))
    if fragment is None:
        return
    if given is holder and "inputs" in entry.tree:
        entry.at_key("TR212", "`inputs` is given twice", "inputs")
    if "inputs" in given:
        values = bind(entry.unit, given, "inputs", fragment.run["inputs"], f"workflow `{named}`")
    else:
        # Nothing given: a missing input is reported at the file's name.
        bare = Map(entry.tree.mark)
        bare.key_marks["inputs"] = where[0].value_marks.get(where[1], Mark(1, 1))
        values = bind(entry.unit, bare, "inputs", fragment.run["inputs"], f"workflow `{named}`")
    if len(layout.tasks) + len(fragment.layout.tasks) > MOST_TASKS:
        entry.unit.includes.overflow(entry)
        return
    _Placing(layout, fragment, index, values, entry).place()


def _path(entry: Entry, named: str, where: tuple[Map, str]) -> str | None:
    """The path of the file, if it can be included."""
    problems, includes = entry.unit.problems, entry.unit.includes
    folder = os.path.dirname(problems.path)
    path = os.path.join(folder, named)
    wrong = _why_not(includes, named, path, os.path.realpath(folder or "."))
    if not named or wrong is None:
        return path if named else None
    id_, message, help_ = wrong
    problems.at_value(id_, message, *where, help_=help_)
    return None


def _why_not(includes: Includes, named: str, path: str, base: str) -> tuple[str, str, str | None] | None:
    if "${{" in named:
        return "TR403", "an expression cannot be used here: which file it is, is fixed before a run", None
    if not includes.allow_outside and not os.path.realpath(path).startswith(base.rstrip("/") + "/"):
        return "TR805", f"`{named}` is outside of the folder of this file", "--allow-outside allows it"
    if not os.path.isfile(path):
        return "TR804", f"there is no file `{named}`", "the path starts at the folder of this file"
    circle = includes.circle(path)
    if circle:
        way = " -> ".join(os.path.basename(part) for part in circle)
        return "TR806", f"the files include each other: {way}", None
    if includes.depth >= _DEEPEST:
        return "TR807", f"files are included more than {_DEEPEST} levels deep", None
    return None


def _limits(spec: dict[str, Any]) -> dict[str, Any]:
    """What the value of an input has to keep to, if there is anything."""
    found = {key: spec[key] for key in _LIMITS if key in spec}
    return (
        {"type": spec["type"], **found}
        if found or spec.get("type", "string") not in ("string", "path")
        else {}
    )


class _Placing:
    """Copies a fragment into a layout, below flow ``index``."""

    def __init__(
        self, layout: Layout, fragment: Fragment, index: int, values: dict[str, Any], entry: Entry
    ) -> None:
        self.layout, self.fragment, self.index, self.entry = layout, fragment, index, entry
        self.prefix = layout.flows[index]["name"] + "."
        self.root = fragment.layout.flows[0]["name"]
        self.first_flow, self.first_task = len(layout.flows) - 1, len(layout.tasks)
        self.inputs = {name: self._source(name, value) for name, value in values.items()}
        folder = os.path.dirname(os.path.abspath(fragment.path))
        own = os.path.dirname(os.path.abspath(entry.unit.problems.path))
        self.folder = folder if folder != own else None

    def _source(self, name: str, value: Any) -> str:
        """A value as an expression. A large fixed one, which no expression could hold, becomes a fixed input."""
        if has_expressions(value) or (
            isinstance(value, str | bool | int | float) and len(str(value)) < _LONG
        ):
            source = as_source(value)
            limits = _limits(self.fragment.run["inputs"].get(name, {}))
            if not limits or not has_expressions(value):
                return source
            return f"_input({source}, {as_source(self.prefix + name)}, {as_source(limits)})"
        fixed = self.prefix + name
        self.layout.fixed[fixed] = {"type": type_of(value), "default": value, "fixed": True}
        return f'inputs["{fixed}"]'

    def place(self) -> None:
        self._check()
        replace = self._replace
        for spec in self.fragment.layout.flows:
            self._place_flow(rewrite_task(spec, replace))
        env = rewrite_value(self.fragment.run.get("env", {}), replace)
        for spec in self.fragment.layout.tasks:
            self._place_task(rewrite_task(spec, replace), env)
        for name, spec in self.fragment.layout.fixed.items():
            self.layout.fixed[self.prefix + name] = spec
        for name, secret in {**self.fragment.run["secrets"], **self.fragment.layout.secrets}.items():
            self.layout.secrets[self.prefix + name] = (
                {"dir": self.folder, **secret} if self.folder else secret
            )
        for call in [*self.fragment.run.get("verify_revert", ()), *self.fragment.layout.verify_revert]:
            self.layout.verify_revert.append(self._at_home(rewrite_task(call, replace), env))

    def _check(self) -> None:
        problems, run = self.entry.unit.problems, self.fragment.run
        name = os.path.basename(self.fragment.path)
        for key in _NOT_INSIDE:
            if key in run:
                message = f"`{name}` has `{key}`, which only the outermost file can have"
                self.entry.at_key("TR808", message, "workflow", f"move `{key}` into the outermost file")
        for key in _IGNORED_INSIDE:
            if key in run:
                mark = self.entry.tree.key_marks["workflow"]
                message = f"`{key}` of `{name}` has no effect here: the outermost file decides"
                problems.warning("TR809", message, mark, len("workflow"))
        if "retry" in self.fragment.layout.flows[0] and "retry" in self.entry.spec:
            help_ = "put one of the two around a nested flow"
            self.entry.at_key("TR212", f"`{name}` has a `retry` of its own", "retry", help_)

    def _replace(self, root: str, name: str | None) -> str | None:
        if root == "inputs":
            if name is None:
                pairs = ", ".join(f'"{key}": {source}' for key, source in self.inputs.items())
                return "({" + pairs + "})"
            return self.inputs.get(name) or f'inputs["{self.prefix}{name}"]'
        if name is None or root not in ("tasks", "secrets", "retries"):
            return None
        if root == "retries" and name == self.root:
            return f'retries["{self.prefix[:-1]}"]'
        return f'{root}["{self.prefix}{name}"]'

    def _place_flow(self, flow: dict[str, Any]) -> None:
        flow["children"] = [
            [kind, which + (self.first_task if kind == "task" else self.first_flow)]
            for kind, which in flow["children"]
        ]
        if flow["parent"] < 0:
            target = self.layout.flows[self.index]
            target["file"] = os.path.abspath(self.fragment.path)
            target.update(
                {key: flow[key] for key in ("pattern", "children", "edges", "retry") if key in flow}
            )
            self.layout.foreign.add(self.index)
            return
        flow["name"] = self.prefix + flow["name"]
        flow["parent"] = self.index if flow["parent"] == 0 else flow["parent"] + self.first_flow
        self.layout.foreign.add(len(self.layout.flows))
        self.entry.unit.elements.setdefault(flow["name"], ("flow", len(self.layout.flows)))
        self.layout.flows.append(flow)

    def _at_home(self, call: dict[str, Any], env: dict[str, str]) -> dict[str, Any]:
        """The environment and the folder of the file, for something that runs."""
        if env:
            call["env"] = {**env, **call.get("env", {})}
        if self.folder:
            call.setdefault("dir", self.folder)
        return call

    def _place_task(self, task: dict[str, Any], env: dict[str, str]) -> None:
        task["name"] = self.prefix + task["name"]
        task["flow"] = self.index if task["flow"] == 0 else task["flow"] + self.first_flow
        if task["kind"] != "savepoint":
            self._at_home(task, env)
        self.entry.unit.elements.setdefault(task["name"], ("task", len(self.layout.tasks)))
        self.layout.tasks.append(task)
