"""Where the output of tasks is, and entries as others read them."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from taskrun.engine.view import Row
from taskrun.journal.codec import event_dict
from taskrun.listeners.base import OutputOf


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


def make_event(run_id: str) -> Callable[[Any], Mapping[str, Any]]:
    return lambda entry: event_dict(run_id, entry)
