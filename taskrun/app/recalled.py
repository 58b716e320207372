"""A run as the journal has it: its machine restored, its tasks found, its directory looked at."""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from taskrun.app.base import RunOptions
from taskrun.drivers.recall import lists_of, transitions
from taskrun.engine.expand import Lists, expand, has_fan_out
from taskrun.engine.flow import Flow, compile_flow
from taskrun.engine.machine import Machine
from taskrun.errors import (
    JournalCorruptError,
    JournalError,
    NotFoundError,
)
from taskrun.journal.base import Entry, Revision, RunRow
from taskrun.journal.sqlite import SqliteJournal
from taskrun.spec.spelling import nearest


def check_directory(directory: str) -> None:
    """What tells how attempts have ended, and what their undos need, is in there: without it nothing is done."""
    if not os.path.isdir(directory):
        run_id = os.path.basename(directory)
        raise JournalError(
            f"the directory of run {run_id} is gone: {directory}",
            hint=f"put it back, or undo by hand what taskrun states {run_id} shows as done",
        )


def node_of(flow: Flow, run_id: str, task: str) -> int:
    """The node of a run's task."""
    node = next((n for n in flow.tasks if flow.names[n] == task), None)
    if node is None:
        near = nearest(task, [flow.names[n] for n in flow.tasks])
        raise NotFoundError(
            f"run {run_id} has no task {task!r}" + (f"; did you mean {near!r}?" if near else ""),
            hint=f"taskrun states {run_id} lists them",
        )
    return node


class Recalled(NamedTuple):
    """A run as the journal has it, and the machine restored from that."""

    row: RunRow
    definition: dict[str, Any]
    entries: list[Entry]
    machine: Machine
    expanded: Mapping[str, Any]
    revision: Revision | None = None  # what it is to go on with from here, when that is not recorded yet
    told: str = ""  # what is other in it


def recall(where: str, run_id: str, options: RunOptions) -> Recalled:
    """Read a run and restore its machine; the journal is closed again, for a fork may follow."""
    journal = SqliteJournal.open(where, readonly=True)
    try:
        # Going on from a damaged history would be guessing; it also finds entries missing at the end.
        damage = journal.verify(run_id)
        if damage is not None:
            where_ = f"entry {damage.seq}" if damage.seq is not None else "its record"
            raise JournalCorruptError(
                f"the journal of run {run_id} is damaged: {where_}: {damage.what}",
                hint=f"nothing was done; taskrun states {run_id} --history shows what can still be read",
            )
        row, definition, entries = journal.run(run_id), journal.definition(run_id), journal.entries(run_id)
    finally:
        journal.close()
    return restored(row, definition, entries, options)


def restored(row: RunRow, definition: dict[str, Any], entries: list[Entry], options: RunOptions) -> Recalled:
    """The machine as these entries left it."""
    expanded, flow = flow_of(definition, lists_of(entries))
    jobs = options.jobs or int(row.options.get("jobs", 0)) or os.cpu_count() or 1
    machine = Machine.restore(flow, transitions(flow, entries), jobs=jobs, seed=seed_of(row.id))
    return Recalled(row, definition, entries, machine, expanded)


def flow_of(definition: Mapping[str, Any], lists: Lists | None = None) -> tuple[Mapping[str, Any], Flow]:
    """The definition as it is run, fan-outs with the items that are known of them, and its flow."""
    if has_fan_out(definition):
        definition = expand(definition, lists or {})
    return definition, compile_flow(definition)


def seed_of(run_id: str) -> int:
    return int.from_bytes(run_id.encode()[-6:], "big")
