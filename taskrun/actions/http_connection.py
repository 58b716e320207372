"""Connections of the libraries, opened by an exchange and stricter about what an answer is."""

import http.client
import io
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from taskrun.actions.http_exchange import Exchange


class _Answer(http.client.HTTPResponse):
    """The head of an answer, more strictly than http.client reads it, which takes one that breaks off
    for complete, and a length it does not understand for none.
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self._lines = _Lines(sock.makefile("rb", buffering=0))
        self.fp = self._lines

    def begin(self) -> None:
        super().begin()
        if not self._lines.last:
            raise http.client.IncompleteRead(b"")
        lengths = {text.strip() for text in ",".join(self.headers.get_all("Content-Length", ())).split(",")}
        if len(lengths) > 1 or not all(text.isdecimal() for text in lengths - {""}):
            raise http.client.HTTPException(f"Content-Length is {', '.join(sorted(lengths))!r}")

    def _read_status(self) -> tuple[str, int, str]:
        """Early hints and the like are passed over, as http.client does with 100 alone."""
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, (100 if 101 < status < 200 else status), reason


class _Lines(io.BufferedReader):
    """Remembers the last line, which is empty only where the other side has hung up."""

    last = b"?"

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last


class _Guarded:
    """Mixed into both kinds of connection; ``exchange`` is set on a class made for one attempt."""

    exchange: Exchange
    sock: Any
    port: int
    _dns_host: str

    def _new_conn(self) -> socket.socket:
        return self.exchange.open(self._dns_host, self.port)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not self.exchange.sent:
            # A long body may take as long as the attempt may, not as long as connecting may.
            self.sock.settimeout(self.exchange.left())
        self.exchange.sent = True
        super().send(data)  # type: ignore[misc]

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]


class _Plain(_Guarded, HTTPConnection):
    """HTTP."""


class _Secure(_Guarded, HTTPSConnection):
    """HTTPS."""


class GuardedAdapter(HTTPAdapter):
    """The door of requests to the network, with an exchange that opens it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        own = {"exchange": self._exchange, "response_class": _Answer}
        plain, secure = type("Plain", (_Plain,), own), type("Secure", (_Secure,), own)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
