"""The action ``wait_for``: looks again and again until something is there, or the time is up.

``port`` accepts a connection, ``url`` answers with a good status, ``path`` exists, ``run`` exits with 0. The result tells
``seconds`` and ``tries``. Failure types: Timeout, which says what was seen last; Cancelled; and what no waiting would
change, such as InvalidURL.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, Result

KIND = "wait_for"
MODE: Literal["thread"] = "thread"
MAIN = "port"
WRITES = False
AUTO = False
EFFECT_FREE = True
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS = frozenset(("run",))


def do(fields: Mapping[str, Any], context: Context) -> Result:
    from taskrun.actions.waiting import wait  # noqa: PLC0415 - loads sockets, threads and their like

    return wait(fields, context)
