"""The loop of ``wait_for``: look, wait, look again, within a time limit and until somebody says stop."""

from collections.abc import Mapping
from threading import Event
from typing import Any

from taskrun.actions.base import Context, Result
from taskrun.actions.looking import Look, look_for
from taskrun.actions.steady import steady
from taskrun.actions.values import seconds
from taskrun.errors import ActionError

LIMIT = 60.0
EVERY = 1.0
SHORTEST = 0.01  # between two looks


def wait(fields: Mapping[str, Any], context: Context) -> Result:
    waiting = _Waiting(fields, context)
    if context.aborts is None:
        return waiting.run()
    context.aborts.append(waiting.abort)
    try:
        return waiting.run()
    finally:
        context.aborts.remove(waiting.abort)


class _Waiting:
    def __init__(self, fields: Mapping[str, Any], context: Context) -> None:
        self._look: Look = look_for(fields, context)
        self._log = context.log
        limits = [LIMIT if fields.get("timeout") is None else seconds(fields["timeout"], "timeout")]
        if context.timeout is not None:
            limits.append(context.timeout)
        self._limit = min(limits)
        every = EVERY if fields.get("every") is None else seconds(fields["every"], "every")
        self._every = max(every, SHORTEST)
        self._stop = Event()

    def abort(self) -> None:
        """From any thread."""
        self._stop.set()
        self._look.abort()

    def run(self) -> Result:
        begin = steady()
        tries, seen, said = 0, "nothing", ""
        while True:
            left = begin + self._limit - steady()
            if tries and left <= 0:
                break
            tries += 1
            missing = self._look.look(max(left, SHORTEST))
            if missing is None:
                took = steady() - begin
                self._log(f"{self._look.name} is there after {took:.1f} s")
                return Result({"seconds": round(took, 3), "tries": tries})
            self._check()
            if missing != said:
                self._log(f"not yet: {missing}")
            seen = said = missing
            self._stop.wait(min(self._every, max(begin + self._limit - steady(), 0)))
            self._check()
        looks = "1 look" if tries == 1 else f"{tries} looks"
        raise ActionError(
            "Timeout", f"{self._look.name} is not there after {self._limit:g} s and {looks}: {seen}"
        )

    def _check(self) -> None:
        if self._stop.is_set():
            raise ActionError("Cancelled", f"stopped while waiting for {self._look.name}")
