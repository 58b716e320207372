"""Servers on 127.0.0.1 for tests: one with JSON endpoints that remembers what it was asked, one that misbehaves.

/ok                    {"ok": true}
/status/NNN            that status; the body says it too
/echo                  what was asked: method, path, query, headers (lower case), body, json
/flaky/N/NAME          the first N requests for NAME get 503, then 200 with the number of the request
/redirect/N            N redirects, then /ok            /redirect-to?url=URL&status=307&cookie=a%3D1
/slow/SECONDS          200 after that time, or as soon as the server is closed
/counters/NAME         POST adds one; GET tells; DELETE takes one away
/lose/...              as the rest of the path, done, but the connection closes without an answer
/NAME                  any other name is a collection: POST a JSON object -> 201 with its id (the same
                       object again for the same Idempotency-Key), GET lists, ``?key=value`` filters
/NAME/ID               GET, PUT, PATCH, DELETE (204); 404 if it is not there
"""

import contextlib
import json
import socket
import ssl
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

CERTIFICATE = str(Path(__file__).with_name("localhost.pem"))


class Asked(NamedTuple):
    method: str
    path: str
    query: dict
    headers: dict
    body: bytes

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Loopback:
    """The state of a server: ``asked`` in order, ``counters``, ``collections`` as name -> id -> object."""

    def __init__(self):
        self.url = ""
        self.asked = []
        self.counters = Counter()
        self.collections = {}
        self.keys = {}
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self._last_id = 0

    def objects(self, name="items"):
        with self.lock:
            return list(self.collections.get(name, {}).values())

    def answer(self, asked):
        """Status, value for the body (None: no body), more headers; or None to close without an answer."""
        first, *rest = asked.path.strip("/").split("/")
        if first == "lose":
            self.answer(asked._replace(path="/" + "/".join(rest)))
            return None
        if first == "slow":
            self.closing.wait(float(rest[0]))
            return 200, {"ok": True}, {}
        with self.lock:
            return getattr(self, f"_{first.replace('-', '_')}", self._collection)(asked, first, *rest)

    def _ok(self, asked, _name):
        return 200, {"ok": True}, {}

    def _status(self, asked, _name, status):
        return int(status), {"status": int(status)}, {}

    def _echo(self, asked, *_path):
        body = asked.body.decode("utf-8", "replace")
        return 200, {**asked._asdict(), "body": body, "json": asked.json}, {}

    def _flaky(self, asked, _name, times, name):
        self.counters[name] += 1
        number = self.counters[name]
        return (503 if number <= int(times) else 200), {"number": number}, {}

    def _redirect(self, asked, _name, times):
        location = f"/redirect/{int(times) - 1}" if int(times) > 1 else "/ok"
        return 302, None, {"Location": location}

    def _redirect_to(self, asked, _name):
        cookie = {"Set-Cookie": asked.query["cookie"]} if "cookie" in asked.query else {}
        return int(asked.query.get("status", 302)), None, {"Location": asked.query["url"], **cookie}

    def _counters(self, asked, _name, name):
        self.counters[name] += {"POST": 1, "DELETE": -1}.get(asked.method, 0)
        return 200, {"name": name, "value": self.counters[name]}, {}

    def _collection(self, asked, name, id_=None):
        objects = self.collections.setdefault(name, {})
        if id_ is not None:
            return self._member(asked, objects, id_)
        if asked.method == "POST":
            return self._create(asked, objects)
        found = [
            item
            for item in objects.values()
            if all(str(item.get(key)) == value for key, value in asked.query.items())
        ]
        return 200, found, {}

    def _create(self, asked, objects):
        key = asked.headers.get("idempotency-key")
        known = self.keys.get((asked.path, key)) if key else None
        if known is None:
            self._last_id += 1
            known = {**(asked.json or {}), "id": self._last_id}
            objects[str(self._last_id)] = known
            self.keys[asked.path, key] = known
        return 201, known, {"Location": f"{asked.path}/{known['id']}"}

    def _member(self, asked, objects, id_):
        if id_ not in objects:
            return 404, {"error": "not found"}, {}
        if asked.method == "DELETE":
            del objects[id_]
            return 204, None, {}
        if asked.method in ("PUT", "PATCH"):
            before = objects[id_] if asked.method == "PATCH" else {}
            objects[id_] = {**before, **asked.json, "id": int(id_)}
        return 200, objects[id_], {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def handle(self):
        with contextlib.suppress(OSError):  # a client that went away is the client's test
            super().handle()

    def _serve(self):
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query, True)), headers, body)
        state = self.server.state
        with state.lock:
            state.asked.append(asked)
        answer = state.answer(asked)
        if answer is None:
            self.close_connection = True
            return
        status, value, more = answer
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, content in more.items():
            self.send_header(name, content)
        if data:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    def log_message(self, *_):
        """Tests look at ``asked``."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        """As the handler: a broken connection is the client's business."""


@contextlib.contextmanager
def serve(*, tls=False, state=None):
    """A Loopback that listens; with ``tls`` under the certificate in ``CERTIFICATE``."""
    state = state or Loopback()
    server = _Server(("127.0.0.1", 0), _Handler)
    server.state = state
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    state.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def serve_raw(talk):
    """A server that reads a request and then says what ``talk(connection)`` sends; gives its URL.

    ``talk`` may go on for ever: it is ended by an OSError when the client leaves or the test is over.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    connections = []

    def converse(connection):
        with connection, contextlib.suppress(OSError):
            data = b""
            while b"\r\n\r\n" not in data and (chunk := connection.recv(65536)):
                data += chunk
            talk(connection)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def unused_port():
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def loopback():
    with serve() as state:
        yield state
