"""Transitions and journal entries are the same thing, once by node and once by name."""

from collections.abc import Iterable, Iterator

from taskrun.engine.flow import BEGIN, TASK, Flow
from taskrun.engine.record import RUN, Transition
from taskrun.journal.base import Entry

TRANSITIONS = frozenset({"flow", "task", "retry"})


def to_entry(transition: Transition, seq: int) -> Entry:
    data = transition.data
    return Entry(
        seq,
        transition.at,
        transition.kind,
        transition.name,
        transition.old,
        transition.state,
        transition.attempt,
        dict(data) if data else None,
    )


def transitions(flow: Flow, entries: Iterable[Entry]) -> Iterator[Transition]:
    """What the journal holds of a run's decisions; the rest of it (logs, progress) is passed over."""
    tasks = {flow.names[node]: node for node in flow.tasks}
    begins = {flow.names[n]: n for n in range(len(flow)) if flow.kinds[n] == BEGIN}
    for entry in entries:
        data = entry.data
        if entry.kind == "task" or (entry.kind == "warning" and data is not None and "due" in data):
            node = tasks[entry.name]
        elif entry.kind == "retry":
            node = begins[entry.name]
        elif entry.kind == "flow":
            node = RUN
        else:
            continue
        yield Transition(
            entry.kind, node, entry.name, entry.old_state, entry.state or "", entry.time, entry.attempt, data
        )


def is_task(flow: Flow, node: int) -> bool:
    return flow.kinds[node] == TASK
