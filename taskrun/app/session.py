"""One run held by this process."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from signal import SIGHUP
from typing import TYPE_CHECKING, Any

from taskrun import debugging
from taskrun.app.base import Displayed, LeaveError, ListenersFor, Outcome, RunOptions
from taskrun.app.recalled import seed_of
from taskrun.drivers.attempt import Preparer, base_environment
from taskrun.drivers.clock import Clock
from taskrun.drivers.local import LocalDriver
from taskrun.drivers.relief import Relief
from taskrun.drivers.signals import HALT, WORDS, Signals
from taskrun.drivers.values import Values
from taskrun.engine import events as e
from taskrun.engine.machine import Machine
from taskrun.engine.states import REVERTED
from taskrun.engine.view import View
from taskrun.errors import (
    JournalError,
)
from taskrun.executors.client import Supervisor
from taskrun.journal.home import home
from taskrun.journal.lock import NamedLock, this_process
from taskrun.journal.sqlite import SqliteJournal
from taskrun.listeners.base import Listeners
from taskrun.listeners.tail import as_it_is

if TYPE_CHECKING:
    from taskrun.drivers.secrets import Secrets
    from taskrun.drivers.verifier import Verifier

REQUESTS_EVERY = 0.25  # seconds


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
        masker = self._masker
        preparer = Preparer(
            self.values,
            self.run_id,
            self.run_dir,
            self.environment,
            durable=durable,
            masker=masker,
        )
        self._journal = journal
        old = journal.requests(
            self.run_id
        )  # made to an earlier process, which may have ended before it heard
        self._last_request = old[-1].id if old else 0
        shown = Displayed(self.view, self.run_id, self.run_dir, as_it_is)
        if masker is not None:
            shown = shown._replace(hide=masker.data, secret_values=lambda: masker.given)
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
            masker=masker,
        )
        if self.definition.get("verify_revert"):
            from taskrun.drivers.verifier import Verifier  # noqa: PLC0415 - few workflows have any checks

            self._verifier = Verifier(self.definition["verify_revert"], driver, self.values)
            driver.after_commit(self._verifier.entries)
        if self.definition.get("notify"):
            from taskrun.drivers.notifier import Notifier  # noqa: PLC0415 - few workflows tell anybody

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
            driver.loop.watch(signals, lambda: self._interrupted(driver, signals, options))
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
            if debugging.listeners:
                debugging.say("request", f"{request.id} {request.verb} {request.args}")
            reason, now = str(request.args.get("reason", "")), driver.clock.now()
            if request.verb == "suspend":
                driver.receive(e.SuspendRequested(now, reason or "asked for by `taskrun suspend`"))
            elif request.verb == "cancel":
                message = reason or "asked for by `taskrun cancel`"
                driver.receive(e.CancelRequested(now, {"type": "Cancelled", "message": message}))

    def _interrupted(self, driver: LocalDriver, signals: Signals, options: RunOptions) -> None:
        assert self._listeners is not None
        for number in signals.receive():
            if number == HALT:
                driver.halt(signals.stop_process)
                continue
            if number == SIGHUP and self._signals:
                continue  # the shell and the kernel both tell of a terminal that is gone: no wish to leave at once
            self._signals += 1
            if debugging.listeners:
                debugging.say("signal", WORDS[number])
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

    def say(self, text: str) -> None:
        """A word to whoever looks on."""
        assert self._listeners is not None
        self._listeners.say(text)

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
