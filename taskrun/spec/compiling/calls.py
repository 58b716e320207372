"""One use of an action: which kind it is, what surrounds it, and the expressions in its fields."""

from typing import Any

from taskrun.actions.checks import resolve
from taskrun.actions.kinds import TRAITS, Traits
from taskrun.spec.compiling import plugins
from taskrun.spec.compiling.action_fields import full_fields
from taskrun.spec.compiling.references import BARE, SCRIPT, TEXT, bare, scan
from taskrun.spec.compiling.scopes import Scope
from taskrun.spec.compiling.unit import Entry
from taskrun.spec.compiling.variables import check_variables
from taskrun.spec.diagnostics import nearest
from taskrun.spec.elsewhere import meant
from taskrun.spec.marks import Map
from taskrun.spec.vocabulary import keys_of

_ARGUMENTS = frozenset({("exec", "argv"), ("run", "shell"), ("python", "python")})
_HAVE_ENV = frozenset({"run", "exec", "python"})
_AROUND = ("env", "cwd", "shell", "timeout")


def keys_besides_actions(name: str) -> frozenset[str]:
    """The keys of a map of the schema that are no actions."""
    return frozenset(keys_of(name)) - TRAITS.keys()


def traits_of(kind: str) -> Traits:
    return TRAITS.get(kind) or plugins.traits(kind)


def pick_kind(entry: Entry, besides: frozenset[str], what: str) -> str | None:
    """The one action key of a map; every other way of having one is reported."""
    keys = [key for key in entry.tree if key not in besides]
    if len(keys) == 1 and keys[0] in TRAITS:
        return keys[0]
    own = entry.unit.actions
    known = [key for key in keys if key in TRAITS or key in own or plugins.is_known(key)]
    for key in keys:
        if key not in known:
            _unknown(entry, key, besides, has_action=bool(known))
    for key in known[1:]:
        help_ = "make it two tasks" if what.startswith("task") else None
        entry.at_key("TR703", f"{what} has two actions, `{known[0]}` and `{key}`", key, help_)
    if known:
        return known[0]
    lost = entry.unit.removed.get(id(entry.tree), ())
    if not keys and not any(key not in besides or key in _IN_PLACE for key in lost):
        entry.at_start("TR701", f"{what} has no action", "add one of: " + ", ".join(f"`{k}`" for k in TRAITS))
    return None


_IN_PLACE = ("tasks", "impossible", "restore")  # of an action; what is wrong with it has been said
_NOT_HERE = {
    "if": "an expression is checked by an action: `assert: ...`",
    "done_if": "it stands in `check` or `probe`, beside their action",
    "expect": "it is a field of the action: `run: {script: ..., expect: [0, 1]}`",
}


def _unknown(entry: Entry, key: str, besides: frozenset[str], *, has_action: bool) -> None:
    unit = entry.unit
    unit.muddled.add(id(entry.tree))
    if not has_action and (
        unit.lost(unit.tree, "actions") or unit.lost(unit.tree.get("actions", unit.tree), key)
    ):
        return  # an action of the file, and what is wrong with it has been said
    actions = [*TRAITS, *unit.actions]
    guess = meant(key, sorted(besides) if has_action else [*actions, *sorted(besides)])
    if guess is None and has_action:
        guess = nearest(key, actions)
    help_ = _NOT_HERE.get(key) or (f"did you mean `{guess}`?" if guess else None)
    if has_action or guess in besides:
        entry.at_key("TR201", f"there is no key `{key}` here", key, help_)
    else:
        help_ = help_ or "the actions: " + ", ".join(f"`{action}`" for action in actions)
        entry.at_key("TR702", f"there is no action or key `{key}`", key, help_)


def value_of(entry: Entry, kind: str) -> Any:
    """The value of an action key; a plug-in's is not in the document, for the schema does not know it."""
    return entry.spec[kind] if kind in entry.spec else resolve(entry.tree[kind])


def action_of(entry: Entry, kind: str, scope: Scope) -> dict[str, Any]:
    """The fields of a built-in or plug-in action, written out and checked."""
    model = traits_of(kind)
    if kind not in TRAITS:
        _check_fields(entry, kind)
    fields = full_fields(entry, kind, model, value_of(entry, kind))
    for name in model.expressions:
        if isinstance(fields.get(name), str):
            fields[name] = bare(fields[name])
    value = entry.tree[kind]
    if isinstance(value, Map):
        if kind in _HAVE_ENV and isinstance(value.get("env"), Map):
            check_variables(entry.unit.problems, value["env"], for_shells=kind == "run")
        for name in value:
            scan(entry.unit, value, name, _scope_of(scope, kind, name), _mode(model, name))
    elif not isinstance(value, str) or "{" in value or model.main in model.expressions:
        scan(entry.unit, entry.tree, kind, _scope_of(scope, kind, model.main), _mode(model, model.main))
    return fields


def _scope_of(scope: Scope, kind: str, name: str) -> Scope:
    return scope._replace(in_arguments=True) if (kind, name) in _ARGUMENTS else scope


def _check_fields(entry: Entry, kind: str) -> None:
    """Of a plug-in's action, which the schema does not know: the names of its fields, if it declares them."""
    known, value = plugins.fields(kind), entry.tree[kind]
    if known is None or not isinstance(value, Map):
        return
    for name in value:
        if name not in known:
            guess = nearest(name, sorted(known))
            help_ = (
                f"did you mean `{guess}`?"
                if guess
                else "there are " + ", ".join(f"`{n}`" for n in sorted(known))
            )
            entry.unit.problems.at_key("TR201", f"`{kind}` has no key `{name}`", value, name, help_)


def _mode(model: Traits, name: str) -> str:
    return BARE if name in model.expressions else SCRIPT if name in model.scripts else TEXT


def call_of(entry: Entry, besides: frozenset[str], scope: Scope, what: str) -> dict[str, Any] | None:
    """An action with what surrounds it, as ``revert``, ``verify``, ``notify`` and their like hold one."""
    kind = pick_kind(entry, besides, what)
    if kind is None:
        return None
    if kind == "workflow":
        entry.at_key("TR708", f"`workflow` cannot be used in {what}", kind, "a workflow is a task of its own")
        return None
    reusable = entry.unit.actions.get(kind)
    if reusable is not None:
        call = reusable.call(entry, scope)
    else:
        call = {"kind": kind, "fields": action_of(entry, kind, scope)}
    scan_around(entry, scope)
    for key in _AROUND:
        if key in entry.spec:
            call[key] = entry.spec[key]
    return call


def scan_around(entry: Entry, scope: Scope) -> None:
    for name in ("env", "cwd", "shell"):
        if name in entry.spec:
            scan(entry.unit, entry.tree, name, scope)
    if "env" in entry.spec:
        check_variables(entry.unit.problems, entry.tree["env"])


def outputs_of(entry: Entry, out: dict[str, Any], scope: Scope) -> None:
    if "outputs" in entry.spec:
        scan(entry.unit, entry.tree, "outputs", scope.at("outputs", "`outputs`"), BARE)
        out["outputs"] = {name: bare(source) for name, source in entry.spec["outputs"].items()}
