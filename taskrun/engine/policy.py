"""Small pure decisions: how long to wait, whether to try again."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

_NEVER = 10.0**9
_MULTIPLIER, _MODULUS = 48271, 2**31 - 1  # Park and Miller's generator: enough to spread retries


class Retry(NamedTuple):
    """``attempts`` counts all tries; times are seconds."""

    attempts: int = 1
    delay: float = 0.0
    backoff: float = 1.0
    max_delay: float = _NEVER
    jitter: bool = False

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        return cls(
            spec.get("attempts", 1),
            spec.get("delay", 0.0),
            spec.get("backoff", 1.0),
            spec.get("max_delay", _NEVER),
            spec.get("jitter", False),
        )


# A failing undo is tried three times unless the file says otherwise: most failures of an undo are passing ones.
UNDO_RETRY = Retry(attempts=3, delay=0.2, backoff=2.0, max_delay=10.0)


def wait_before(retry: Retry, tries: int, seed: int) -> float:
    """Seconds between try ``tries`` (counted from 1) and the next; jitter takes off up to half, by ``seed``."""
    # Not backoff**tries at once: a float overflows long before a patient workflow's attempts do.
    wait = retry.delay
    for _ in range(tries - 1):
        wait *= retry.backoff
        if wait >= retry.max_delay or wait <= 0:
            break
    wait = min(wait, retry.max_delay)
    if retry.jitter:
        draw = ((seed + 1) * _MULTIPLIER + tries * 16807) % _MODULUS * _MULTIPLIER % _MODULUS
        wait *= 1 - draw / _MODULUS / 2
    return wait
