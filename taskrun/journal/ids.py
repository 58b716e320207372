"""Identities: of runs (short, sortable by the time they were made) and of this boot of the machine."""

import os
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that is read as a digit. In ASCII order, so ids sort as numbers do."""

LENGTH = 13
RANDOM_BITS = 20


def new_run_id(now: float | None = None) -> str:
    """Nine characters of milliseconds since 1970 (enough until the year 3084) and four of chance."""
    milliseconds = int((time.time() if now is None else now) * 1000)
    chance = int.from_bytes(os.urandom(3), "big") >> (24 - RANDOM_BITS)
    number = milliseconds << RANDOM_BITS | chance
    return "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))


def is_run_id(text: str) -> bool:
    """Whether ``text`` could be an id: what is joined to a path or shown in a hint is checked first."""
    return text.isascii() and text.isalnum() and text == text.lower()


def boot_id() -> str:
    """Tells processes of this boot from those before a power loss; empty where the system has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
