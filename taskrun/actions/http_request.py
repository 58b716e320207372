"""The request that the fields of ``http`` describe."""

import os
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError

from taskrun import tracing
from taskrun.actions.base import Context
from taskrun.actions.http import FORMS, SAFE, method_of
from taskrun.actions.http_options import shown_url
from taskrun.actions.values import path_in, text_of
from taskrun.errors import ActionError
from taskrun.version import __version__

_BAD_URL = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def prepare(
    session: requests.Session, fields: Mapping[str, Any], context: Context
) -> requests.PreparedRequest:
    method = method_of(fields)
    if not method or not _TOKEN.issuperset(method):
        raise ActionError("InvalidRequest", f"{method!r} is not an HTTP method")
    if fields.get("json") is not None and (fields.get("data") is not None or fields.get("files")):
        raise ActionError("InvalidField", "a request has one body: json, or data and files")
    url, login = _url(fields)
    session.headers.clear()
    request = requests.Request(
        method,
        url,
        headers=_headers(fields, context, method, login),
        params=_pairs(fields.get("params")),
        json=fields.get("json"),
        data=_pairs(fields.get("data")),
        files=_files(fields, context),
    )
    try:
        return session.prepare_request(request)
    except (*_BAD_URL, HTTPError, UnicodeError) as error:
        raise ActionError("InvalidURL", f"{shown_url(url)} is not a URL") from error
    except (requests.RequestException, ValueError) as error:
        raise ActionError("InvalidRequest", str(error)) from error


def _url(fields: Mapping[str, Any]) -> tuple[str, str | None]:
    """The URL without user and password, and these as ``user:password``."""
    text = text_of(next((fields[form] for form in FORMS if form in fields), fields.get("url"))).strip()
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise ActionError("InvalidURL", f"this is not a URL: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise ActionError(
            "InvalidURL", f"a URL starts with http:// or https://, this one with {parts.scheme!r}"
        )
    if not host:
        raise ActionError("InvalidURL", "the URL names no host")
    user, at, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=place)), unquote(user) if at else None


def _headers(
    fields: Mapping[str, Any], context: Context, method: str, login: str | None
) -> dict[str, str | bytes]:
    """The author's headers, and ours where the author has none."""
    headers = {
        "User-Agent": f"taskrun/{__version__}",
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "close",
    }
    authorization = _authorization(fields, login)
    if authorization:
        headers["Authorization"] = authorization
    if method not in SAFE:
        headers["Idempotency-Key"] = context.idempotency_key
    if tracing.current and "TRACEPARENT" in context.env:
        headers["traceparent"] = context.env["TRACEPARENT"]
    own = {name: text_of(value) for name, value in (fields.get("headers") or {}).items() if value is not None}
    taken = {name.lower() for name in own}
    kept = {name: value for name, value in headers.items() if name.lower() not in taken}
    return {name: _header_value(name, value) for name, value in (kept | own).items()}


def _header_value(name: str, text: str) -> str | bytes:
    """Checked here, for a library's message would show the value, which may be a secret."""
    text = text.strip(" \t")
    if not name or not _TOKEN.issuperset(name):
        raise ActionError("InvalidRequest", f"{name!r} cannot be the name of a header")
    if any(character in text for character in "\r\n\0"):
        raise ActionError("InvalidRequest", f"the header {name} contains a line break or NUL")
    return text if text.isascii() else text.encode()


def _authorization(fields: Mapping[str, Any], login: str | None) -> str | None:
    if fields.get("bearer") is not None:
        return f"Bearer {text_of(fields['bearer']).strip()}"  # a token from a file ends with a newline
    auth = fields.get("auth")
    if isinstance(auth, dict):
        user = auth.get("username", auth.get("user"))
        login = f"{text_of(user)}:{text_of(auth.get('password'))}"
    elif isinstance(auth, list) and len(auth) == 2:
        login = ":".join(map(text_of, auth))
    elif auth is not None:
        raise ActionError("InvalidField", "auth must be {username, password}")
    return None if login is None else f"Basic {b64encode(login.encode()).decode()}"


def _pairs(value: Any) -> Any:
    """Form fields or parameters, every value as text; a lone text is sent as it is."""
    if not isinstance(value, dict):
        return value if value is None else text_of(value).encode()
    return {
        name: [text_of(item) for item in content] if isinstance(content, list) else text_of(content)
        for name, content in value.items()
        if content is not None
    }


def _files(fields: Mapping[str, Any], context: Context) -> dict[str, tuple[str, bytes]] | None:
    files = fields.get("files")
    if not files:
        return None
    return {name: _file(path_in(context.workdir, path)) for name, path in files.items()}


def _file(path: str) -> tuple[str, bytes]:
    try:
        with open(path, "rb") as file:
            return os.path.basename(path), file.read()
    except OSError as error:
        raise ActionError(type(error).__name__, f"files: {error.strerror}: {path}") from error
