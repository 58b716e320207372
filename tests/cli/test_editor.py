"""The schema in a real editor's language server: what it completes, explains and marks. Needs ``yaml-language-server``."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.command import Taskrun

SERVER = os.environ.get("YAML_LANGUAGE_SERVER") or shutil.which("yaml-language-server")
pytestmark = pytest.mark.skipif(SERVER is None, reason="there is no yaml-language-server on this machine")
HEAD = "# yaml-language-server: $schema=taskrun.schema.json\n"


class Editor:
    """Speaks the Language Server Protocol about one file."""

    def __init__(self, folder: str) -> None:
        assert SERVER is not None
        self._server = subprocess.Popen([SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._number = 0
        self._version = 0
        self._uri = f"file://{folder}/x.yaml"
        markdown = {"documentationFormat": ["markdown"], "snippetSupport": True}
        text = {"completion": {"completionItem": markdown}, "hover": {"contentFormat": ["markdown"]}}
        self._ask("initialize", {"rootUri": f"file://{folder}", "capabilities": {"textDocument": text}})
        self._send({"method": "initialized", "params": {}})

    def close(self) -> None:
        self._server.kill()
        self._server.communicate()

    def completes(self, text: str) -> dict[str, Any]:
        self._show(text)
        found = self._ask("textDocument/completion", self._at_end(text))
        items = found["items"] if isinstance(found, dict) else found
        return {item["label"]: item for item in items}

    def marks(self, text: str) -> list[tuple[int, str]]:
        """Line, counted from 0 below the modeline, and words."""
        self._show(text)
        while True:
            message = self._receive()
            if message.get("method") == "textDocument/publishDiagnostics":
                if message["params"].get("version", self._version) == self._version:
                    found = message["params"]["diagnostics"]
                    return [(each["range"]["start"]["line"] - 1, each["message"]) for each in found]

    def _at_end(self, text: str) -> dict[str, Any]:
        lines = (HEAD + text).split("\n")
        place = {"line": len(lines) - 1, "character": len(lines[-1])}
        return {"textDocument": {"uri": self._uri}, "position": place}

    def _show(self, text: str) -> None:
        self._version += 1
        document = {"uri": self._uri, "version": self._version}
        if self._version == 1:
            document |= {"languageId": "yaml", "text": HEAD + text}
            self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        else:
            change = {"textDocument": document, "contentChanges": [{"text": HEAD + text}]}
            self._send({"method": "textDocument/didChange", "params": change})

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._number and "method" not in message:
                return message["result"]

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        self._server.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._server.stdout is not None
        length = 0
        while line := self._server.stdout.readline().strip():
            if line.startswith(b"Content-Length: "):
                length = int(line.split()[1])
        assert length, "the server has ended"
        message: dict[str, Any] = json.loads(self._server.stdout.read(length))
        if "method" in message and "id" in message:  # it asks for settings, which are its defaults
            wanted = message["params"].get("items", []) if isinstance(message.get("params"), dict) else []
            self._send({"id": message["id"], "result": [{} for _ in wanted]})
        return message


@pytest.fixture
def editor(taskrun: Taskrun) -> Iterator[Editor]:
    taskrun("init")
    found = Editor(str(taskrun.folder))
    yield found
    found.close()


def test_keys_actions_and_their_fields_are_completed_and_explained(editor: Editor) -> None:
    found = editor.completes("name: a\ntasks:\n  - name: b\n    ")
    assert {"run", "http", "file", "sql", "revert", "retry", "for_each"} <= found.keys()
    assert "```yaml\nhttp: " in found["http"]["documentation"]["value"]
    found = editor.completes("name: a\ntasks:\n  - name: b\n    http:\n      ")
    assert {"url", "post", "expect", "bearer"} <= found.keys()
    assert "script" not in found
    assert set(editor.completes("name: a\non_failure: ")) == {"revert", "stop", "ask"}
    assert {"stop", "skip", "force"} <= editor.completes(
        "name: a\ntasks:\n  - name: b\n    file:\n      path: x\n      on_drift: "
    ).keys()


def test_what_cannot_be_is_marked_at_its_line(editor: Editor) -> None:
    assert editor.marks("name: a\ntasks:\n  - name: b\n    run: x\n") == []
    ((line, words),) = editor.marks("name: a\ntasks:\n  - name: b\n    run: x\n    revret: y\n")
    assert (line, "revert" in words) == (4, True)
    assert editor.marks("name: a\ntasks:\n  - name: b\n    run: x\n    echo: y\n") == [
        (4, "a task has one action, and this one has `run` already")
    ]
    assert editor.marks("name: a\ntasks:\n  - name: b\n") == [(2, "it does nothing: an action is missing")]
    own = "name: a\nactions: {greet: {run: y}}\ntasks:\n  - name: b\n    greet: {}\n"
    assert editor.marks(own) == []
