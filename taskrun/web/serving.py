"""The server: a socket on loopback, and nothing else of this machine."""

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from taskrun.errors import UsageError
from taskrun.web.doors import Doors
from taskrun.web.guarding import Guard
from taskrun.web.reading import Reading
from taskrun.web.routes import Pages
from taskrun.web.sessions import Sessions

DEFAULT_PORT = 8765
HTTP = 80  # which browsers leave out
_END = 2  # seconds that answers under way get at the end


class Server:
    """Listens from the start; ``serve`` answers until it is told to stop by a signal or ``stop``."""

    def __init__(self, doors: Doors, host: str, port: int | None, *, read_only: bool) -> None:
        self._socket = _listen(host, port)
        self._host = "127.0.0.1" if host == "localhost" else host
        self.port = int(self._socket.getsockname()[1])
        self._sessions = Sessions(doors.home, self.port)
        self._reading = Reading(doors.home)
        self.used: Callable[[], None] = lambda: None  # called when a link was used
        pages = Pages(
            doors,
            self._sessions,
            self._reading,
            lambda: self._server.should_exit,
            read_only=read_only,
            used=self._is_used,
        )
        app = Guard(pages.application(), hosts=self._names(), sessions=self._sessions, read_only=read_only)
        config = uvicorn.Config(
            app,
            log_level="critical",
            access_log=False,  # addresses hold tokens
            server_header=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            http="h11",
            timeout_graceful_shutdown=_END,
        )
        self._server = uvicorn.Server(config)

    def link(self, path: str = "/") -> str:
        """A new link; it works once."""
        return f"http://{self._shown_host()}:{self.port}{path}?token={self._sessions.new_token()}"

    def serve(self) -> None:
        try:
            with suppress(KeyboardInterrupt):  # the server ends first, then it is raised
                self._server.run(sockets=[self._socket])
        finally:
            self._reading.close()
            self._socket.close()

    def stop(self) -> None:
        self._server.should_exit = True

    def _is_used(self) -> None:
        self.used()

    def _shown_host(self) -> str:
        return f"[{self._host}]" if ":" in self._host else self._host

    def _names(self) -> frozenset[str]:
        names = (self._shown_host(), "localhost")
        return frozenset(name if self.port == HTTP else f"{name}:{self.port}" for name in names)


def _listen(host: str, port: int | None) -> socket.socket:
    """Without a port the usual one, or any that is free."""
    address = _loopback(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, DEFAULT_PORT if port is None else port), family=family)
    except OSError as error:
        if port is not None:
            raise UsageError(
                f"port {port} cannot be used: {error.strerror}", hint="--port 0 takes any"
            ) from error
    try:
        return socket.create_server((address, 0), family=family)
    except OSError as error:
        raise UsageError(f"{host} cannot be listened on: {error.strerror}") from error


def _loopback(host: str) -> str:
    """Nobody but this machine's users ever gets to see the page, and of those only who has the link."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise UsageError(
        f"{host} is not an address of loopback, such as 127.0.0.1",
        hint="from another machine: ssh -L 8765:127.0.0.1:8765 THIS_MACHINE, and taskrun web --port 8765",
    )
