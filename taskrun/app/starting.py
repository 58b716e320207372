"""Starts a run: everything that must be there before its first task, in the order a crash can interrupt."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from taskrun import debugging
from taskrun.app.base import ListenersFor, Outcome, RunOptions
from taskrun.app.recalled import flow_of, seed_of
from taskrun.app.session import Session
from taskrun.app.shared import explained, needs_processes, secrets_of, shared_names
from taskrun.drivers.clock import Clock
from taskrun.engine import events as e
from taskrun.engine.machine import Machine
from taskrun.errors import (
    UsageError,
)
from taskrun.executors.client import Supervisor
from taskrun.journal.base import FORMAT, RunRow
from taskrun.journal.home import home, make_home, make_run_dir, sync_run_dir
from taskrun.journal.ids import boot_id, new_run_id
from taskrun.journal.lock import NamedLock, RunLock, this_process
from taskrun.journal.sqlite import SqliteJournal
from taskrun.spec.expressions import render
from taskrun.version import __version__


def start_run(
    definition: Mapping[str, Any],
    text: str,
    inputs: Mapping[str, Any],
    options: RunOptions,
    listeners_for: ListenersFor,
) -> Outcome:
    """Run a compiled workflow to its end. ``listeners_for(displayed)`` makes those who are told."""
    secrets = secrets_of(definition)
    where = home()
    make_home(where)
    run_id = new_run_id()
    directory = make_run_dir(where, run_id)
    with ExitStack() as stack:
        unborn = stack.enter_context(ExitStack())
        unborn.callback(remove_run_dir, directory)
        unborn.enter_context(explained(UsageError, "the run cannot be started", "nothing has run"))
        os.mkdir(f"{directory}/out", 0o700)
        # Forked first: before any thread, before the journal is open, before any lock is held.
        supervisor = Supervisor.start(directory) if needs_processes(definition) else None
        stack.enter_context(RunLock(directory)).acquire(this_process("run"))
        clock = Clock()
        shared = shared_names(definition, inputs, run_id, clock.now(), secrets)
        if "lock" in definition:
            name = str(render(definition["lock"], shared))
            stack.enter_context(NamedLock(where, name)).acquire(this_process(f"run {run_id}"))
        journal = SqliteJournal.open(where, durability=options.durability)
        stack.callback(journal.close)
        freeze_text(directory, text)
        expanded, flow = flow_of(definition)
        machine = Machine(flow, jobs=options.jobs or os.cpu_count() or 1, seed=seed_of(run_id))
        session = Session(definition, expanded, machine, run_id, directory, shared, secrets)
        row = run_row(run_id, definition, inputs, options, clock.now())
        if options.durability == "full":
            sync_run_dir(directory)
        if debugging.listeners:
            debugging.say("run", f"{run_id} in {directory}, {options}")
        journal.create_run(row, definition)
        unborn.pop_all()
        durable = options.durability == "full"
        driver = session.driver(journal, supervisor, row.epoch, clock, listeners_for, durable=durable)
        stack.callback(session.close)
        return session.drive(driver, e.RunRequested(clock.now()), options)


def run_row(
    run_id: str, definition: Mapping[str, Any], inputs: Mapping[str, Any], options: RunOptions, now: float
) -> RunRow:
    return RunRow(
        run_id,
        definition["name"],
        definition.get("file", ""),
        definition.get("sha256", ""),
        now,
        None,
        "PENDING",
        None,
        dict(inputs),
        1,
        os.getpid(),
        os.uname().nodename,
        boot_id(),
        FORMAT,
        __version__,
        None,
        options._asdict(),
    )


def freeze_text(run_dir: str, text: str) -> None:
    """The file as it was, beside the definition in the journal: for people, and to show a difference."""
    write_text(f"{run_dir}/workflow.yaml", text)


def write_text(path: str, text: str) -> None:
    """A new file that is for nobody else."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def remove_run_dir(directory: str) -> None:
    """Of a run that never came to be."""
    import shutil  # noqa: PLC0415 - only when a start is refused

    shutil.rmtree(directory, ignore_errors=True)
