"""Records what a person says of a task that is in doubt."""

import os
from typing import Any

from taskrun.app.base import RunOptions
from taskrun.app.recalled import check_directory, node_of, recall
from taskrun.drivers.clock import Clock
from taskrun.drivers.recall import to_entry
from taskrun.engine import events as e
from taskrun.errors import (
    InvalidTransition,
    RefusedError,
)
from taskrun.journal.home import home, run_dir
from taskrun.journal.lock import RunLock, this_process
from taskrun.journal.sqlite import SqliteJournal


def resolve_task(run_id: str, task: str, verdict: str, data: dict[str, Any]) -> str:
    """Record what a person says of a task; the state it is in then. The run itself does not go on.

    Raises:
        NotFoundError: the run has no such task.
        RefusedError: the task is in a state in which there is nothing to decide.
    """
    where = home()
    check_directory(run_dir(where, run_id))
    with RunLock(run_dir(where, run_id)).acquire(this_process("resolve")):
        held = recall(where, run_id, RunOptions())
        flow, record = held.machine.flow, held.machine.record
        node = node_of(flow, run_id, task)
        if not held.machine.over:
            raise RefusedError(
                f"run {run_id} was interrupted: nothing is in doubt before it was looked at again",
                hint=f"taskrun resume {run_id}",
            )
        try:
            step = held.machine.receive(e.Resolved(Clock().now(), node, verdict, data))
        except InvalidTransition as error:
            raise RefusedError(f"{task} is {record.state[node]}, not in doubt: nothing to resolve") from error
        journal = SqliteJournal.open(where)
        try:
            epoch = journal.take_over(
                run_id, pid=os.getpid(), host=os.uname().nodename, boot_id=held.row.boot_id, verb="resolve"
            )
            seq = held.entries[-1].seq
            entries = [to_entry(t, seq + i) for i, t in enumerate(step.transitions, 1)]
            journal.append(run_id, entries, epoch=epoch)
        finally:
            journal.close()
        return str(record.state[node])
