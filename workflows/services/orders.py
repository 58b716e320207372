"""A small loopback service for the examples: things by name and key, kept in one JSON file.

python orders.py PORT FILE                serves until it is killed
python orders.py PORT FILE --lose NAME    does what the first POST to NAME asks, and never answers it
"""

import http.server
import json
import pathlib
import sys


class Orders(http.server.BaseHTTPRequestHandler):
    """POST /NAME/KEY puts the body there, DELETE /NAME/KEY takes it away, GET / shows all of it."""

    file = pathlib.Path("orders.json")
    loses: str | None = None

    def do_GET(self) -> None:
        self._answer(200, self._load())

    def do_POST(self) -> None:
        data, (name, key) = self._load(), self._path()
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
        if name == "payments" and body["amount"] > 100:
            self._answer(402, {"error": "the card has a limit of 100"})
            return
        data.setdefault(name, {})[key] = body
        self._save(data)
        if name == Orders.loses:
            Orders.loses = None
            self.close_connection = True
            return
        self._answer(201, {"name": name, "key": key})

    def do_DELETE(self) -> None:
        data, (name, key) = self._load(), self._path()
        found = data.get(name, {}).pop(key, None)
        if not data.get(name):
            data.pop(name, None)
        self._save(data)
        self._answer(204 if found is not None else 404, None)

    def _path(self) -> tuple[str, str]:
        name, _, key = self.path.strip("/").partition("/")
        return name, key

    def _load(self) -> dict:
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def _save(self, data: dict) -> None:
        if data:
            self.file.write_text(json.dumps(data, sort_keys=True))
        else:
            self.file.unlink(missing_ok=True)

    def _answer(self, status: int, body: object) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


if __name__ == "__main__":
    Orders.file = pathlib.Path(sys.argv[2])
    Orders.loses = sys.argv[4] if sys.argv[3:4] == ["--lose"] else None
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Orders).serve_forever()
