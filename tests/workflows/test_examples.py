"""Every workflow in workflows/ works, and when it fails behind any of its tasks, the world is as it was before."""

import contextlib
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from taskrun.spec.loader import load as load_file
from taskrun.spec.loader import to_json
from tests.command import ROOT, Taskrun
from tests.workflows import folder_of
from tests.workflows.world import picture

EXAMPLES = sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml"))
CONFIG = "[server]\nport = 8080\nhost = 127.0.0.1\n"


@contextlib.contextmanager
def orders(folder: pathlib.Path) -> Iterator[str]:
    """The loopback service of the order saga, as a process of its own; its state is a file in ``folder``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = ROOT / "workflows" / "services" / "orders.py"
    with subprocess.Popen([sys.executable, str(script), str(port), str(folder / "orders.json")]) as server:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(port)


@contextlib.contextmanager
def prepared(name: str, taskrun: Taskrun) -> Iterator[list[str]]:
    """Whatever an example needs around it; the options to run it with."""
    world = taskrun.folder / "world"
    world.mkdir()
    if name == "quickstart":
        yield ["-i", f"home={world / 'demo'}"]
    elif name == "config_edit":
        (world / "app.ini").write_text(CONFIG)
        yield ["-i", f"file={world / 'app.ini'}"]
    elif name == "order_saga":
        with orders(world) as url:
            yield ["-i", f"api={url}"]
    elif name == "rolling_update":
        for server in ("n1", "n2", "n3"):
            (world / "farm" / server).mkdir(parents=True)
            (world / "farm" / server / "version").write_text("1.0\n")
        yield ["-i", f"home={world / 'farm'}"]
    elif name in ("release_switch", "service_config", "scaffold"):
        folder_of.build(name, world)
        yield [
            "-i",
            f"home={world}",
            *(["-i", f"build={world / 'build'}"] if name == "release_switch" else []),
        ]
    elif name == "bulk_rename":
        for number in range(200):
            (world / f"IMG_{number:03}.jpg").write_text(str(number))
        yield ["-i", f"folder={world}"]
    elif name == "two_sites":
        with orders(world) as url:
            yield ["-i", f"first={url}/", "-i", f"second={url}/"]
    else:
        yield []


def tasks_of(name: str) -> list[str]:
    return [task["name"] for task in load(name)["tasks"]]


def load(name: str) -> dict:
    return to_json(load_file(str(ROOT / "workflows" / f"{name}.yaml")).root)


def failing_behind(name: str, task: str, folder: pathlib.Path) -> str:
    """The example with a task that fails put in behind ``task``."""
    workflow = load(name)
    position = [each["name"] for each in workflow["tasks"]].index(task)
    workflow["tasks"].insert(position + 1, {"name": "stop_here", "fail": "as the test wants it"})
    shutil.copytree(ROOT / "workflows", folder / "workflows", ignore=shutil.ignore_patterns("demo"))
    path = folder / "workflows" / "failing.yaml"
    path.write_text(json.dumps(workflow))
    return str(path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_validates_without_a_warning(name: str, taskrun: Taskrun) -> None:
    done = taskrun("validate", "--strict", ROOT / "workflows" / f"{name}.yaml")
    assert (done.code, done.err) == (0, "")
    assert "warning" not in done.out


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_works(name: str, taskrun: Taskrun) -> None:
    with prepared(name, taskrun) as options:
        done = taskrun("run", ROOT / "workflows" / f"{name}.yaml", "-o", "ndjson", *options)
    assert (done.code, done.summary["state"]) == (0, "SUCCESS"), done.out + done.err


@pytest.mark.parametrize(("name", "task"), [(n, t) for n in EXAMPLES for t in tasks_of(n)])
def test_an_example_that_fails_behind_a_task_leaves_the_world_as_it_was(
    name: str, task: str, taskrun: Taskrun
) -> None:
    with prepared(name, taskrun) as options:
        path = failing_behind(name, task, taskrun.folder)
        before = picture(taskrun.folder / "world")
        done = taskrun("run", path, "-o", "ndjson", *options)
        assert (done.code, done.summary["state"]) == (1, "REVERTED"), done.out + done.err
        assert done.summary["applied"] == []
        assert picture(taskrun.folder / "world") == before


def test_the_quickstart_that_is_told_to_break_fails_late_and_undoes_all(taskrun: Taskrun) -> None:
    with prepared("quickstart", taskrun) as options:
        path = ROOT / "workflows" / "quickstart.yaml"
        assert taskrun("run", path, *options).code == 0
        before = picture(taskrun.folder / "world")
        done = taskrun("run", path, "-i", "break=true", "-o", "ndjson", *options)
        assert done.code == 1
        assert "task ask FAILURE" in done.transitions
        assert picture(taskrun.folder / "world") == before


def test_a_refused_payment_gives_the_stock_back(taskrun: Taskrun) -> None:
    with prepared("order_saga", taskrun) as options:
        done = taskrun(
            "run", ROOT / "workflows" / "order_saga.yaml", "-i", "amount=120", "-o", "ndjson", *options
        )
        assert done.code == 1
        assert done.summary["reverted"] == ["take_payment", "reserve_stock"]
        with urllib.request.urlopen(options[1].removeprefix("api="), timeout=5) as answer:
            assert json.load(answer) == {}


def test_a_setting_that_breaks_the_syntax_is_taken_back(taskrun: Taskrun) -> None:
    with prepared("config_edit", taskrun) as options:
        done = taskrun("run", ROOT / "workflows" / "config_edit.yaml", "-i", "value=eighty", *options)
        assert done.code == 1
        assert (taskrun.folder / "world" / "app.ini").read_text() == CONFIG
