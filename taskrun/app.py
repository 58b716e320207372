"""Wiring: the only place that picks concrete classes."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from signal import SIGHUP
from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.drivers import settle
from taskrun.drivers.attempt import Preparer, base_environment
from taskrun.drivers.clock import Clock
from taskrun.drivers.hiding import hide_nothing, hiding
from taskrun.drivers.local import LocalDriver
from taskrun.drivers.notifier import Notifier
from taskrun.drivers.recall import to_entry, transitions
from taskrun.drivers.relief import Relief
from taskrun.drivers.signals import WORDS, Signals
from taskrun.drivers.values import ITEMS, Values
from taskrun.engine import events as e
from taskrun.engine.expand import Lists, expand, has_fan_out
from taskrun.engine.flow import Flow, compile_flow
from taskrun.engine.machine import Machine
from taskrun.engine.states import PENDING, REVERTED
from taskrun.engine.view import Row, View
from taskrun.errors import (
    InvalidTransition,
    JournalCorruptError,
    JournalError,
    NotFoundError,
    RefusedError,
    TaskrunError,
    UsageError,
)
from taskrun.executors.attempts_log import LOG_NAME
from taskrun.executors.client import Supervisor
from taskrun.executors.recovery import Lost, attach, is_held, recover
from taskrun.journal.base import FORMAT, Entry, RunRow
from taskrun.journal.codec import event_dict, timestamp
from taskrun.journal.home import home, make_home, make_run_dir, run_dir, sync_run_dir
from taskrun.journal.ids import boot_id, new_run_id
from taskrun.journal.lock import NamedLock, RunLock, this_process
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.base import Listener, Listeners, OutputOf
from taskrun.listeners.tail import as_it_is
from taskrun.spec.expressions import render
from taskrun.spec.spelling import nearest
from taskrun.version import __version__

if TYPE_CHECKING:
    from taskrun.drivers.masking import Masker
    from taskrun.drivers.secrets import Secrets
    from taskrun.drivers.verifier import Verifier


REQUESTS_EVERY = 0.25  # seconds
PROCESS_KINDS = frozenset({"run", "exec", "python"})


class Displayed(NamedTuple):
    """What a display of a run works with. ``hide`` masks secrets in bytes that tasks have printed."""

    view: View
    run_id: str
    run_dir: str
    hide: Callable[[bytes], bytes]


ListenersFor = Callable[[Displayed], list[Listener]]


class RunOptions(NamedTuple):
    jobs: int = 0  # 0: as many as there are cores
    durability: str = "full"
    on_interrupt: str = "revert"


Verdict = tuple[str, str, dict[str, Any] | None]  # a task, what a person says of it, why


class Outcome(NamedTuple):
    """How a run left this process. ``left`` is set when it was left before its end (a second Ctrl-C)."""

    run_id: str
    exit_code: int
    view: View
    left: bool = False
    broken: Sequence[Exception] = ()  # displays that failed on the way


class LeaveError(BaseException):
    """The user wants out at once: the journal is intact, attempts under way go on without us."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


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
        journal = SqliteJournal.open(where, durability=_durability(options))
        stack.callback(journal.close)
        freeze_text(directory, text)
        expanded, flow = flow_of(definition)
        machine = Machine(flow, jobs=options.jobs or os.cpu_count() or 1, seed=seed_of(run_id))
        session = Session(definition, expanded, machine, run_id, directory, shared, secrets)
        row = run_row(run_id, definition, inputs, options, clock.now())
        if options.durability == "full":
            sync_run_dir(directory)
        journal.create_run(row, definition)
        unborn.pop_all()
        durable = options.durability == "full"
        driver = session.driver(journal, supervisor, row.epoch, clock, listeners_for, durable=durable)
        stack.callback(session.close)
        return session.drive(driver, e.RunRequested(clock.now()), options)


