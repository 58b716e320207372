"""Takes over a run that nobody drives any more."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from taskrun import debugging
from taskrun.app.base import Current, ListenersFor, Outcome, RunOptions, Verdict
from taskrun.app.recalled import check_directory, node_of, recall
from taskrun.app.revised import revised, switch
from taskrun.app.session import Session
from taskrun.app.shared import explained, needs_processes, secrets_of, shared_names
from taskrun.app.witness import hear
from taskrun.drivers import settle
from taskrun.drivers.clock import Clock
from taskrun.engine import events as e
from taskrun.engine.flow import Flow
from taskrun.engine.machine import Machine
from taskrun.engine.states import PENDING
from taskrun.errors import (
    JournalError,
    RefusedError,
)
from taskrun.executors.attempts_log import LOG_NAME
from taskrun.executors.client import Supervisor
from taskrun.executors.recovery import Lost, attach, is_held, recover
from taskrun.journal.home import home, run_dir
from taskrun.journal.ids import boot_id
from taskrun.journal.lock import NamedLock, RunLock, this_process
from taskrun.journal.sqlite import SqliteJournal
from taskrun.spec.expressions import render


def continue_run(
    run_id: str,
    event: Callable[[Flow, float], e.Event],
    options: RunOptions,
    listeners_for: ListenersFor,
    *,
    verb: str,
    verdicts: Sequence[Verdict] = (),
    current: Current | None = None,
    waiting: Callable[[], None] = lambda: None,
) -> Outcome:
    """Take a run over that nobody drives any more, settle what was in flight, and go on with ``event``.

    ``verdicts`` are what a person decided, recorded first; ``waiting()`` is called when attempts of the
    dead taskrun are still under way and have to be waited for. ``current`` is what the run goes on with from here on.

    Raises:
        HeldError: another process drives it.
        RefusedError: it cannot go on with ``current``.
    """
    where = home()
    directory = run_dir(where, run_id)
    check_directory(directory)
    with ExitStack() as stack:
        # A supervisor that is forked below closes what it inherits, so the lock is ours alone.
        stack.enter_context(RunLock(directory)).acquire(this_process(verb))
        first_steps = stack.enter_context(ExitStack())
        first_steps.enter_context(
            explained(JournalError, f"run {run_id} cannot be taken over", "it is as it was")
        )
        await_survivors(directory, waiting)
        clock = Clock()
        held = recall(where, run_id, options)
        hear(run_id, directory, held.entries)
        if held.entries:
            clock.go_on_from(held.entries[-1].time)
        if current is not None:
            held = revised(held, current, options)
        definition, machine = held.definition, held.machine
        decided = [(node_of(machine.flow, run_id, task), word, data) for task, word, data in verdicts]
        first = first_event(machine, event(machine.flow, clock.now()))
        secrets = secrets_of(definition)
        pending = machine.pending()
        found = what_became_of(directory, definition, settle.keys(machine, pending), held.row.boot_id)
        supervisor = Supervisor.start(directory) if needs_processes(definition) else None
        shared = shared_names(definition, held.row.inputs, run_id, held.row.created, secrets)
        if "lock" in definition:
            name = str(render(definition["lock"], shared))
            stack.enter_context(NamedLock(where, name)).acquire(this_process(f"{verb} {run_id}"))
        journal = SqliteJournal.open(where, durability=options.durability)
        stack.callback(journal.close)
        session = Session(definition, held.expanded, machine, run_id, directory, shared, secrets)
        host = os.uname().nodename
        epoch = journal.take_over(run_id, pid=os.getpid(), host=host, boot_id=boot_id(), verb=verb)
        if current is not None:
            switch(journal, directory, held, epoch, first.at, current.text)
        for entry in held.entries:
            session.values.take(entry)
            session.view.apply(entry)
        seq = held.entries[-1].seq if held.entries else 0
        durable = options.durability == "full"
        first_steps.pop_all()
        driver = session.driver(journal, supervisor, epoch, clock, listeners_for, seq, durable=durable)
        stack.callback(session.close)
        if current is not None:
            session.say(f"Going on with {held.row.file} as it is now ({held.told}).")
        for node, verdict, data in decided:
            driver.receive(e.Resolved(clock.now(), node, verdict, data))
        return session.drive(
            driver,
            first,
            options,
            lambda: settle.settle(driver, session.values, pending, found),
        )


def what_became_of(
    directory: str, definition: Mapping[str, Any], keys: Sequence[str], boot: str
) -> settle.Found:
    """The attempts that were under way when their taskrun died."""
    if needs_processes(definition) and not os.path.exists(f"{directory}/{LOG_NAME}"):
        return {key: Lost(key, "the log of attempts is gone") for key in keys}
    found = recover(directory, keys, boot_id=boot)
    if debugging.listeners:
        debugging.say("recovery", f"in flight when its taskrun died: {found or 'nothing'}")
    return found


def first_event(machine: Machine, asked: e.Event) -> e.Event:
    """A run whose taskrun died before its first step is started, not resumed; and there is nothing to revert."""
    if machine.record.run != PENDING:
        return asked
    if isinstance(asked, e.RevertRequested):
        raise RefusedError("the run was interrupted before it began: there is nothing to undo")
    return e.RunRequested(asked.at)


def await_survivors(directory: str, waiting: Callable[[], None]) -> None:
    """Attempts of a dead taskrun go on under their supervisor: let them end before anything else starts."""
    if not is_held(directory):
        return
    waiting()
    with attach(directory) as survivors:
        while survivors.alive:
            survivors.poll(0.5)
