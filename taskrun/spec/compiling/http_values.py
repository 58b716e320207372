"""What can be told before a run of an HTTP request: its address, its headers, whom it may reach, who it says it is."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

from taskrun.regex import lazy
from taskrun.spec.compiling.literals import Fields, Found, empty, is_open, plain, some_time

_TOKEN = lazy(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_BREAK = lazy(r"[\r\n\0]")
_HOST = lazy(r"[\w.-]+|[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*", re.IGNORECASE)
_NUMBERS = lazy(r"(\d+)\.(\d+)\.(\d+)\.(\d+)", re.ASCII)
_LOGINS = ("bearer", "auth")


def http(fields: Fields) -> Found:
    yield from url("url", fields.get("url"))
    yield from _headers(fields.get("headers", {}))
    yield from empty(fields, "bearer", "ca", "cert", "verify")
    yield from some_time(fields, "timeout")
    yield from _body(fields)
    yield from _login(fields)
    yield from _hosts(fields)
    if "ca" in fields and (fields.get("verify") is False or plain(fields.get("verify"))):
        yield "ca", "`ca` has no say here: `verify` settles already what is trusted", "leave one of them out"


def _headers(headers: dict[str, Any]) -> Found:
    seen: dict[str, str] = {}
    for name, value in headers.items():
        if "${{" not in name and not _TOKEN.fullmatch(name):
            yield "headers", f"`{name}` cannot be the name of a header", None
        elif _BREAK.search(value):
            yield "headers", f"the value of `{name}` has a line break in it", None
        other = seen.setdefault(name.lower(), name)
        if other != name:
            yield "headers", f"`{other}` and `{name}` are the same header", None


def _body(fields: Fields) -> Found:
    for name in ("params", "data"):
        value = fields.get(name)
        wrong = not isinstance(value, dict | None) if name == "params" else isinstance(value, list)
        if wrong and not is_open(value):
            yield name, f"`{name}` is a map{' or text' if name == 'data' else ''}", None
    if fields.get("files") and plain(fields.get("data")) is not None:
        yield "data", "beside `files` it takes a map of form fields, not text", None
    for name, path in fields.get("files", {}).items():
        if path == "":
            yield "files", f"`{name}` names no file", None


def _login(fields: Fields) -> Found:
    """One way of saying who asks: of two the server would see only one."""
    given = [name for name in _LOGINS if name in fields]
    if any(name.lower() == "authorization" for name in fields.get("headers", {})):
        given.append("headers")
    if (parts := _parts(fields.get("url"))) is not None and "@" in parts.netloc:
        given.append("url")
    if len(given) > 1:
        shown = {"headers": "the header `Authorization`", "url": "the user in the address"}
        names = [shown.get(name, f"`{name}`") for name in given]
        yield given[0], f"only one of {' and '.join(names)} would be sent", "leave the other out"
    if _BREAK.search((plain(fields.get("bearer")) or "").strip()):
        yield "bearer", "`bearer` has a line break in it", None
    user = plain(fields.get("auth", {}).get("username"))
    if user and ":" in user:
        yield "auth", f"`{user}` cannot be the user: a `:` ends the name", None


def _hosts(fields: Fields) -> Found:
    allowed = fields.get("allow_hosts")
    if allowed is None:
        return
    if not allowed:
        yield "allow_hosts", "an empty list lets no host be reached", None
    wrong = [host for host in allowed if not is_open(host) and not _HOST.fullmatch(host)]
    for host in wrong:
        yield "allow_hosts", f"`{host}` is no host: a name or an address, without port or path", None
    parts = _parts(fields.get("url"))
    if parts is None or not parts.hostname or not allowed or wrong or any(map(is_open, allowed)):
        return
    if parts.hostname not in [host.lower() for host in allowed]:
        yield "url", f"`{parts.hostname}` is not one of `allow_hosts`", None


def _parts(value: Any) -> SplitResult | None:
    try:
        return urlsplit(value) if plain(value) else None
    except ValueError:
        return None


def url(field: str, value: Any) -> Found:
    """What stands before its first expression has to be the beginning of an address, and all of it one if it has none."""
    text, expression, _ = value.partition("${{") if isinstance(value, str) else ("", "${{", "")
    if not expression and not text:
        yield field, "the address is empty", None
        return
    scheme, colon, rest = text.partition("://")
    if (not expression or colon) and scheme.lower() not in ("http", "https"):
        help_ = f"did you mean `http://{text}`?" if not colon and text and " " not in text else None
        yield field, f"`{text}` is no address: it begins with http:// or https://", help_
    elif not expression and re.search(r"[\s\0]", text):
        yield field, f"`{text}` has a blank in it", "write %20 for a blank"
    elif not expression:
        yield from _whole(field, text, rest)


def _whole(field: str, text: str, rest: str) -> Found:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        yield field, f"`{text}` is no address: {error}", None
        return
    if not parts.hostname or not rest or port == 0:
        yield field, f"`{text}` names no {'port' if port == 0 else 'host'}", None
    else:
        yield from host(field, parts.hostname)


def host(field: str, name: str) -> Iterator[tuple[str, str, str | None]]:
    """A name that no resolver takes: a label that is empty or too long, an address with a number over 255."""
    numbers = _NUMBERS.fullmatch(name)
    if numbers:
        fits = all(int(number) < 256 for number in numbers.groups())
    else:
        try:
            fits = ":" in name or bool(name.encode("idna"))
        except UnicodeError:
            fits = False
    if not fits:
        yield field, f"`{name}` cannot be the name of a host", None