def continue_run(
    run_id: str,
    event: Callable[[Flow, float], e.Event],
    options: RunOptions,
    listeners_for: ListenersFor,
    *,
    verb: str,
    verdicts: Sequence[Verdict] = (),
    waiting: Callable[[], None] = lambda: None,
) -> Outcome:
    """Take a run over that nobody drives any more, settle what was in flight, and go on with ``event``.

    ``verdicts`` are what a person decided, recorded first; ``waiting()`` is called when attempts of the
    dead taskrun are still under way and have to be waited for.

    Raises:
        HeldError: another process drives it.
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
        journal = SqliteJournal.open(where, durability=_durability(options))
        stack.callback(journal.close)
        session = Session(definition, held.expanded, machine, run_id, directory, shared, secrets)
        epoch = journal.take_over(run_id, pid=os.getpid(), host=os.uname().nodename, boot_id=boot_id())
        for entry in held.entries:
            session.values.take(entry)
            session.view.apply(entry)
        seq = held.entries[-1].seq if held.entries else 0
        durable = options.durability == "full"
        first_steps.pop_all()
        driver = session.driver(journal, supervisor, epoch, clock, listeners_for, seq, durable=durable)
        stack.callback(session.close)
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
    return recover(directory, keys, boot_id=boot)


def check_directory(directory: str) -> None:
    """What tells how attempts have ended, and what their undos need, is in there: without it nothing is done."""
    if not os.path.isdir(directory):
        run_id = os.path.basename(directory)
        raise JournalError(
            f"the directory of run {run_id} is gone: {directory}",
            hint=f"put it back, or undo by hand what taskrun states {run_id} shows as done",
        )


@contextmanager
def explained(kind: type[TaskrunError], what: str, hint: str) -> Iterator[None]:
    """A disk that takes nothing, or a system without room for another process, is no bug."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise kind(f"{what}: {where}{error.strerror or error}", hint=hint) from error


def first_event(machine: Machine, asked: e.Event) -> e.Event:
    """A run whose taskrun died before its first step is started, not resumed; and there is nothing to revert."""
    if machine.record.run != PENDING:
        return asked
    if isinstance(asked, e.RevertRequested):
        raise RefusedError("the run was interrupted before it began: there is nothing to undo")
    return e.RunRequested(asked.at)


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
                run_id, pid=os.getpid(), host=os.uname().nodename, boot_id=held.row.boot_id
            )
            seq = held.entries[-1].seq
            entries = [to_entry(t, seq + i) for i, t in enumerate(step.transitions, 1)]
            journal.append(run_id, entries, epoch=epoch)
        finally:
            journal.close()
        return str(record.state[node])


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
    lists = {n.name: n.data["items"] for n in entries if n.kind == ITEMS and n.data and "items" in n.data}
    expanded, flow = flow_of(definition, lists)
    jobs = options.jobs or int(row.options.get("jobs", 0)) or os.cpu_count() or 1
    machine = Machine.restore(flow, transitions(flow, entries), jobs=jobs, seed=seed_of(run_id))
    return Recalled(row, definition, entries, machine, expanded)


def flow_of(definition: Mapping[str, Any], lists: Lists | None = None) -> tuple[Mapping[str, Any], Flow]:
    """The definition as it is run, fan-outs with the items that are known of them, and its flow."""
    if has_fan_out(definition):
        definition = expand(definition, lists or {})
    return definition, compile_flow(definition)


def await_survivors(directory: str, waiting: Callable[[], None]) -> None:
    """Attempts of a dead taskrun go on under their supervisor: let them end before anything else starts."""
    if not is_held(directory):
        return
    waiting()
    with attach(directory) as survivors:
        while survivors.alive:
            survivors.poll(0.5)


