"""Transitions and journal entries are the same thing, once by node and once by name."""

from collections.abc import Iterable, Iterator

from taskrun.drivers.values import ITEMS
from taskrun.engine.expand import Lists, known_lists
from taskrun.engine.flow import Flow
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


def lists_of(entries: Iterable[Entry]) -> Lists:
    """The items of each fan-out, as many as were ever known."""
    found: Lists = {}
    for entry in entries:
        if entry.kind == ITEMS and entry.data and "items" in entry.data:
            found = known_lists(found, entry.name, entry.data["items"])
    return found


def transitions(flow: Flow, entries: Iterable[Entry]) -> Iterator[Transition]:
    """What the journal holds of a run's decisions. What others wrote (logs, progress) has no state, and is passed over."""
    tasks = {flow.names[node]: node for node in flow.tasks}
    begins = {section.name: section.begin for section in flow.sections}
    for entry in entries:
        if entry.state is None:
            continue
        if entry.kind == "flow":
            node: int | None = RUN
        elif entry.kind == "retry":  # the workflow itself may be called like one of its tasks
            node = begins.get(entry.name)
        else:
            node = tasks.get(entry.name, begins.get(entry.name))
        if node is None:
            continue  # a file that changed meanwhile has it no longer: it was undone, or had nothing to undo
        yield Transition(
            entry.kind, node, entry.name, entry.old_state, entry.state, entry.time, entry.attempt, entry.data
        )
