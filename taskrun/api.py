"""taskrun from Python: load a workflow, run it, be told of its states.

import taskrun

workflow = taskrun.load("deploy.yaml")
notifier = taskrun.Notifier()
notifier.register("*", lambda event: print(event["name"], event["state"]))
notifier.register("REVERTED", undo_finished, kinds=("flow",))
result = taskrun.run(workflow, {"version": "1.4.2"}, listeners=[notifier])
result.state, result.exit_code, result.outputs["build"]["id"]
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from taskrun.app.base import Displayed, RunOptions
from taskrun.app.starting import start_run
from taskrun.engine.states import FLOW_MOVES, RETRY_MOVES, TASK_MOVES
from taskrun.engine.view import View
from taskrun.errors import UsageError
from taskrun.journal.base import Durability
from taskrun.journal.codec import event_dict
from taskrun.listeners.base import Entry, Listener
from taskrun.spec.compiler import compile_file
from taskrun.spec.inputs import resolve_inputs
from taskrun.spec.spelling import nearest

Event = Mapping[str, Any]
TRANSITIONS = ("flow", "task", "retry")
STATES = ("*", *sorted({new for _, new in (*FLOW_MOVES, *TASK_MOVES, *RETRY_MOVES)}))


class Workflow(NamedTuple):
    """A compiled file. ``definition`` is plain data; see the design document."""

    definition: Mapping[str, Any]
    text: str

    @property
    def name(self) -> str:
        return str(self.definition["name"])


class Result(NamedTuple):
    """How a run ended. ``outputs`` are by task; ``applied`` and ``unknown`` what a rollback left."""

    run_id: str
    state: str
    exit_code: int
    outputs: dict[str, dict[str, Any]]
    reverted: list[str]
    applied: list[str]
    unknown: list[str]
    failure: dict[str, Any] | None


class Notifier:
    """Calls functions with the events of a run, once they are durable. What they raise never changes the run.

    ``failed`` collects what was raised, with the event that was told.
    """

    def __init__(self) -> None:
        self.failed: list[tuple[Event, Exception]] = []
        self._told: list[tuple[str, Sequence[str], Callable[[Event], object]]] = []

    def register(
        self, state: str, call: Callable[[Event], object], *, kinds: Sequence[str] = TRANSITIONS
    ) -> None:
        """Have ``call(event)`` called for every move to ``state``, or to any with ``"*"``.

        Raises:
            UsageError: there is no such state, or kind; it would never be called.
        """
        _check(state, STATES, "state")
        for kind in kinds:
            _check(kind, TRANSITIONS, "kind")
        self._told.append((state, tuple(kinds), call))

    def deregister(self, state: str, call: Callable[[Event], object]) -> None:
        """Undo a ``register``."""
        self._told = [each for each in self._told if (each[0], each[2]) != (state, call)]

    def notify(self, event: Event) -> None:
        for state, kinds, call in tuple(self._told):
            if event["kind"] in kinds and state in ("*", event["state"]):
                try:
                    call(event)
                except Exception as raised:
                    self.failed.append((event, raised))


def _check(word: str, known: Sequence[str], what: str) -> None:
    if word not in known:
        near = nearest(word, known)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(known)}"
        raise UsageError(f"there is no {what} {word!r}: {hint}")


class _Told:
    """A notifier as the driver's listener."""

    def __init__(self, notifier: Notifier, run_id: str) -> None:
        self._notifier = notifier
        self._run_id = run_id

    def entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.kind in TRANSITIONS:
                self._notifier.notify(event_dict(self._run_id, entry))  # type: ignore[arg-type]

    def tick(self, now: float) -> float | None:  # noqa: ARG002 - nothing here depends on the time
        return None

    def say(self, text: str) -> None:
        """Meant for a person at a terminal."""

    def close(self) -> None:
        """Nothing is held."""


def load(path: str | os.PathLike[str], *, strict: bool = False) -> Workflow:
    """Compile a workflow file.

    Raises:
        WorkflowError: with ``diagnostics``, all that is wrong with it.
    """
    compiled = compile_file(os.fspath(path), strict=strict)
    return Workflow(compiled.definition, compiled.text)


def run(
    workflow: Workflow,
    inputs: Mapping[str, Any] | None = None,
    *,
    listeners: Sequence[Notifier] = (),
    jobs: int = 0,
    durability: Durability = "full",
) -> Result:
    """Run a workflow to its end, in the main thread (it listens to Ctrl-C and SIGTERM as the command does).

    Args:
        workflow: what ``load`` gave.
        inputs: values by name, as they are.
        listeners: who is told.
        jobs: tasks at the same time; 0 is the number of cores.
        durability: ``full``, or ``process`` (the journal survives kill -9 but not a power loss).

    Raises:
        UsageError: an input is wrong or missing, or this is not the main thread; nothing ran.
        HeldError: the workflow's lock is taken.
    """
    if threading.current_thread() is not threading.main_thread():
        raise UsageError(
            "a run needs the main thread: it forks, and listens to signals",
            hint="start `taskrun run` as a process, or use `multiprocessing`",
        )
    resolved = resolve_inputs(workflow.definition, inputs or {}, os.environ)

    def told(shown: Displayed) -> list[Listener]:
        return [_Told(notifier, shown.run_id) for notifier in listeners]

    options = RunOptions(jobs, durability)
    outcome = start_run(workflow.definition, workflow.text, resolved, options, told)
    return _result(outcome.run_id, outcome.exit_code, outcome.view)


def _result(run_id: str, exit_code: int, view: View) -> Result:
    outputs = {name: dict(row.outputs) for name, row in view.index.items() if row.outputs}
    failures = [view.index[name].failure for name in view.failed]
    failure = next((dict(each) for each in failures if each), None)
    return Result(run_id, view.state, exit_code, outputs, view.undone, view.applied, view.unknown, failure)