class Session:
    """One run held by this process: the pieces that belong together, and how they are driven."""

    def __init__(
        self,
        definition: Mapping[str, Any],
        expanded: Mapping[str, Any],
        machine: Machine,
        run_id: str,
        run_dir: str,
        shared: Mapping[str, Any],
        secrets: "Secrets | None" = None,
    ) -> None:
        self.definition = definition
        self.machine = machine
        self.run_id = run_id
        self.run_dir = run_dir
        self.view = View(definition)
        self.values = Values(expanded, machine.flow, machine.record, shared)
        self.environment = base_environment(definition, self.values.run_scope(), definition.get("dir") or "/")
        self._masker = secrets.masker if secrets is not None else None
        self._listeners: Listeners | None = None
        self._driver: LocalDriver | None = None
        self._verifier: Verifier | None = None
        self._journal: SqliteJournal | None = None
        self._change_counter = -1
        self._last_request = 0
        self._signals = 0
        self._is_low = False

    def driver(
        self,
        journal: SqliteJournal,
        supervisor: Supervisor | None,
        epoch: int,
        clock: Clock,
        listeners_for: ListenersFor,
        seq: int = 0,
        *,
        durable: bool = True,
    ) -> LocalDriver:
        preparer = Preparer(self.values, self.run_id, self.run_dir, self.environment, durable=durable)
        self._journal = journal
        old = journal.requests(
            self.run_id
        )  # made to an earlier process, which may have ended before it heard
        self._last_request = old[-1].id if old else 0
        masker = self._masker
        shown = Displayed(self.view, self.run_id, self.run_dir, as_it_is if masker is None else masker.data)
        self._listeners = Listeners(self.view, listeners_for(shown))
        driver = LocalDriver(
            self.machine,
            self.values,
            preparer,
            journal,
            self._listeners,
            supervisor,
            relief=Relief(self.run_dir),
            run_id=self.run_id,
            epoch=epoch,
            seq=seq,
            clock=clock,
            lock=take_lock,
            definition=self.definition,
            seed=seed_of(self.run_id),
            hide=hide_nothing if masker is None else hiding(masker.value),
        )
        if self.definition.get("verify_revert"):
            from taskrun.drivers.verifier import Verifier  # noqa: PLC0415 - few workflows have any checks

            self._verifier = Verifier(self.definition["verify_revert"], driver, self.values)
            driver.after_commit(self._verifier.entries)
        if self.definition.get("notify"):
            notifier = Notifier(self.definition["notify"], driver, self.values, self.run_id)
            driver.after_commit(notifier.entries)
        driver.after_commit(lambda _entries: self._heed_space(driver, journal))
        self._driver = driver
        return driver

    def _heed_space(self, driver: LocalDriver, journal: SqliteJournal) -> None:
        """What is left of a full disk is for the rollback: start nothing more."""
        if journal.low_on_space and not self._is_low:
            self._is_low = True
            assert self._listeners is not None
            self._listeners.say("The disk is full: nothing more is started. Free some space, then resume.")
            driver.receive(e.SuspendRequested(driver.clock.now(), "the disk is full"))

    def drive(
        self,
        driver: LocalDriver,
        first: e.Event,
        options: RunOptions,
        settle_pending: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Until the run is over, or the user leaves."""
        with Signals() as signals:
            driver.loop.watch(signals, lambda: self._interrupted(driver, signals.receive(), options))
            if "timeout" in self.definition:
                driver.loop.at(
                    driver.clock.now() + self.definition["timeout"], lambda: self._out_of_time(driver)
                )
            driver.loop.every(REQUESTS_EVERY, lambda: self._take_requests(driver))
            before = self.machine.record.run
            driver.receive(first)
            settle_pending()
            if self._verifier is not None and before == REVERTED:
                self._verifier.begin()  # nobody has looked yet, or something was left
            try:
                driver.run()
            except LeaveError as leave:
                return Outcome(self.run_id, 128 + leave.number, self.view, True, self._broken())
            except JournalError:
                self._see_out(driver)
                raise
        return Outcome(self.run_id, driver.exit_code, self.view, False, self._broken())

    def _see_out(self, driver: LocalDriver) -> None:
        """Nothing can be recorded any more, so nothing may begin; what runs is worth waiting for."""
        assert self._listeners is not None
        if driver.running:
            self._listeners.say(
                "The journal cannot be written: nothing more is started. Waiting for what runs to end"
                f" ({', '.join(driver.running)}); Ctrl-C leaves it to its supervisor."
            )
            self._signals += 1  # the next one is the one that leaves
            with suppress(LeaveError):
                driver.finish_what_runs()

    def _broken(self) -> Sequence[Exception]:
        return tuple(self._listeners.broken) if self._listeners else ()

    def _out_of_time(self, driver: LocalDriver) -> None:
        """The limit is the forward run's; a rollback under way is left alone."""
        message = f"no end after {self.definition['timeout']:g} s"
        driver.receive(e.CancelRequested(driver.clock.now(), {"type": "Timeout", "message": message}))

    def _take_requests(self, driver: LocalDriver) -> None:
        """What other processes ask for; looked up only when one of them has written."""
        assert self._journal is not None
        counter = self._journal.change_counter()
        if counter == self._change_counter:
            return
        self._change_counter = counter
        for request in self._journal.requests(self.run_id, self._last_request):
            self._last_request = request.id
            reason, now = str(request.args.get("reason", "")), driver.clock.now()
            if request.verb == "suspend":
                driver.receive(e.SuspendRequested(now, reason or "asked for by `taskrun suspend`"))
            elif request.verb == "cancel":
                message = reason or "asked for by `taskrun cancel`"
                driver.receive(e.CancelRequested(now, {"type": "Cancelled", "message": message}))

    def _interrupted(self, driver: LocalDriver, numbers: list[int], options: RunOptions) -> None:
        assert self._listeners is not None
        for number in numbers:
            if number == SIGHUP and self._signals:
                continue  # the shell and the kernel both tell of a terminal that is gone: no wish to leave at once
            self._signals += 1
            if self._signals > 1:
                raise LeaveError(number)
            driver.interrupted = number
            now = driver.clock.now()
            if driver.machine.record.phase == "rolling":
                self._listeners.say(
                    "Rolling back already. Once more to leave at once; the journal stays intact."
                )
            elif options.on_interrupt == "suspend":
                self._listeners.say("Suspending: what runs may finish. Once more to leave at once.")
                driver.receive(e.SuspendRequested(now, WORDS[number]))
            else:
                self._listeners.say(
                    "Stopping what runs, then rolling back. Once more to leave at once; the journal stays intact."
                )
                failure = {"type": "Interrupted", "message": WORDS[number]}
                driver.receive(e.CancelRequested(now, failure))

    def close(self) -> None:
        if self._listeners is not None:
            self._listeners.close()
        if self._driver is not None:
            self._driver.close()


def take_lock(name: str, who: str) -> NamedLock:
    """The named lock of a task; HeldError if another task or run has it."""
    lock = NamedLock(home(), name)
    lock.acquire(this_process(who))
    return lock


def needs_processes(definition: Mapping[str, Any]) -> bool:
    """Is there anything a supervisor would have to start?"""
    for task in definition["tasks"]:
        for part in (task, *(task[p] for p in ("revert", "check", "verify", "probe") if p in task)):
            if part.get("kind") in PROCESS_KINDS:
                return True
    others = [rule["action"] for rule in definition.get("notify", ())]
    others += definition.get("verify_revert", ())
    return any(spec["kind"] in PROCESS_KINDS for spec in others)


def secrets_of(definition: Mapping[str, Any]) -> "Secrets | None":
    """What the workflow declares, read as far as that needs nothing run. UsageError says what is missing."""
    if not definition.get("secrets"):
        return None
    from taskrun.drivers.secrets import Secrets  # noqa: PLC0415 - few workflows have any

    secrets = Secrets(definition, os.environ)
    secrets.prepare()
    return secrets


def masker_of(definition: Mapping[str, Any]) -> tuple["Masker | None", list[str]]:
    """For those who only look at a run: a masker, and the names of the secrets that it cannot know here."""
    if not definition.get("secrets"):
        return None, []
    from taskrun.drivers.secrets import Secrets  # noqa: PLC0415 - few workflows have any

    secrets = Secrets(definition, os.environ)
    return secrets.masker, secrets.read_what_is_there()


def shared_names(
    definition: Mapping[str, Any],
    inputs: Mapping[str, Any],
    run_id: str,
    started: float,
    secrets: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The names every expression of the run may use."""
    run = {
        "id": run_id,
        "name": definition["name"],
        "started_at": timestamp(started),
        "user": os.environ.get("USER") or os.environ.get("LOGNAME") or str(os.getuid()),
    }
    return {"inputs": dict(inputs), "run": run, "env": dict(os.environ), "secrets": secrets or {}}


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
    fd = os.open(f"{run_dir}/workflow.yaml", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def seed_of(run_id: str) -> int:
    return int.from_bytes(run_id.encode()[-6:], "big")


def _durability(options: RunOptions) -> Any:
    return options.durability


def output_finder(run_dir: str) -> OutputOf:
    """Where the output of a row's last attempt is, doing or undoing; None before there is any.

    Where stderr has a file of its own and something is in it, it is that: it says what is going on, or wrong.
    """

    def find(row: Row, undoing: bool) -> str | None:
        number = row.undos if undoing else row.tries
        if not number:
            return None
        verifying = not undoing and (row.failure or {}).get("type") == "VerifyFailed"
        part = "revert." if undoing else "verify." if verifying else ""
        stem = f"{run_dir}/out/{row.name}.{part}{number}"
        try:
            apart = os.stat(f"{stem}.err").st_size > 0
        except OSError:
            apart = False
        return f"{stem}.err" if apart else f"{stem}.out"

    return find


def remove_run_dir(directory: str) -> None:
    """Of a run that never came to be."""
    import shutil  # noqa: PLC0415 - only when a start is refused

    shutil.rmtree(directory, ignore_errors=True)


def make_event(run_id: str) -> Callable[[Any], Mapping[str, Any]]:
    return lambda entry: event_dict(run_id, entry)
