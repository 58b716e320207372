"""What a newcomer does with attempts that were under way when their taskrun died.

The supervisor outlived it and wrote down how they ended; what it could not write down is lost, and what it never
started is simply started. Only the machine decides what follows.
"""

from collections.abc import Mapping, Sequence

from taskrun.actions import registry
from taskrun.drivers.attempt import CHECK, DO, PROBE, REVERT, VERIFY, Attempt, attempt_key
from taskrun.drivers.local import LocalDriver
from taskrun.drivers.undo import is_kept
from taskrun.drivers.values import Values
from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.machine import Machine
from taskrun.engine.record import FORWARD
from taskrun.engine.states import RUNNING
from taskrun.executors.protocol import Ended
from taskrun.executors.recovery import Alive, Lost, NotStarted

Found = Mapping[str, Ended | Alive | Lost | NotStarted]


def keys(machine: Machine, pending: Sequence[c.Command]) -> list[str]:
    """The names under which the supervisor may have written about what is in flight."""
    found: list[str] = []
    for command in pending:
        name = machine.flow.names[command.node]
        if isinstance(command, c.StartAttempt):
            found += [attempt_key(name, part, command.attempt) for part in (CHECK, DO, VERIFY)]
        elif isinstance(command, c.StartRevert):
            found.append(attempt_key(name, REVERT, command.attempt))
        elif isinstance(command, c.StartProbe):
            found.append(attempt_key(name, PROBE, command.attempt))
    return found


def settle(driver: LocalDriver, values: Values, pending: Sequence[c.Command], found: Found) -> None:
    """Tell the machine what became of everything that was in flight, or start what never was."""
    for command in pending:
        if isinstance(command, c.StartAttempt):
            _settle_attempt(driver, values, command, found)
        elif isinstance(command, c.StartRevert):
            _settle_revert(driver, values, command, found)
        elif isinstance(command, c.StartProbe):
            driver.perform(command)  # a question may be asked again


def _settle_attempt(driver: LocalDriver, values: Values, command: c.StartAttempt, found: Found) -> None:
    node, number = command
    task, name = values.spec(node), driver.machine.flow.names[node]
    outcome = found.get(attempt_key(name, DO, number))
    if isinstance(outcome, Ended):
        driver.take_over(Attempt(node, name, number, DO), outcome)
    elif _acts_once(task["kind"]) and not isinstance(outcome, Lost) and driver.machine.record.run == RUNNING:
        driver.repeat(node, number)
    elif isinstance(outcome, Lost) or not _may_start(task["kind"], task["fields"]):
        driver.receive(e.AttemptLost(driver.clock.now(), node, number, _LOST))
    elif driver.machine.record.phase == FORWARD:
        driver.perform(command)
    else:  # it would only be undone again
        now = driver.clock.now()
        driver.receive(e.AttemptFailed(now, node, number, _NOT_STARTED, started=False, retryable=False))


def _settle_revert(driver: LocalDriver, values: Values, command: c.StartRevert, found: Found) -> None:
    node, number = command
    spec, name = values.spec(node)["revert"], driver.machine.flow.names[node]
    if is_kept(values.spec(node)):
        driver.perform(command)  # it goes on where it was
        return
    outcome = found.get(attempt_key(name, REVERT, number))
    if isinstance(outcome, Ended):
        driver.take_over(Attempt(node, name, number, REVERT), outcome)
    elif _acts_once(spec["kind"]) and not isinstance(outcome, Lost):
        driver.perform(command)
    elif isinstance(outcome, Lost) or not _may_start(spec["kind"], spec["fields"]):
        driver.receive(e.RevertLost(driver.clock.now(), node, number))
    else:
        driver.perform(command)


def _acts_once(kind: str) -> bool:
    """Whether an attempt that was cut short may be gone on with."""
    return bool(getattr(registry.get(kind), "IDEMPOTENT", False))


def _may_start(kind: str, fields: Mapping[str, object]) -> bool:
    """Of processes the supervisor knows that they never began; of the rest only what has no effect may be repeated."""
    action = registry.get(kind)
    if action.MODE == "process" or action.EFFECT_FREE:
        return True
    writes = getattr(action, "writes", None)
    return writes is not None and not writes(fields)


_NOT_STARTED = {
    "type": "NotStarted",
    "message": "taskrun ended before this had begun, and the run is failing",
}
_LOST = {"type": "Lost", "message": "taskrun ended while this ran; nobody knows how it ended"}
