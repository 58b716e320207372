"""The actions there are: a literal table, and the plug-ins' entry points for kinds it does not know."""

from importlib import import_module
from typing import cast

from taskrun.actions.base import Action
from taskrun.errors import UsageError

GROUP = "taskrun.actions"

MODULES = {
    "run": "taskrun.actions.run",
    "exec": "taskrun.actions.exec_",
    "http": "taskrun.actions.http",
    "python": "taskrun.actions.python",
    "sleep": "taskrun.actions.sleep",
    "echo": "taskrun.actions.echo",
    "fail": "taskrun.actions.fail",
    "assert": "taskrun.actions.assert_",
    "approve": "taskrun.actions.approve",
    "savepoint": "taskrun.actions.savepoint",
    "file": "taskrun.actions.file",
    "template": "taskrun.actions.template",
    "copy": "taskrun.actions.copy",
    "move": "taskrun.actions.move",
    "mkdir": "taskrun.actions.mkdir",
    "delete": "taskrun.actions.delete",
    "symlink": "taskrun.actions.symlink",
    "edit": "taskrun.actions.edit",
    "sql": "taskrun.actions.sql",
    "wait_for": "taskrun.actions.wait_for",
}

_REQUIRED = ("MODE", "MAIN", "WRITES", "AUTO", "EFFECT_FREE", "EXPRESSIONS", "SCRIPTS")
_FUNCTIONS = {
    "inline": ("do",),
    "thread": ("do",),
    "person": ("question", "do"),
    "timer": ("duration", "do"),
    "process": ("command", "finish"),
}
_UNDOING = ("prepare", "revert")  # of actions that undo themselves

_loaded: dict[str, Action] = {}


def get(kind: str) -> Action:
    """The module of an action, imported when first asked for. An unknown kind is a UsageError."""
    action = _loaded.get(kind)
    if action is None:
        module = MODULES.get(kind)
        action = cast("Action", import_module(module)) if module else _plugin(kind)
        _loaded[kind] = action
    return action


def kinds() -> list[str]:
    """Every kind that :func:`get` knows, own ones first, then those of plug-ins."""
    own = [name for name in MODULES if name != "savepoint"]  # an entry of its own, no key of a task
    return [*own, *sorted(name for name in _entry_points() if name not in MODULES)]


def _entry_points() -> dict[str, object]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and only plug-ins need it

    return {point.name: point for point in entry_points(group=GROUP)}


def _plugin(kind: str) -> Action:
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and only plug-ins need it

    for point in entry_points(group=GROUP, name=kind):
        try:
            module = point.load()
        except Exception as error:  # whatever a plug-in raises on import is its user's news, not our crash
            raise UsageError(
                f"the plug-in {point.value} of action {kind!r} cannot be loaded: {error}"
            ) from error
        _check_plugin(kind, point.value, module)
        return cast("Action", module)
    raise UsageError(
        f"there is no action {kind!r}", hint="`taskrun actions` lists them; is a plug-in not installed?"
    )


def _check_plugin(kind: str, where: str, module: object) -> None:
    missing = [name for name in _REQUIRED if not hasattr(module, name)]
    mode = getattr(module, "MODE", None)
    if mode is not None and mode not in _FUNCTIONS:
        raise UsageError(f"the plug-in {where} of action {kind!r} has the unknown MODE {mode!r}")
    functions = _FUNCTIONS.get(str(mode), ()) + (_UNDOING if getattr(module, "AUTO", False) else ())
    missing += [name for name in functions if not callable(getattr(module, name, None))]
    if missing:
        raise UsageError(f"the plug-in {where} of action {kind!r} lacks {', '.join(missing)}")
