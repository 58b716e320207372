"""The request that a redirect asks for, without what must not go elsewhere."""

from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from requests.cookies import extract_cookies_to_jar

from taskrun.errors import ActionError

_ELSEWHERE = frozenset(
    ("user-agent", "accept", "accept-encoding", "accept-language", "connection", "content-type")
)
_BODY = ("Content-Length", "Content-Type", "Transfer-Encoding", "Idempotency-Key")
_PORTS = {"http": 80, "https": 443}


def follow(
    session: requests.Session, request: requests.PreparedRequest, answer: requests.Response, target: str
) -> requests.PreparedRequest:
    """Raises RedirectRefused for a way out of HTTPS, or out of HTTP altogether.

    To another host goes nothing but what kind of answer is wanted: an ``X-Api-Key`` is as secret as an
    ``Authorization``.
    """
    here = urlsplit(request.url or "")
    try:
        url = urljoin(request.url or "", target)
        there = urlsplit(url)
        same = _same_origin(here, there)
    except ValueError as error:
        raise ActionError("RedirectRefused", f"the redirect leads to no URL: {error}") from error
    if there.scheme not in _PORTS:
        raise ActionError("RedirectRefused", f"the redirect leads to {there.scheme}:, not to HTTP")
    if here.scheme == "https" and there.scheme == "http":
        raise ActionError("RedirectRefused", "the redirect leads from https to http")
    extract_cookies_to_jar(session.cookies, request, answer.raw)  # type: ignore[no-untyped-call]
    following = request.copy()
    _change_method(following, answer.status_code)
    if not same:
        _strip(following)
    try:
        following.prepare_url(url, None)
    except (requests.RequestException, ValueError) as error:
        raise ActionError("RedirectRefused", f"the redirect leads to no URL: {error}") from error
    _renew_cookies(session, request, following)
    return following


def _same_origin(here: SplitResult, there: SplitResult) -> bool:
    if here.hostname != there.hostname:
        return False
    ports = (here.port or _PORTS.get(here.scheme), there.port or _PORTS.get(there.scheme))
    upgraded = (here.scheme, there.scheme) == ("http", "https") and ports == (80, 443)
    return upgraded or (here.scheme == there.scheme and ports[0] == ports[1])


def _change_method(following: requests.PreparedRequest, status: int) -> None:
    """As browsers do: 303 asks for a GET, and so do 301 and 302 after a POST."""
    becomes_get = (status == 303 and following.method != "HEAD") or (
        status in (301, 302) and following.method == "POST"
    )
    if becomes_get and following.method != "GET":
        following.method = "GET"
        following.body = None
        for name in _BODY:
            following.headers.pop(name, None)


def _strip(following: requests.PreparedRequest) -> None:
    for name in list(following.headers):
        length = name.lower() == "content-length" and following.body is not None
        if name.lower() not in _ELSEWHERE and not length:
            del following.headers[name]


def _renew_cookies(
    session: requests.Session, request: requests.PreparedRequest, following: requests.PreparedRequest
) -> None:
    """Cookies that servers set go where they belong; a Cookie header of the author's stays as it is."""
    if following.headers.get("Cookie") is None or request._cookies:  # type: ignore[attr-defined]  # noqa: SLF001
        following.headers.pop("Cookie", None)
        following.prepare_cookies(session.cookies)
