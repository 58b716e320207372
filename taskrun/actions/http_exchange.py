"""The network side of one attempt: which address is connected, until when, and whether a request left.

The libraries' timeouts are per read, so a server that sends a byte a minute would never hit one. Here the
whole attempt has a deadline: looking up and connecting take what is left of it, and from then on a watchdog
shuts the connection down, which ends every read and write there may be.
"""

import ipaddress
import socket
from collections.abc import Sequence
from threading import Thread, Timer
from time import monotonic
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from taskrun.actions.http_options import Options
from taskrun.errors import ActionError

# Where clouds keep the machine's credentials; not all of it is in the link-local range.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200")))

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class Exchange:
    """What has happened so far: ``sent`` once a byte of the present request may have left."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.sent = False
        self.expired = False
        self.aborted = False
        self.status: int | None = None
        self.where = ""
        self._deadline = monotonic() + options.total
        self._handles: list[socket.socket] = []
        self._watchdog = Timer(options.total, self._expire)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watchdog.cancel()
        self._watchdog.join()
        for handle in self._handles:
            handle.close()

    def begin(self, request: requests.PreparedRequest) -> None:
        """The next request of this attempt: the one before, if any, has been answered."""
        parts = urlsplit(request.url or "")
        self.where = parts.netloc
        self.sent, self.status = False, None
        if not _allowed(parts.hostname or "", self.options.allow_hosts):
            raise ActionError("AddressRefused", f"{parts.hostname} is not one of allow_hosts")

    def abort(self) -> None:
        """End it now, from any thread."""
        self.aborted = True
        self._shut_down()

    def _expire(self) -> None:
        self.expired = True
        self._shut_down()

    def _shut_down(self) -> None:
        for handle in list(self._handles):
            try:
                handle.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed or never connected: what it would end has ended

    def left(self) -> float:
        """Seconds to the deadline; raises when there are none, or when the attempt was told to end."""
        seconds = self._deadline - monotonic()
        if seconds <= 0:
            self.expired = True
        if self.expired or self.aborted:
            raise ActionError("Timeout", "out of time")
        return seconds

    def check(self) -> None:
        """After the last byte: where a body ends when the connection does, our own cut looks like an end."""
        self.left()

    def open(self, host: str, port: int) -> socket.socket:
        """Connect to the first address of the host that takes the connection and may be used."""
        addresses = [address for address in self._look_up(host, port) if self._usable(host, address)]
        if not addresses:
            raise ActionError(
                "AddressRefused",
                f"{host} is a link-local or metadata address; name it in allow_hosts if it is meant",
            )
        reason: OSError | None = None
        for address in addresses:
            try:
                return self._connect(address)
            except OSError as error:
                reason = error
        self.left()
        if isinstance(reason, TimeoutError):
            seconds = self.options.connect_timeout
            raise ActionError("Timeout", f"{self.where} did not take a connection within {seconds:g} s")
        raise ActionError("ConnectionError", f"cannot connect to {self.where}: {_words(reason)}") from reason

    def _look_up(self, host: str, port: int) -> Sequence[Address]:
        """The system's resolver knows no time limit, so it works in a thread that may be left behind."""
        host = host.strip("[]")
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            found: list[Sequence[Address] | Exception] = []  # a name, so there is something to look up

        def ask() -> None:
            try:
                found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            except Exception as error:  # handed over to the thread that waits
                found.append(error)

        thread = Thread(target=ask, daemon=True)
        thread.start()
        thread.join(min(self.left(), self.options.connect_timeout))
        if not found:
            self.left()
            raise ActionError("Timeout", f"the name {host} could not be looked up in time")
        return _answered(host, found[0])

    def _usable(self, host: str, address: Address) -> bool:
        named = self.options.allow_hosts is not None and host.strip("[]").lower() in self.options.allow_hosts
        ip = ipaddress.ip_address(str(address[4][0]).partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return named or not (ip.is_link_local or ip in _METADATA)

    def _connect(self, address: Address) -> socket.socket:
        family, kind, protocol, _, place = address
        connection = socket.socket(family, kind, protocol)
        try:
            # The TLS layer takes the socket over while it shakes hands; a second handle stays ours.
            self._handles.append(connection.dup())
            connection.settimeout(min(self.left(), self.options.connect_timeout))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.connect(place)
        except BaseException:
            connection.close()
            raise
        return connection


def _answered(host: str, answer: Sequence[Address] | Exception) -> Sequence[Address]:
    if isinstance(answer, OSError):
        raise ActionError("ConnectionError", f"cannot look up {host}: {_words(answer)}") from answer
    if isinstance(answer, Exception):
        raise ActionError("InvalidURL", f"{host!r} is not a host name: {answer}") from answer
    return answer


def _allowed(host: str, hosts: tuple[str, ...] | None) -> bool:
    if hosts is None:
        return True
    host = host.lower().rstrip(".")
    return any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in hosts)


def _words(error: OSError | None) -> str:
    return (error.strerror if error else None) or str(error)
