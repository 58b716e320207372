"""What went wrong on the wire, as a failure with a type that a ``retry: on`` can name."""

import http.client
import ssl
from collections.abc import Iterator

import requests
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from taskrun.actions.http_exchange import Exchange
from taskrun.errors import ActionError

_SILENCE = (requests.Timeout, ReadTimeoutError, TimeoutError)


def failure_of(error: Exception, exchange: Exchange, changes: bool) -> ActionError:
    """The failure, with ``outcome: unknown`` where a request that ``changes`` something may have arrived."""
    type_, message = _named(error, exchange)
    details = dict(error.details) if isinstance(error, ActionError) else {}
    if exchange.status is not None:
        details["status"] = exchange.status
    if changes and exchange.sent:
        details["outcome"] = "unknown"
    return ActionError(type_, message, **details)


def _named(error: Exception, exchange: Exchange) -> tuple[str, str]:
    if exchange.aborted:
        return "Stopped", "stopped before the answer was complete"
    if exchange.expired:
        return "Timeout", f"no complete answer within {exchange.options.total:g} s"
    if isinstance(error, ActionError):
        return error.type, error.message
    chain = list(_causes(error))
    return _before_sending(chain, exchange) if not exchange.sent else _after_sending(chain, exchange)


def _before_sending(chain: list[BaseException], exchange: Exchange) -> tuple[str, str]:
    """Connecting itself reports its own failures: what is left is TLS."""
    if any(isinstance(cause, _SILENCE) for cause in chain):
        seconds = exchange.options.connect_timeout
        return "Timeout", f"no TLS connection to {exchange.where} within {seconds:g} s"
    if any(isinstance(cause, ssl.SSLError | requests.exceptions.SSLError) for cause in chain):
        return "TLSError", f"no trusted connection to {exchange.where}: {_reason(chain)}"
    if isinstance(chain[0], requests.exceptions.InvalidURL):
        return "InvalidURL", _reason(chain)
    return _broken(chain, f"no connection to {exchange.where}")


def _after_sending(chain: list[BaseException], exchange: Exchange) -> tuple[str, str]:
    if any(isinstance(cause, _SILENCE) for cause in chain):
        if exchange.options.read_timeout >= exchange.options.total:
            return "Timeout", f"no complete answer within {exchange.options.total:g} s"
        return "Timeout", f"{exchange.where} was silent for {exchange.options.read_timeout:g} s"
    if any(_is_garbage(cause) for cause in chain):
        return "ProtocolError", f"the answer of {exchange.where} is not HTTP: {_reason(chain)}"
    return _broken(chain, f"the connection to {exchange.where} broke")


def _broken(chain: list[BaseException], what: str) -> tuple[str, str]:
    if isinstance(chain[0], requests.RequestException | ProtocolError | OSError):
        return "ConnectionError", f"{what}: {_reason(chain)}"
    return type(chain[0]).__name__, str(chain[0])


def _is_garbage(cause: BaseException) -> bool:
    """Not HTTP; but a connection that just closed is no garbage, though http.client files it there."""
    return isinstance(cause, http.client.HTTPException) and not isinstance(
        cause, http.client.RemoteDisconnected | http.client.IncompleteRead
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it wraps: libraries wrap in args, in ``reason`` and in the cause."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__]


def _reason(chain: list[BaseException]) -> str:
    """The innermost words: those that say what happened, not who noticed."""
    for cause in reversed(chain):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return str(cause.verify_message)
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    for cause in chain:
        if isinstance(cause, http.client.IncompleteRead):
            return "the answer breaks off"
        if isinstance(cause, http.client.HTTPException):
            return str(cause)
    return str(chain[-1])
