"""Reusable actions: ``actions:`` of a file, checked once and put into the tasks that use them.

A use binds the action's inputs as inputs of the task, so they are evaluated once and journaled, and ``inputs.x`` in the
action's body becomes ``self.inputs.x``. A value with a secret in it, which must not be journaled, goes into the body's
expressions instead; so does every value where the action is used inside a ``revert`` or the like.
"""

from typing import Any

from taskrun.actions.kinds import TRAITS
from taskrun.spec.compiling.arguments import Declared, bind, uses_secrets
from taskrun.spec.compiling.calls import action_of, keys_besides_actions, pick_kind, traits_of
from taskrun.spec.compiling.entries import Around
from taskrun.spec.compiling.inputs import declared
from taskrun.spec.compiling.references import scan
from taskrun.spec.compiling.reverts import NONE, revert_of
from taskrun.spec.compiling.rewriting import as_source, rewrite_task
from taskrun.spec.compiling.scopes import Scope
from taskrun.spec.compiling.tasks import BESIDES, settings
from taskrun.spec.compiling.unit import Entry, Unit

_ACTION_BESIDES = keys_besides_actions("Action")
_LONGEST = 1000  # characters of a value written into an expression, which may have 4096
_WORDS = TRAITS.keys() | BESIDES
_CALL_KEYS = ("kind", "fields", "env", "cwd", "shell", "timeout")


class Reusable:
    """One action of the file; ``body`` has the keys of a task, ``inputs`` what it declares."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inputs: Declared = {}
        self.body: dict[str, Any] = {"kind": "echo", "fields": {}, "revert": NONE}
        self._bound: dict[tuple[str, ...], dict[str, Any]] = {}

    def used_by(self, entry: Entry, scope: Scope) -> tuple[dict[str, Any], dict[str, Any]]:
        """The body for one task, and the inputs that task gets."""
        values = self._values(entry, scope)
        hidden = {name: as_source(value) for name, value in values.items() if uses_secrets(value)}
        return self._with(hidden), {name: value for name, value in values.items() if name not in hidden}

    def call(self, entry: Entry, scope: Scope) -> dict[str, Any]:
        """The action alone, for use where there is no task to hold its inputs."""
        if scope.sealed:
            message = "the actions of a file are made of built-in ones"
            entry.at_key("TR712", message, self.name, "write out what this one does")
            return {"kind": "echo", "fields": {}}
        sources = {name: as_source(value) for name, value in self._values(entry, scope).items()}
        for name, source in sources.items():
            if len(source) > _LONGEST:
                message = f"the value of `{name}` is too long to be used here"
                entry.at_key("TR710", message, self.name, "make it an input of the workflow")
        body = self._with(sources)
        return {key: body[key] for key in _CALL_KEYS if key in body}

    def _values(self, entry: Entry, scope: Scope) -> dict[str, Any]:
        scan(entry.unit, entry.tree, self.name, scope)
        return bind(entry.unit, entry.tree, self.name, self.inputs, f"action `{self.name}`")

    def _with(self, replaced: dict[str, str]) -> dict[str, Any]:
        """The body with some inputs written in, the others taken from the task. Uses that are alike share one."""
        key = tuple(part for pair in replaced.items() for part in pair)
        if key not in self._bound:

            def replace(root: str, name: str | None) -> str | None:
                if root != "inputs":
                    return None
                if name is None:
                    return "self.inputs" if not replaced else None
                return replaced.get(name) or f"self.inputs.{name}"

            self._bound[key] = rewrite_task(self.body, replace)
        return self._bound[key]


def define_actions(unit: Unit) -> None:
    """Check ``actions:`` and make them known to the file."""
    specs = unit.document.get("actions", {})
    unit.actions.update({name: Reusable(name) for name in specs if name not in _WORDS})
    for name, spec in specs.items():
        tree = unit.tree["actions"]
        if name in _WORDS:
            message = f"`{name}` is a word of the language"
            unit.problems.at_key("TR712", message, tree, name, "give the action another name")
        _define(unit.actions.get(name) or Reusable(name), Entry(unit, spec, tree[name]))


def _define(action: Reusable, entry: Entry) -> None:
    unit, spec = entry.unit, entry.spec
    for name, value in spec.get("inputs", {}).items():
        action.inputs[name] = declared(unit, entry.tree["inputs"], name, value, types_first=True)
    inner = Entry(
        unit.with_inputs(action.inputs),
        {k: v for k, v in spec.items() if k not in ("inputs", "description")},
        entry.tree,
    )
    kind = pick_kind(inner, _ACTION_BESIDES, f"action `{action.name}`")
    scope = Scope(
        "action",
        "the action",
        inputs=action.inputs,
        outputs=spec.get("outputs", ()),
        gives_more=entry.tree if kind in TRAITS and TRAITS[kind].dynamic else None,
        sealed=True,
    )
    settings(inner, action.body, scope)
    if kind is None:
        return
    if kind in unit.actions or kind == "workflow":
        message = "the actions of a file are made of built-in ones"
        inner.at_key("TR712", message, kind, "write out what this one does")
        return
    action.body["kind"] = kind
    action.body["fields"] = action_of(inner, kind, scope)
    action.body["revert"] = revert_of(inner, kind, action.body["fields"], scope)


def task_from(entry: Entry, action: Reusable, name: str, around: Around, index: int) -> dict[str, Any]:
    """The definition's entry of a task that uses an action of the file."""
    spec = entry.spec
    known = {*action.inputs, *spec.get("inputs", ())}
    outputs = {*action.body.get("outputs", ()), *spec.get("outputs", ())}
    dynamic = traits_of(action.body["kind"]).dynamic
    scope = around.scope("action", "the action", ("task", index))._replace(
        inputs=known, outputs=outputs, gives_more=action.body["fields"] if dynamic else None
    )
    own: dict[str, Any] = {}
    scope = settings(entry, own, scope)
    body, inputs = action.used_by(entry, scope)
    task: dict[str, Any] = {"name": name, "flow": around.flow, **body, **own}
    for key in ("env", "outputs"):
        if key in own and key in body:
            task[key] = {**body[key], **own[key]}
    for taken in inputs.keys() & own.get("inputs", {}).keys():
        message = f"`{taken}` is an input of action `{action.name}` already"
        entry.inner("inputs").at_key("TR710", message, taken, "give this input of the task another name")
    if inputs or "inputs" in own:
        task["inputs"] = {**own.get("inputs", {}), **inputs}
    if "revert" in spec:
        task["revert"] = revert_of(entry, body["kind"], body["fields"], scope)
    task["line"], task["column"] = entry.tree.mark
    return task
