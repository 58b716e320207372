"""The real `taskrun web` on loopback, and a client that asks it as a browser would, or as one should not."""

import http.client
import json
import re
import signal
import time
from typing import Any, NamedTuple
from urllib.parse import quote

from tests.command import Taskrun

SECONDS = 60  # until something that has to happen is given up; on a busy machine everything takes long
Headers = dict[str, str | None]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Page:
    """A started server. ``ask`` is signed in unless it is told not to be."""

    def __init__(self, taskrun: Taskrun, *options: str, port: int = 0) -> None:
        self.process = taskrun.start("web", "--no-open", "--port", port, *options)
        self.link = self.next_link()
        self.port = int(re.search(r":(\d+)/", self.link)[1])
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.cookie = ""

    def next_link(self) -> str:
        """The next link it prints."""
        assert self.process.stderr is not None
        text = ""
        while True:
            line = self.process.stderr.readline()
            assert line, f"it ended: {text}"
            text += line
            found = re.search(r"http://\S+token=\S+", line)
            if found:
                return found[0]

    def sign_in(self) -> "Page":
        answer = self.ask("GET", self.link.removeprefix(self.url))
        assert answer.status == 200
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return self

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        sent: Headers = {"Cookie": self.cookie or None}
        if body is not None:
            sent |= {"Content-Type": "application/json", "Origin": self.url}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        if data is not None and "Content-Length" not in sent:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, found, response.read())
        connection.close()
        return answer

    def get(self, path: str, **query: object) -> Any:
        words = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
        answer = self.ask("GET", f"{path}?{words}" if words else path)
        assert answer.status == 200, answer.body
        return answer.json

    def listen(self, path: str, last: int | None = None) -> "Stream":
        return Stream(self, path, last)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=SECONDS)

    def end(self) -> int:
        """As Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=SECONDS)
        return self.process.returncode


class Stream:
    """Server-sent events, one after the other as (id, data)."""

    def __init__(self, page: Page, path: str, last: int | None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=SECONDS)
        headers = {"Cookie": page.cookie, "Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self._connection.request("GET", path, headers=headers)
        self.response = self._connection.getresponse()

    def next(self) -> tuple[int | None, Any]:
        number, data = None, None
        give_up = time.monotonic() + SECONDS
        while True:
            assert time.monotonic() < give_up, "nothing more was told"
            line = self.response.readline().decode().rstrip("\n")
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line and data is not None:
                return number, data

    def until(self, state: str) -> list[tuple[int | None, Any]]:
        """All events up to the one in which the run is in that state and nobody drives it."""
        found = []
        while True:
            found.append(self.next())
            run = found[-1][1]["run"]
            if run["state"] == state and not run["driven"]:
                return found

    def close(self) -> None:
        self.response.close()
        self._connection.close()
