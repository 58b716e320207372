"""The first workflow: every template is valid, runs, is undone, and nothing is ever overwritten."""

import http.server
import json
import os
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from taskrun.cli.init import FOLDER, TEMPLATES
from tests.command import Taskrun


def listing(taskrun: Taskrun) -> set[str]:
    return {str(path.relative_to(taskrun.folder)) for path in taskrun.folder.rglob("*")}


def test_every_template_is_offered() -> None:
    assert {f"{name}.yaml" for name in TEMPLATES} == set(os.listdir(FOLDER))


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_valid_without_a_warning_and_names_its_own_file(
    template: str, taskrun: Taskrun
) -> None:
    done = taskrun("init", template, "mine.yaml")
    assert done.code == 0, done.err
    text = (taskrun.folder / "mine.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=taskrun.schema.json\n")
    assert "FILE" not in text
    assert "taskrun run mine.yaml" in text
    assert taskrun("validate", "--strict", "mine.yaml").out.startswith("mine.yaml: ok")
    assert json.loads((taskrun.folder / "taskrun.schema.json").read_text())["title"] == "taskrun workflow"


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name != "http"])
def test_a_template_runs_at_once_and_is_undone(template: str, taskrun: Taskrun) -> None:
    taskrun("init", template)
    before = listing(taskrun)
    assert taskrun("run", "workflow.yaml").code == 0
    assert listing(taskrun) > before
    assert taskrun("revert").code == 0
    assert listing(taskrun) == before


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name != "http"])
def test_a_template_stands_every_failure_and_every_kill(template: str, taskrun: Taskrun) -> None:
    taskrun("init", template)
    done = taskrun("rehearse", "workflow.yaml")
    assert done.code == 0, done.out
    assert "the world is as before" in done.out


class Tenants(http.server.BaseHTTPRequestHandler):
    """Knows tenants and accounts; refuses who brings no token."""

    kept: dict[str, dict[str, object]] = {}

    def answer(self, status: int, body: object = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def take(self) -> dict[str, object]:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.headers.get("Authorization") != "Bearer s3cr3t-token":
            self.answer(401)
            return False
        return True

    def do_GET(self) -> None:
        name = parse_qs(urlsplit(self.path).query)["name"][0]
        self.answer(200, [each for each in self.kept.values() if each.get("name") == name])

    def do_POST(self) -> None:
        self.kept["/tenants/t1"] = {"id": "t1", **self.take()}
        self.answer(201, self.kept["/tenants/t1"])

    def do_PUT(self) -> None:
        self.kept[self.path] = self.take()
        self.answer(201)

    def do_DELETE(self) -> None:
        self.answer(204 if self.kept.pop(self.path, None) else 404)

    def log_message(self, *args: object) -> None: ...


def test_the_template_for_services_creates_a_tenant_and_takes_it_back(taskrun: Taskrun) -> None:
    taskrun("init", "http")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tenants) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api, env = f"http://127.0.0.1:{server.server_port}", {"API_TOKEN": "s3cr3t-token"}
        done = taskrun("run", "workflow.yaml", "-i", f"api={api}", env=env)
        assert done.code == 0, done.err
        assert Tenants.kept["/tenants/t1"]["name"] == "acme"
        assert Tenants.kept["/accounts/acme"] == {"tenant": "t1", "plan": "basic"}
        assert taskrun("revert", env=env).code == 0
        assert Tenants.kept == {}
        server.shutdown()


def test_nothing_is_overwritten(taskrun: Taskrun) -> None:
    taskrun.file("mine", "workflow.yaml")
    taskrun.file("{}", "taskrun.schema.json")
    done = taskrun("init")
    assert done.code == 6
    assert "workflow.yaml is there already" in done.err
    done = taskrun("init", "other.yaml")
    assert done.code == 0
    assert "taskrun.schema.json: there already, and left as it is" in done.out
    assert (taskrun.folder / "workflow.yaml").read_text() == "mine"
    assert (taskrun.folder / "taskrun.schema.json").read_text() == "{}"


def test_a_link_to_nowhere_is_not_followed(taskrun: Taskrun) -> None:
    (taskrun.folder / "workflow.yaml").symlink_to("elsewhere.yaml")
    assert taskrun("init").code == 6
    assert not (taskrun.folder / "elsewhere.yaml").exists()


def test_a_slip_in_the_name_of_a_template_is_answered(taskrun: Taskrun) -> None:
    done = taskrun("init", "depoly")
    assert done.code == 4
    assert "did you mean 'deploy'?" in done.err
    assert listing(taskrun) == set()
    assert taskrun("init", "deploy", "no/folder.yaml").code == 2


def test_the_templates_are_listed(taskrun: Taskrun) -> None:
    assert [line.split()[0] for line in taskrun("init", "--list").out.splitlines()] == list(TEMPLATES)
