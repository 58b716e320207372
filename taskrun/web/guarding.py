"""Who may ask at all. Every request passes here, before any route is looked for.

Other web pages in the same browser reach a server on loopback too. They are kept out by the Host (a name of theirs that
they let point to 127.0.0.1), by the Origin and the browser's own word on where a request comes from, and by a cookie
that is never sent along with requests of theirs.
"""

from http.cookies import CookieError, SimpleCookie
from json import dumps

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from taskrun.web.sessions import Sessions

LONGEST_BODY = 1 << 16
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
Refusal = tuple[int, str]


class Guard:
    """Around the application. What it refuses gets a status and a sentence."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], sessions: Sessions, read_only: bool) -> None:
        self._app = app
        self._hosts = hosts
        self._sessions = sessions
        self._read_only = read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there is no other protocol here; the connection is closed

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, guarded)
        else:
            await _refuse(refusal, guarded)

    def _refusal(self, scope: Scope) -> Refusal | None:
        headers, path, method = Headers(scope=scope), str(scope["path"]), scope["method"]
        host = headers.getlist("host")
        if len(host) != 1 or host[0].lower() not in self._hosts:
            return 421, "this server is not called that; open it at the address that taskrun has printed"
        if method not in ("GET", "HEAD", "POST"):
            return 405, "only looking and asking"
        if method == "POST" and (refusal := self._post_refusal(headers, host[0])):
            return refusal
        return self._session_refusal(headers) if path.startswith("/api/") else None

    def _session_refusal(self, headers: Headers) -> Refusal | None:
        """The page itself is not asked for one: it says nothing of any run."""
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "another web page asked for this"
        return None if self._is_known(headers) else (401, "open the link that `taskrun web` has printed")

    def _post_refusal(self, headers: Headers, host: str) -> Refusal | None:
        if self._read_only:
            return 403, "this page is read only: taskrun web was started with --read-only"
        if headers.getlist("origin") != [f"http://{host}"]:
            return 403, "another web page asked for this"
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return 415, "JSON is wanted"
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdecimal()):
            return 411, "how long is it?"
        return (413, "that is too long") if len(length) > 9 or int(length) > LONGEST_BODY else None

    def _is_known(self, headers: Headers) -> bool:
        for line in headers.getlist("cookie"):
            try:
                found = SimpleCookie(line).get(self._sessions.cookie)
            except CookieError:
                continue
            if found is not None and self._sessions.is_valid(found.value):
                return True
        return False


async def _refuse(refusal: Refusal, send: Send) -> None:
    status, words = refusal
    body = dumps({"error": words}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # whatever else it has sent is not read
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
