"""What a run looks like from outside: journal entries folded into rows, counts and the lists an ending needs.

Every renderer (table, lines, ending, web page, report) shows a `View` and nothing else, so all of them agree. Folding one entry
costs O(1) whatever the number of tasks; only `rows` is built anew, and only when `for_each` items have joined it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from taskrun.engine.expand import declared_name
from taskrun.engine.policy import UNDO_RETRY

IN_FLIGHT = ("RUNNING", "RETRYING", "REVERTING")
TROUBLED = ("FAILURE", "REVERT_FAILURE", "UNKNOWN")
FINISHED = ("SUCCESS", "REVERTED", "IGNORE")
NO_UNDO = ("none", "unstated")
FLOW_FINISHED = ("SUCCESS", "FAILURE", "REVERTED", "SUSPENDED")


class EntryLike(Protocol):
    """The fields of a journal entry that a view reads."""

    @property
    def time(self) -> float: ...
    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def old_state(self) -> str | None: ...
    @property
    def state(self) -> str | None: ...
    @property
    def attempt(self) -> int: ...
    @property
    def data(self) -> Mapping[str, Any] | None: ...


class Row:
    """One task, or the retry controller of one flow, as it stands after the entries folded so far.

    `attempt`, `started` and `ended` belong to the present attempt, be it of the doing or of the undoing; `tries` and `undos` are the
    numbers of the last attempt at either. Attempts are never counted anew, so `nth` says which one it is in this round of a
    controller. `failure` says why the doing failed and outlives the rollback, `revert_failure` why the undoing did.
    """

    __slots__ = (
        "action",
        "allowed",
        "already",
        "attempt",
        "base",
        "begun",
        "changed",
        "custom",
        "depth",
        "due",
        "ended",
        "failure",
        "flow",
        "given_up",
        "item",
        "items",
        "kind",
        "limit",
        "message",
        "name",
        "order",
        "outputs",
        "pivot",
        "progress",
        "reason",
        "revert",
        "revert_base",
        "revert_failure",
        "revert_limit",
        "started",
        "state",
        "tries",
        "undos",
    )

    def __init__(self, kind: str, name: str, flow: str, depth: int, order: int) -> None:
        self.kind = kind
        self.name = name
        self.flow = flow
        self.depth = depth
        self.order = order
        self.item = 0
        self.items: list[Row] | None = None
        self.action = ""
        self.allowed = False
        self.pivot = False
        self.limit: int | None = 1
        self.revert = "none"
        self.reason: str | None = None
        self.revert_limit: int | None = 1
        self.changed = 0
        self.tries = 0
        self.undos = 0
        self.reset()

    def reset(self) -> None:
        """As if it had never started: what a rerun of its flow makes of it."""
        self.state = "PENDING"
        self.attempt = 0
        self.base = 0 if self.kind == "retry" else self.tries
        self.revert_base = self.undos
        self.begun = 0
        self.already = False
        self.started: float | None = None
        self.ended: float | None = None
        self.due: float | None = None
        self.failure: Mapping[str, Any] | None = None
        self.revert_failure: Mapping[str, Any] | None = None
        self.given_up: str | None = None  # why nobody is to try its undo again
        self.outputs: Mapping[str, Any] | None = None
        self.message: str | None = None
        self.progress: float | None = None
        self.custom: str | None = None

    @property
    def undoing(self) -> bool:
        return self.state in ("REVERTING", "REVERTED", "REVERT_FAILURE")

    @property
    def nth(self) -> int:
        """Which attempt of this round the present one is, counted from 1; 0 before the first."""
        return max(0, self.attempt - (self.revert_base if self.undoing else self.base))

    def seconds(self, now: float) -> float | None:
        """How long the present attempt has taken until `now`, or took; None before it started."""
        if self.started is None:
            return None
        return max(0.0, (now if self.ended is None else self.ended) - self.started)


class Group(NamedTuple):
    """A flow: `depth` 0 is the root; `controller` is the row of its retry controller."""

    name: str
    parent: int
    depth: int
    controller: Row | None


class Warned(NamedTuple):
    """Something a person should know that changed no state: a failed notification, what a rollback left behind."""

    name: str
    message: str


class View:
    """The fold. Start from the run's definition, `apply` its entries in journal order, read the attributes."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.name: str = definition["name"]
        self.state = "PENDING"
        self.rolling = False  # from the start of a rollback until the run goes forward again
        self.started: float | None = None
        self.resumed: float | None = None  # when it was last taken up again
        self.ended: float | None = None
        self.changed = 0
        self.groups: list[Group] = []
        self.index: dict[str, Row] = {}
        self.controllers: dict[str, Row] = {}
        self.by_state: dict[str, dict[str, Row]] = {"PENDING": {}}
        self.warnings: list[Warned] = []
        self.residue: list[Warned] = []  # what the checks after the rollback have found
        self.checks = 0  # how many there are; 0 when none was begun
        self.checking = False
        self.looking: str | None = None  # which check is under way, and what it looks at
        self.failure: Mapping[str, Any] | None = None
        self._begun = 0
        self._spared = 0
        self._failed: dict[str, None] = {}
        self._tolerated: dict[str, None] = {}
        self._applied: dict[str, None] = {}
        self._undone: dict[str, None] = {}
        self._unknown: dict[str, None] = {}
        self._revert_failed: dict[str, None] = {}
        self._declared = list(_declared_rows(definition, self.groups))
        self._rows: list[Row] | None = None
        for row in self._declared:
            if row.kind == "retry":
                self.controllers[row.flow] = row
            else:
                self.index[row.name] = row
                self.by_state["PENDING"][row.name] = row

    # What is shown.

    @property
    def rows(self) -> list[Row]:
        """All rows in file order: a controller before its flow's tasks, items after the task they came from."""
        if self._rows is None:
            self._rows = []
            for row in self._declared:
                self._rows.append(row)
                self._rows.extend(row.items or ())
        return self._rows

    @property
    def counts(self) -> dict[str, int]:
        """How many tasks are in each state; states nobody is in are left out."""
        return {state: len(rows) for state, rows in self.by_state.items() if rows}

    @property
    def failed(self) -> list[str]:
        """Tasks whose last attempt at doing failed, in the order they failed; not those with `allow_failure`."""
        return list(self._failed)

    @property
    def tolerated(self) -> list[str]:
        """Tasks with `allow_failure` that failed: the run went on."""
        return list(self._tolerated)

    @property
    def applied(self) -> list[str]:
        """Tasks whose effect may still be there, in start order; `unknown` ones are apart."""
        return list(self._applied)

    @property
    def undone(self) -> list[str]:
        """Tasks that were reverted, in that order."""
        return list(self._undone)

    @property
    def unknown(self) -> list[str]:
        return list(self._unknown)

    @property
    def revert_failed(self) -> list[str]:
        return list(self._revert_failed)

    @property
    def to_revert(self) -> int:
        """How many tasks the whole rollback concerns: those undone and those still to undo."""
        return len(self._undone) + len(self._applied) + len(self._unknown) - self._spared

    @property
    def reverted(self) -> int:
        return len(self._undone)

    def row(self, kind: str, name: str) -> Row | None:
        return (self.controllers if kind == "retry" else self.index).get(name)

    def seconds(self, now: float) -> float:
        """Wall time from the start, or from when it was last taken up again, to the end or to `now`."""
        begun = self.resumed or self.started
        if begun is None:
            return 0.0
        return max(0.0, (now if self.ended is None else self.ended) - begun)

    # The fold.

    def apply(self, entry: EntryLike) -> None:
        self.changed += 1
        kind = entry.kind
        if kind == "task":
            row = self.index.get(entry.name) or self._join(entry.name)
            self._task(row, entry)
        elif kind == "retry":
            controller = self.controllers.get(entry.name) or self._join_controller(entry.name)
            self._mark(controller, entry)
        elif kind == "flow":
            self._flow(entry)
        else:
            self._note(kind, entry)

    def _flow(self, entry: EntryLike) -> None:
        if entry.name != self.name or entry.state is None:
            return
        self.state = entry.state
        if self.started is None:
            self.started = entry.time
        if entry.state == "RESUMING" or entry.old_state in ("SUCCESS", "SUSPENDED"):
            self.resumed = entry.time
        self.ended = entry.time if entry.state in FLOW_FINISHED else None
        self.residue, self.checks, self.checking, self.looking = [], 0, False, None  # the world moves
        data = entry.data or {}
        if entry.state in ("RUNNING", "REVERTING"):
            self.rolling = entry.state == "REVERTING"
        if entry.state == "RUNNING":
            self.failure = None
        elif "failure" in data:
            self.failure = data["failure"]
        if entry.state == "REVERTING" and "floor" in data:
            self._spared = self._begun_until(data["floor"])

    def _begun_until(self, floor: int) -> int:
        """How many of the applied tasks started no later than a savepoint: a rollback to it leaves them."""
        return sum(
            self.index[name].begun <= floor for names in (self._applied, self._unknown) for name in names
        )

    def _task(self, row: Row, entry: EntryLike) -> None:
        self._mark(row, entry)
        if row.action == "savepoint":
            return  # it has no effect: neither applied nor undone
        name, state = row.name, row.state
        if state in _LEAVES_FAILED:
            self._failed.pop(name, None)
            self._tolerated.pop(name, None)
        if state == "FAILURE":
            (self._tolerated if row.allowed else self._failed)[name] = None
        _belongs(self._applied, name, state in _APPLIED and not row.already)
        _belongs(self._unknown, name, state == "UNKNOWN")
        _belongs(self._undone, name, state == "REVERTED")
        _belongs(self._revert_failed, name, state == "REVERT_FAILURE")

    def _mark(self, row: Row, entry: EntryLike) -> None:
        """Move the row to the entry's state and keep what the entry says about it."""
        state = entry.state
        if state is None:
            return
        if row.kind == "task":
            self.by_state[row.state].pop(row.name, None)
            self.by_state.setdefault(state, {})[row.name] = row
        row.changed = self.changed
        if state == "PENDING":
            row.reset()
            return
        data = entry.data or {}
        row.state = state
        row.given_up = None
        row.attempt = entry.attempt
        row.due = data.get("due")
        row.message = data.get("message")
        if state == "RUNNING":
            if not row.begun:
                self._begun += 1
                row.begun = self._begun
            _begin(row, entry.time)
        elif state == "REVERTING":
            _begin_undo(row, entry)
        else:
            _finish(row, entry.time, data)

    def _note(self, kind: str, entry: EntryLike) -> None:
        """What a task said while it ran, or a warning: no state changes."""
        data = entry.data or {}
        row = self.index.get(entry.name)
        if row is not None:
            row.changed = self.changed
        if row is not None and self._is_about_its_undo(row, entry, data):
            return
        if "verify_revert" in data or data.get("residue"):
            self._check(entry.name, data)
        elif kind in ("warning", "diagnostic"):
            self.warnings.append(Warned(entry.name, _words(data)))
        elif row is None:
            return
        elif kind == "progress":
            row.progress = _fraction(data.get("progress"))
        elif kind == "custom":
            row.custom = data.get("state") or entry.state
        elif data.get("message"):
            row.message = str(data["message"])

    def _is_about_its_undo(self, row: Row, entry: EntryLike, data: Mapping[str, Any]) -> bool:
        """Its undo failed and is tried again, or given up."""
        if data.get("skip"):
            row.given_up = str(data.get("reason") or "")
        elif entry.state == "REVERTING":
            row.attempt = row.undos = entry.attempt
            row.due = data.get("due")
            row.revert_failure = data.get("failure")
        else:
            return False
        return True

    def _check(self, name: str, data: Mapping[str, Any]) -> None:
        """The checks after a rollback begin, perhaps once more, or have ended; or one has found something."""
        if "verify_revert" not in data:
            self.residue.append(Warned(name, _words(data)))
            return
        word = data["verify_revert"]
        self.looking = _words(data) if word == "looking" else None
        self.checking = word != "ended"
        if word == "begun":
            self.residue = []
            self.checks = data["checks"]

    def _join(self, name: str) -> Row:
        """A row for a task that only the run made: an item of `for_each`, listed below the task it came from."""
        template = self.index.get(declared_name(name))
        if template is None:
            row = Row("task", name, self.name, 0, len(self._declared))
            self._declared.append(row)
        else:
            row = Row("task", name, template.flow, template.depth + 1, template.order)
            for field in ("action", "allowed", "pivot", "limit", "revert", "reason", "revert_limit"):
                setattr(row, field, getattr(template, field))
            if template.items is None:
                template.items = []
                if template.state == "PENDING":  # it stands for its items from here on
                    self.by_state["PENDING"].pop(template.name, None)
            template.items.append(row)
            template.changed = self.changed
            row.item = len(template.items)
        self._rows = None
        self.index[name] = self.by_state["PENDING"][name] = row
        return row

    def _join_controller(self, name: str) -> Row:
        row = Row("retry", name, name, 0, len(self._declared))
        row.limit = None
        self._declared.append(row)
        self._rows = None
        self.controllers[name] = row
        return row


