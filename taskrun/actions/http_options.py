"""What the fields of ``http`` say about how to treat a request: limits, expectations, trust, redirects."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from taskrun.actions.base import Context
from taskrun.actions.http import method_of
from taskrun.actions.values import path_in, seconds, text_of
from taskrun.errors import ActionError

TOTAL = 300.0  # seconds, from looking up the host to the last byte
CONNECT = 10.0
READ = 60.0  # of silence
REDIRECTS = 5

_SECRET_WORDS = (
    "token",
    "secret",
    "password",
    "passwd",
    "signature",
    "apikey",
    "api_key",
    "auth",
    "credential",
)
_SECRET_NAMES = frozenset(("key", "sig", "code", "pass", "pwd"))


class Options(NamedTuple):
    expect: tuple[int | str, ...]
    total: float
    connect_timeout: float
    read_timeout: float
    redirects: int
    verify: bool | str
    cert: str | None
    allow_hosts: tuple[str, ...] | None

    def expects(self, status: int) -> bool:
        return status in self.expect or f"{status // 100}xx" in self.expect


def options_of(fields: Mapping[str, Any], context: Context) -> Options:
    total, read = _limits(fields, context)
    options = Options(
        expect=_expect(fields),
        total=total,
        connect_timeout=min(CONNECT, total),
        read_timeout=read,
        redirects=_redirects(fields),
        verify=_verify(fields, context),
        cert=_file(fields, "cert", context),
        allow_hosts=_hosts(fields),
    )
    if options.verify is False:
        context.log("warning: the server's certificate is not checked (verify: false)")
    return options


def _limits(fields: Mapping[str, Any], context: Context) -> tuple[float, float]:
    """The time for everything, and for one silence: who allows more time in all allows it in silence too."""
    given = [context.timeout] if context.timeout is not None else []
    if fields.get("timeout") is not None:
        given.append(seconds(fields["timeout"], "timeout"))
    if not given:
        return TOTAL, READ
    total = max(min(given), 0.001)
    return total, total


def _expect(fields: Mapping[str, Any]) -> tuple[int | str, ...]:
    statuses = tuple(_statuses(fields.get("expect", "2xx")))
    if not statuses:
        raise ActionError("InvalidField", "expect is an empty list: no status could ever be right")
    return statuses


def _statuses(expect: Any) -> Iterator[int | str]:
    if isinstance(expect, list | tuple):
        for item in expect:
            yield from _statuses(item)
        return
    text = text_of(expect).strip().lower()
    if len(text) == 3 and text[0] in "12345" and text[1:] == "xx":
        yield text
    elif len(text) == 3 and text.isdecimal():
        yield int(text)
    else:
        raise ActionError("InvalidField", f"expect: {expect!r} is neither a status nor a class such as 2xx")


def _redirects(fields: Mapping[str, Any]) -> int:
    value = fields.get("redirects")
    if value is None:
        return REDIRECTS if method_of(fields) in ("GET", "HEAD") else 0
    flag = _flag(value)
    if flag is not None:
        return REDIRECTS if flag else 0
    if isinstance(value, int) and value >= 0:
        return value
    raise ActionError("InvalidField", f"redirects: {value!r} is neither true, false nor a number")


def _flag(value: Any) -> bool | None:
    """A boolean, also one that came through text."""
    return {"true": True, "false": False}.get(text_of(value))


def _verify(fields: Mapping[str, Any], context: Context) -> bool | str:
    value = fields.get("verify")
    flag = True if value is None else _flag(value)
    if flag is None:
        return _existing(path_in(context.workdir, value), "verify")
    return (flag and _file(fields, "ca", context)) or flag


def _file(fields: Mapping[str, Any], field: str, context: Context) -> str | None:
    value = fields.get(field)
    return None if value is None else _existing(path_in(context.workdir, value), field)


def _existing(path: str, field: str) -> str:
    if not os.path.exists(path):
        raise ActionError("TLSError", f"{field}: there is no {path}")
    return path


def _hosts(fields: Mapping[str, Any]) -> tuple[str, ...] | None:
    hosts = fields.get("allow_hosts")
    if hosts is None:
        return None
    return tuple(text_of(host).lower() for host in (hosts if isinstance(hosts, list) else [hosts]))


def shown_url(url: str | None) -> str:
    """A URL for people: without user and password, and without what looks like a key in its query."""
    parts = urlsplit(url or "")
    query = "&".join(map(_shown_parameter, parts.query.split("&"))) if parts.query else ""
    return quote(
        urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, "")),
        safe="".join(map(chr, range(33, 127))),
    )


def _shown_parameter(parameter: str) -> str:
    name, separator, _ = parameter.partition("=")
    plain = unquote_plus(name).lower()
    hidden = plain in _SECRET_NAMES or any(word in plain for word in _SECRET_WORDS)
    return f"{name}=***" if hidden and separator else parameter
