"""What became of a part of an attempt, and what that means: the attempt's next part, or an event for the machine."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from taskrun.actions.base import UnexpectedResultError, matches
from taskrun.actions.outputs import parse as parse_outputs
from taskrun.drivers.attempt import CHECK, DO, IMAGE, REVERT, VERIFY, Attempt, Preparer
from taskrun.drivers.clock import Clock
from taskrun.drivers.failures import cancelled, failure_of
from taskrun.drivers.limits import Limits
from taskrun.drivers.values import Values
from taskrun.engine import events as e
from taskrun.errors import ActionError, ExpressionError
from taskrun.spec.expressions import check_condition, parse

MESSAGE_LIMIT = 64 * 1024

Warn = Callable[[str, str], None]  # of a task, what there is to say

OUTPUTS_UNKNOWN = "the outputs of the task are not known: its attempt had no end"


class Judge:
    """``receive`` hears the events, ``go_on`` begins the part that the attempt names next."""

    def __init__(
        self,
        values: Values,
        preparer: Preparer,
        limits: Limits,
        clock: Clock,
        receive: Callable[[e.Event], None],
        go_on: Callable[[Attempt], None],
        warn: Warn,
    ) -> None:
        self._values = values
        self._preparer = preparer
        self._limits = limits
        self._clock = clock
        self._receive = receive
        self._go_on = go_on
        self._warn = warn

    def conclude(self, attempt: Attempt, event: e.Event) -> None:
        """The attempt is over: nobody has to wait for its lock any more."""
        if attempt.lock is not None:
            attempt.lock.release()
            attempt.lock = None
        self._receive(event)

    # ------------------------------------------------------------------ it went well

    def succeeded(self, attempt: Attempt, result: Mapping[str, Any]) -> None:
        part, now = attempt.part, self._clock.now()
        if attempt.then is not None:
            attempt.then(result, None)
        elif part == CHECK:
            self._checked(attempt, result)
        elif part == IMAGE:
            self._imaged(attempt)
        elif part == DO:
            self._done(attempt, result)
        elif part == VERIFY:
            self.conclude(attempt, e.AttemptSucceeded(now, attempt.node, attempt.number, _carried(attempt)))
        elif part == REVERT:
            self.conclude(attempt, e.RevertSucceeded(now, attempt.node, attempt.number, _carried(attempt)))
        else:
            self._probed(attempt, result)

    def _checked(self, attempt: Attempt, result: Mapping[str, Any]) -> None:
        """Done already, unless the check says by its `done_if` that it is not."""
        check = self._values.spec(attempt.node)["check"]
        try:
            scope = self._values.scope(attempt.node, result=result)
            done = check_condition(parse(check["done_if"]).evaluate(scope)) if "done_if" in check else True
        except ExpressionError as error:
            attempt.started = False
            self.failed(attempt, error)
            return
        if done:
            self._succeed(attempt, result, already=True)
        else:
            self._go_on_after_check(attempt)

    def _go_on_after_check(self, attempt: Attempt) -> None:
        attempt.part, attempt.started = self._preparer.part_after_check(attempt.node), False
        self._go_on(attempt)

    def _imaged(self, attempt: Attempt) -> None:
        """What the task may change is kept: now it may begin."""
        if attempt.stopping is not None:
            self.failed(attempt, cancelled(attempt.stopping))
            return
        attempt.part = DO
        self._go_on(attempt)

    def _done(self, attempt: Attempt, result: Mapping[str, Any]) -> None:
        if "verify" not in self._values.spec(attempt.node):
            self._succeed(attempt, result)
            return
        try:
            attempt.outputs = self._outputs(attempt, result)
        except (ActionError, ExpressionError) as error:
            self.failed(attempt, error)
            return
        attempt.result = result
        attempt.part = VERIFY
        self._go_on(attempt)

    def _succeed(self, attempt: Attempt, result: Mapping[str, Any], *, already: bool = False) -> None:
        try:
            attempt.outputs = self._outputs(attempt, result)
        except (ActionError, ExpressionError) as error:
            self.failed(attempt, error)
            return
        self.conclude(
            attempt,
            e.AttemptSucceeded(self._clock.now(), attempt.node, attempt.number, _carried(attempt), already),
        )

    def _outputs(self, attempt: Attempt, result: Mapping[str, Any]) -> dict[str, Any]:
        outputs = _written(self._preparer.outputs_file(attempt)) if attempt.action.MODE == "process" else {}
        declared = self._values.spec(attempt.node).get("outputs")
        if declared:
            scope = self._values.scope(attempt.node, result=result)
            for name, source in declared.items():
                outputs[name] = parse(source).evaluate(scope)
        return outputs

    # ------------------------------------------------------------------ it did not

    def failed(self, attempt: Attempt, error: ActionError | ExpressionError) -> None:
        failure = failure_of(error)
        part, now, node, number = attempt.part, self._clock.now(), attempt.node, attempt.number
        if attempt.then is not None:
            attempt.then(None, failure)
        elif part == CHECK and attempt.started and attempt.stopping is None:
            self._go_on_after_check(attempt)
        elif part in (CHECK, IMAGE, DO, VERIFY):
            if part == VERIFY:
                failure = {**failure, "type": "VerifyFailed", "message": f"verify: {failure['message']}"}
            self._attempt_failed(attempt, error, failure)
        elif part == REVERT:
            if isinstance(error, ExpressionError) and attempt.name not in self._values.outputs:
                failure["message"] += f" ({OUTPUTS_UNKNOWN})"
            final = failure["type"] in ("Drift", "ExpressionError")  # trying again would find the same
            self.conclude(attempt, e.RevertFailed(now, node, number, failure, final))
        else:
            self._probe_failed(attempt, failure)

    def _attempt_failed(
        self, attempt: Attempt, error: ActionError | ExpressionError, failure: dict[str, Any]
    ) -> None:
        now, node, number = self._clock.now(), attempt.node, attempt.number
        task = self._values.spec(node)
        if failure.get("outcome") == "unknown" and ("probe" in task or "on_lost" in task):
            self.conclude(attempt, e.AttemptLost(now, node, number, failure))
            return
        words = task.get("retry", {}).get("on", ())
        retryable = attempt.stopping is None and matches(failure, words)
        if self._limits.is_past_deadline(node, now):
            retryable = False
        if attempt.part == DO and attempt.started:
            attempt.outputs = self._outputs_of_failure(attempt, error)
        started = attempt.started or attempt.part == VERIFY
        self.conclude(
            attempt, e.AttemptFailed(now, node, number, failure, _carried(attempt), started, retryable)
        )

    def _outputs_of_failure(
        self, attempt: Attempt, error: ActionError | ExpressionError
    ) -> dict[str, Any] | None:
        """What can be had of a failed attempt's outputs: its undo may need them. The rest is null."""
        try:
            outputs = _written(
                self._preparer.outputs_file(attempt)
            )  # it may not even have been prepared here
        except (ActionError, OSError):
            outputs = {}
        if not isinstance(error, UnexpectedResultError):
            return outputs
        scope = self._values.scope(attempt.node, result=error.result.values)
        for name, source in self._values.spec(attempt.node).get("outputs", {}).items():
            try:
                outputs[name] = parse(source).evaluate(scope)
            except (ExpressionError, ActionError):
                outputs[name] = None
        return outputs

    # ------------------------------------------------------------------ it was asked whether it had happened

    def _probed(self, attempt: Attempt, result: Mapping[str, Any]) -> None:
        probe = self._values.spec(attempt.node)["probe"]
        scope = self._values.scope(attempt.node, result=result)
        now = self._clock.now()
        try:
            done = check_condition(parse(probe["done_if"]).evaluate(scope)) if "done_if" in probe else True
            data = None
            if done and "outputs" in probe:
                data = {"outputs": {n: parse(s).evaluate(scope) for n, s in probe["outputs"].items()}}
        except ExpressionError as error:
            self._probe_failed(attempt, failure_of(error))
            return
        self.conclude(attempt, e.ProbeAnswered(now, attempt.node, attempt.number, done, data, attempt.asked))

    def _probe_failed(self, attempt: Attempt, failure: Mapping[str, Any]) -> None:
        """A program that says no by its exit code has answered; anything else could not tell."""
        says_no = failure["type"] == "ExitCode" and failure.get("exit_code") == 1
        done = False if says_no and "done_if" not in self._values.spec(attempt.node)["probe"] else None
        if done is None:
            self._warn(attempt.name, f"the probe could not tell: {failure['message']}")
        now = self._clock.now()
        self.conclude(attempt, e.ProbeAnswered(now, attempt.node, attempt.number, done, None, attempt.asked))


def _written(path: str) -> dict[str, Any]:
    """What a process has put into the file for it, however it ended."""
    return parse_outputs(path) if os.access(path, os.F_OK) else {}


def _carried(attempt: Attempt) -> dict[str, Any] | None:
    """What the journal keeps of an attempt beside its state."""
    data: dict[str, Any] = {}
    if attempt.outputs:
        data["outputs"] = attempt.outputs
    if attempt.lines:
        data["message"] = "\n".join(attempt.lines)[:MESSAGE_LIMIT]
    return data or None