_APPLIED = frozenset({"RUNNING", "RETRYING", "SUCCESS", "FAILURE", "REVERTING", "REVERT_FAILURE"})
_LEAVES_FAILED = frozenset({"PENDING", "RUNNING", "RETRYING", "SUCCESS"})


def _belongs(names: dict[str, None], name: str, belongs: bool) -> None:
    if belongs:
        names[name] = None
    else:
        names.pop(name, None)


def _begin(row: Row, at: float) -> None:
    row.started = at
    row.ended = row.progress = row.custom = row.revert_failure = row.failure = row.outputs = None
    row.tries = row.attempt
    row.already = False


def _begin_undo(row: Row, entry: EntryLike) -> None:
    row.started = entry.time
    row.ended = row.progress = row.custom = row.revert_failure = None
    if row.revert in NO_UNDO:
        row.attempt = row.undos  # nothing is run for it, so it has no attempts
        return
    row.undos = entry.attempt
    if entry.old_state == "REVERT_FAILURE":
        row.revert_base = entry.attempt - 1


def _finish(row: Row, at: float, data: Mapping[str, Any]) -> None:
    row.ended = at
    row.progress = row.custom = None
    failure = data.get("failure")
    if row.state == "REVERT_FAILURE":
        row.revert_failure = failure
    elif failure is not None:
        row.failure = failure
    elif row.state == "SUCCESS":
        row.failure = None
    if "outputs" in data:
        row.outputs = data["outputs"]
    # Found done before, or never begun: there is nothing of ours to undo.
    row.already = bool(data.get("already")) or data.get("started") is False


