"""Which names an expression may use where, and why not the others."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

Element = tuple[str, int]  # ("task", index) or ("flow", index) of the definition

RUN_KEYS = ("id", "name", "started_at", "user")
SELF_KEYS = ("attempt", "inputs", "outputs", "state")
FAILURE_KEYS = ("message", "task", "type")
RETRY_KEYS = ("attempt", "value")
TASK_PARTS = ("outputs", "state")
EVENT_KEYS = (
    "attempt", "data", "failure", "kind", "message", "name", "old_state", "outputs", "run", "seq", "state", "time", "v",
)  # fmt: skip
KEYS_OF = {"run": RUN_KEYS, "failure": FAILURE_KEYS, "event": EVENT_KEYS, "retry": RETRY_KEYS}

_STEADY = frozenset({"inputs", "run", "env"})
_EVERYWHERE = _STEADY | {"secrets", "tasks", "retry", "retries"}
_IN_TASK = _EVERYWHERE | {"self"}

ROOTS: dict[str, frozenset[str]] = {
    "action": _IN_TASK,
    "inputs": _EVERYWHERE - {"secrets"},
    "if": _EVERYWHERE,
    "for_each": _EVERYWHERE - {"secrets"},
    "outputs": (_IN_TASK - {"secrets"}) | {"result"},
    "verify": _IN_TASK | {"result"},
    "check": _IN_TASK,
    "probe": _IN_TASK,
    "done_if": _IN_TASK | {"result"},
    "revert": _IN_TASK | {"failure"},
    "lock": _EVERYWHERE - {"secrets"},
    "flow lock": _STEADY,
    "env": _STEADY | {"secrets"},
    "defaults": _IN_TASK - {"tasks", "retry", "retries"},
    "retry": _EVERYWHERE - {"secrets"},
    "notify": _STEADY | {"secrets", "event"},
    "verify_revert": _STEADY | {"secrets", "tasks", "failure"},
}
ALL_ROOTS = frozenset().union(*ROOTS.values()) | {"item"}

WHY_NOT = {
    "result": "`result` is known when the action has ended: in `outputs`, `verify`, and `done_if`",
    "self": "`self` is the task at hand: in its action, `check`, `verify`, `probe`, `outputs` and `revert`",
    "failure": "`failure` is known when something is undone: in `revert` and `verify_revert`",
    "event": "`event` is what somebody is told of: in `notify`",
    "item": "`item` is there below a `for_each`",
    "retry": "`retry` is there inside a flow that has a `retry:` of its own",
    "retries": "`retries` is there inside a flow that has a `retry:` of its own",
    "tasks": "what tasks gave is not known here",
    "secrets": "this is kept in the journal, and secrets never are",
}


SEALED_OFF = frozenset({"tasks", "retry", "retries"})
WHY_SEALED = "it sees its own inputs only: make this one of them, and give its value where the action is used"


IN_ARGUMENTS = "everybody on the machine sees the arguments of a program (ps): give it in `env` or `stdin`"


class Scope(NamedTuple):
    """Where an expression stands. ``place``: a key of ROOTS; ``where``: how a message names it."""

    place: str
    where: str
    element: Element | None = None
    items: frozenset[str] = frozenset()  # names of enclosing `for_each`
    controllers: tuple[tuple[str, bool], ...] = ()  # enclosing flows with a retry, and whether it has values
    inputs: Collection[str] = ()  # what `self.inputs` has
    outputs: Collection[str] = ()  # what `self.outputs` has, declared
    gives_more: Mapping[str, Any] | None = None  # the task, if it may give outputs through $TASKRUN_OUTPUT
    in_arguments: bool = False  # of a program, where no secret may be
    sealed: bool = False  # the body of a reusable action, which sees nothing of where it is used

    def at(self, place: str, where: str) -> "Scope":
        return self._replace(place=place, where=where)
