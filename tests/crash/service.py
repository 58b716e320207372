"""A service whose effects can be seen, for tasks that are HTTP requests: it writes the same lines as `effect.c`.

    POST   /PATH OF THE WORLD/NAME    begin, make the file, end; 201
    DELETE /PATH OF THE WORLD/NAME    undo-begin, remove the file, undo-end; 204

Prints its port, and ends when its standard input does.
"""

import os
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def note(world: str, verb: str, name: str, key: str) -> None:
    line = f"\n{verb} {name} {key or '-'} 0 {time.monotonic_ns() // 1_000_000} 0 .\n"
    fd = os.open(f"{world}/log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, line.encode())
    os.close(fd)


class Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        world, name = self.path.rsplit("/", 1)
        key = self.headers.get("Idempotency-Key", "")
        note(world, "begin", name, key)
        try:
            os.close(os.open(f"{world}/made.{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            note(world, "again", name, key)
        note(world, "end", name, key)
        self._answer(201)

    def do_DELETE(self) -> None:
        world, name = self.path.rsplit("/", 1)
        key = self.headers.get("Idempotency-Key", "")
        note(world, "undo-begin", name, key)
        with suppress(FileNotFoundError):
            os.unlink(f"{world}/made.{name}")
        note(world, "undo-end", name, key)
        self._answer(204)

    def _answer(self, status: int) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked may be dead
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    print(service.server_port, flush=True)
    sys.stdin.read()
