"""How long an attempt may take, how much it may keep, and whether it is still wanted."""

from collections.abc import Mapping

from taskrun.actions.base import Context
from taskrun.actions.steady import steady
from taskrun.errors import ActionError

IMAGE_LIMIT = 1 << 30  # bytes
LIMIT_VARIABLE = "TASKRUN_IMAGE_LIMIT"
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Pace:
    """Asked between two pieces of work; ``spend`` counts the bytes that had to be copied into an image."""

    def __init__(self, context: Context) -> None:
        self._until = None if context.timeout is None else steady() + context.timeout
        self._seconds = context.timeout
        self._stopped = False
        self._left = self._limit = image_limit(context.env)
        if context.aborts is not None:
            context.aborts.append(self._stop)

    def _stop(self) -> None:
        self._stopped = True

    def check(self) -> None:
        if self._stopped:
            raise ActionError("Cancelled", "stopped before it was done")
        if self._until is not None and steady() > self._until:
            raise ActionError("Timeout", f"no end after {self._seconds:g} s")

    def spend(self, size: int, path: str) -> None:
        self._left -= size
        if self._left < 0:
            raise ActionError(
                "TooLarge",
                f"the before-images of this task are larger than {self._limit:,} bytes (at {path}): "
                f"set {LIMIT_VARIABLE}, as in `env: {{{LIMIT_VARIABLE}: 20G}}`, or say another undo",
            )


def image_limit(env: Mapping[str, str]) -> int:
    """Bytes that the images of one attempt may take: the variable TASKRUN_IMAGE_LIMIT, or 1 GiB."""
    given = env.get(LIMIT_VARIABLE)
    if given is None:
        return IMAGE_LIMIT
    text = given.strip().lower().removesuffix("ib").removesuffix("b")
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS and text else (text, "")
    try:
        limit = float(number) * _UNITS[unit]
    except ValueError:
        limit = -1.0
    if not 0 <= limit < 1 << 62:
        raise ActionError(
            "InvalidField", f"{LIMIT_VARIABLE} is {given!r}: a size such as 500M or 20G is needed"
        )
    return int(limit)
