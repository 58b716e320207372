"""The action ``http``: one request and its answer, within a time limit whatever the server does.

Nothing comes from the surroundings: no proxy variables, no ``.netrc``. Every request that could change
something carries an ``Idempotency-Key``, the same for every attempt at the same thing, so that a server
that knows such keys does it once. A failure whose request may have arrived says so with
``outcome: unknown``.

Failure types: ConnectionError, Timeout, HTTPStatus (with ``status``), TooLarge, TLSError, RedirectRefused,
AddressRefused, InvalidURL, InvalidRequest, ProtocolError (the answer is not HTTP), Stopped.
"""

from collections.abc import Mapping
from typing import Any, Literal

from taskrun.actions.base import Context, Result

KIND = "http"
MODE: Literal["thread"] = "thread"
MAIN = "url"
WRITES = True
AUTO = False
EFFECT_FREE = False
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()

SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
FORMS = ("get", "post", "put", "patch", "delete", "head")


def method_of(fields: Mapping[str, Any]) -> str:
    """The method that ``method`` or a form such as ``post: url`` names; GET without."""
    for form in FORMS:
        if form in fields:
            return form.upper()
    return str(fields.get("method") or "GET").upper()


def writes(fields: Mapping[str, Any]) -> bool:
    """A GET changes nothing, as HTTP has it; so it needs no revert."""
    return method_of(fields) not in SAFE


def do(fields: Mapping[str, Any], context: Context) -> Result:
    from taskrun.actions.http_attempt import attempt  # noqa: PLC0415 - loads requests, 100 ms

    return attempt(fields, context)
