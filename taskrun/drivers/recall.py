"""Transitions and journal entries are the same thing, once by node and once by name."""

from collections.abc import Iterable, Iterator

from taskrun.engine.flow import END, Flow
from taskrun.engine.record import RUN, Transition
from taskrun.journal.base import Entry


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
    """What the journal holds of a run's decisions. What others wrote (logs, progress) has no state, and is passed over."""
    nodes = {flow.names[n]: n for n in range(len(flow)) if flow.kinds[n] != END}
    for entry in entries:
        if entry.state is None:
            continue
        node = RUN if entry.kind == "flow" else nodes.get(entry.name)
        if node is None:
            continue  # a file that changed meanwhile has it no longer: it was undone, or had nothing to undo
        yield Transition(
            entry.kind, node, entry.name, entry.old_state, entry.state, entry.time, entry.attempt, entry.data
        )
