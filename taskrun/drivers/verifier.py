"""What a file wants looked at after a rollback: its `verify_revert`, one check after another, once the run is REVERTED.

Until they are over the run has no exit code, also in the journal: a world that nobody has looked at is not yet "as
before". A check that fails has found residue: a warning in the journal, and exit code 3. The checks of a run that
was left meanwhile, or that found something, are made again when somebody goes on with it.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from taskrun.drivers.attempt import VERIFY_REVERT
from taskrun.drivers.local import LocalDriver
from taskrun.drivers.values import Values
from taskrun.engine.states import REVERTED
from taskrun.errors import ExpressionError
from taskrun.journal.base import Entry
from taskrun.spec.expressions import check_condition, parse

_LONGEST = 80


class Verifier:
    def __init__(self, checks: Sequence[Mapping[str, Any]], driver: LocalDriver, values: Values) -> None:
        self._checks = checks
        self._driver = driver
        self._values = values
        self._name = driver.machine.flow.name
        self._queue: deque[tuple[int, Mapping[str, Any]]] = deque()
        self._found = 0
        self._busy = False
        self._advancing = False
        driver.unverified = True

    def entries(self, entries: Sequence[Entry]) -> None:
        """Called after every commit."""
        if any(entry.kind == "flow" and entry.state == REVERTED for entry in entries):
            self.begin()

    def begin(self) -> None:
        self._found = 0
        self._queue = deque(enumerate(self._checks, 1))
        message = f"looking whether anything is left: {self._amount()}"
        self._driver.record("log", self._name, self._note("begun", message))
        self._next()

    def _next(self) -> None:
        """Carry checks out until one takes time; its end calls here again."""
        if self._advancing:
            return
        self._advancing = True
        while self._queue and not self._busy:
            self._carry(*self._queue.popleft())
        self._advancing = False
        if not self._busy:
            self._end()

    def _carry(self, number: int, check: Mapping[str, Any]) -> None:
        scope = self._values.failure_scope()

        def then(result: Mapping[str, Any] | None, failure: Mapping[str, Any] | None) -> None:
            self._busy = False
            if failure is None and "done_if" in check:
                failure = _judged(check["done_if"], {**scope, "result": result})
            if failure is not None:
                self._report(number, check, failure)
            self._next()

        self._busy = True
        message = f"check {number} of {len(self._checks)}: {subject(check)}"
        self._driver.record("log", self._name, {**self._note("looking", message), "check": number})
        self._driver.carry(self._name, VERIFY_REVERT, check, scope, then)

    def _report(self, number: int, check: Mapping[str, Any], failure: Mapping[str, Any]) -> None:
        self._found += 1
        message = f"{subject(check)}: {failure['message']}"
        data = {"residue": True, "check": number, "message": message, "failure": dict(failure)}
        self._driver.record("warning", self._name, data)

    def _end(self) -> None:
        failed = f"{self._found} of {self._amount()} found something left"
        message = failed if self._found else f"nothing is left: {self._amount()}"
        self._driver.close_run(self._name, self._note("ended", message), self._found)

    def _note(self, word: str, message: str) -> dict[str, Any]:
        return {"verify_revert": word, "checks": len(self._checks), "message": message}

    def _amount(self) -> str:
        return f"{len(self._checks)} check{'s' if len(self._checks) != 1 else ''}"


def subject(check: Mapping[str, Any]) -> str:
    """What is looked at, as the file has it: a value that is only known in the run may be a secret."""
    fields = check["fields"]
    first = next((value for value in fields.values() if isinstance(value, str)), "")
    if isinstance(fields.get("argv"), list):
        first = " ".join(map(str, fields["argv"]))
    text = next((line.strip() for line in first.splitlines() if line.strip()), "")
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return text if check["kind"] == "run" else f"{check['kind']} {text}".rstrip()


def _judged(source: str, scope: dict[str, Any]) -> Mapping[str, Any] | None:
    try:
        holds = check_condition(parse(source).evaluate(scope))
    except ExpressionError as error:
        return {"type": "ExpressionError", "message": error.message}
    return None if holds else {"type": "Residue", "message": f"{source} does not hold"}