def _words(data: Mapping[str, Any]) -> str:
    if data.get("message"):
        return str(data["message"])
    failure = data.get("failure") or {}
    return ": ".join(str(failure[key]) for key in ("type", "message") if failure.get(key))


def _fraction(value: Any) -> float | None:
    if isinstance(value, int | float) and value == value:  # noqa: PLR0124 - only NaN differs from itself
        return min(1.0, max(0.0, float(value)))
    return None


def _declared_rows(definition: Mapping[str, Any], groups: list[Group]) -> Iterator[Row]:
    """The rows of the file, depth-first with a stack of our own: nesting has no limit here. Fills `groups`."""
    flows, tasks = definition["flows"], definition["tasks"]
    groups.extend([Group(flow["name"], flow["parent"], 0, None) for flow in flows])
    order = 0
    stack: list[tuple[str, int]] = [("flow", 0)]
    while stack:
        what, position = stack.pop()
        if what == "task":
            task = tasks[position]
            parent = groups[task["flow"]]
            yield _task_row(task, parent, order)
            order += 1
            continue
        flow = flows[position]
        depth = groups[flow["parent"]].depth + 1 if flow["parent"] >= 0 else 0
        controller = None
        if flow.get("retry"):
            controller = _controller_row(flow, depth, order)
            order += 1
            yield controller
        groups[position] = Group(flow["name"], flow["parent"], depth, controller)
        stack.extend((child[0], child[1]) for child in reversed(flow["children"]))


def _task_row(task: Mapping[str, Any], group: Group, order: int) -> Row:
    row = Row("task", task["name"], group.name, group.depth, order)
    revert = task.get("revert") or {}
    row.action = task.get("kind", "")
    row.allowed = bool(task.get("allow_failure"))
    row.pivot = bool(task.get("pivot"))
    row.limit = (task.get("retry") or {}).get("attempts", 1)
    row.revert = revert.get("form", "none")
    row.reason = revert.get("reason")
    row.revert_limit = revert["retry"].get("attempts", 1) if revert.get("retry") else UNDO_RETRY.attempts
    return row


def _controller_row(flow: Mapping[str, Any], depth: int, order: int) -> Row:
    row = Row("retry", flow["name"], flow["name"], max(0, depth - 1), order)
    retry = flow["retry"]
    values = retry.get("for_each")
    row.limit = len(values) if isinstance(values, list) else None if values else retry.get("attempts")
    return row
