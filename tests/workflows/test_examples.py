"""Every workflow in workflows/ works, and when it fails behind any of its tasks, the world is as it was before."""

import contextlib
import json
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from taskrun.spec.loader import load as load_file
from taskrun.spec.loader import to_json
from tests.command import ROOT, Taskrun
from tests.loopback import unused_port
from tests.workflows import folder_of
from tests.workflows.world import picture

EXAMPLES = sorted(path.stem for path in (ROOT / "workflows").glob("*.yaml"))
CONFIG = "[server]\nport = 8080\nhost = 127.0.0.1\n"


@contextlib.contextmanager
def orders(folder: pathlib.Path, name: str = "orders", *arguments: str) -> Iterator[str]:
    """The loopback service of the examples, as a process of its own; its state is a file in ``folder``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = ROOT / "workflows" / "services" / "orders.py"
    argv = [sys.executable, str(script), str(port), str(folder / f"{name}.json"), *arguments]
    with subprocess.Popen(argv) as server:
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
def tenants(world: pathlib.Path, lose: str = "nothing") -> Iterator[list[str]]:
    """Three services; that of ``lose`` never answers its first request."""
    with contextlib.ExitStack() as stack:
        options = []
        for name in ("directory", "billing", "mail"):
            url = stack.enter_context(orders(world, name, "--lose", lose))
            options += ["-i", f"{name}={url}"]
        yield options


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
    elif name == "database_migration":
        with contextlib.closing(sqlite3.connect(world / "app.db")) as database, database:
            database.execute("create table users (id integer primary key, name text)")
            database.execute("insert into users (name) values ('ann'), ('bob')")
        yield ["-i", f"database={world / 'app.db'}"]
    elif name == "tenant_onboarding":
        with tenants(world) as options:
            yield options
    elif name == "key_rotation":
        (world / "k1").write_text("old")
        (world / "current").symlink_to("k1")
        yield ["-i", f"home={world}"]
    elif name == "etl_publish":
        (world / "sales.csv").write_text("region,amount\nnorth,10\nsouth,5\nnorth,2\n")
        (world / "public").mkdir()
        yield ["-i", f"source={world / 'sales.csv'}", "-i", f"public={world / 'public'}"]
    elif name == "test_environment":
        yield ["-i", f"home={world}", "-i", f"port={unused_port()}", "-i", f"python={sys.executable}"]
    elif name == "approve_cut_over":
        (world / "version").write_text("1.0\n")
        yield ["-i", f"home={world}"]
    elif name == "two_sites":
        with orders(world) as url:
            yield ["-i", f"first={url}/", "-i", f"second={url}/"]
    else:
        yield []


def tasks_of(name: str) -> list[str]:
    """Tasks and savepoints behind which a failure takes everything back: those before a point of no return."""
    found = []
    for task in load(name)["tasks"]:
        if task.get("pivot"):
            break
        found.append(name_of(task))
    return found


def name_of(task: dict) -> str:
    return task.get("name") or task["savepoint"]


def load(name: str) -> dict:
    return to_json(load_file(str(ROOT / "workflows" / f"{name}.yaml")).root)


def failing_behind(name: str, task: str, folder: pathlib.Path) -> str:
    """The example with a task that fails put in behind ``task``."""
    workflow = load(name)
    position = [name_of(each) for each in workflow["tasks"]].index(task)
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


@pytest.mark.parametrize("task", ["retire", "announce"])
def test_behind_its_point_of_no_return_the_key_rotation_is_gone_on_with_not_undone(
    task: str, taskrun: Taskrun
) -> None:
    with prepared("key_rotation", taskrun) as options:
        done = taskrun("run", failing_behind("key_rotation", task, taskrun.folder), "-o", "ndjson", *options)
        assert (done.code, done.summary["reverted"]) == (3, []), done.out + done.err
        world = taskrun.folder / "world"
        assert not (world / "k1").exists()
        assert (world / "current").exists()


def test_a_migration_goes_back_to_its_savepoint_and_then_all_the_way(taskrun: Taskrun) -> None:
    with prepared("database_migration", taskrun) as options:
        before = picture(taskrun.folder / "world")
        assert taskrun("run", ROOT / "workflows" / "database_migration.yaml", *options).code == 0
        assert _notes(taskrun) == 2
        taskrun("revert", "latest", "--to", "schema_ready")
        assert _notes(taskrun) == 0
        assert picture(taskrun.folder / "world") != before
        assert taskrun("revert", "latest").code == 0
        assert picture(taskrun.folder / "world") == before


def _notes(taskrun: Taskrun) -> int:
    with contextlib.closing(sqlite3.connect(taskrun.folder / "world" / "app.db")) as database:
        return database.execute("select count(*) from notes").fetchone()[0]


def test_a_report_is_withdrawn_and_its_totals_stay(taskrun: Taskrun) -> None:
    with prepared("etl_publish", taskrun) as options:
        assert taskrun("run", ROOT / "workflows" / "etl_publish.yaml", *options).code == 0
        public = taskrun.folder / "world" / "public"
        assert json.loads((public / "totals.json").read_text()) == [
            {"region": "north", "amount": 12},
            {"region": "south", "amount": 5},
        ]
        taskrun("revert", "latest", "--to", "loaded")
        assert not (public / "totals.json").is_symlink()
        assert len(list(public.glob(".totals-*"))) == 1


@pytest.mark.parametrize(
    ("verbs", "code", "version"),
    [
        ([("resolve", "latest", "word", "--done"), ("resume", "latest")], 0, "2.0\n"),
        ([("revert", "latest")], 0, "1.0\n"),
    ],
)
def test_a_cut_over_waits_for_a_word_and_does_what_it_says(
    taskrun: Taskrun, verbs: list, code: int, version: str
) -> None:
    with prepared("approve_cut_over", taskrun) as options:
        path = ROOT / "workflows" / "approve_cut_over.yaml"
        done = taskrun("run", path, "-i", "target=prod", *options)
        assert done.code == 3
        world = taskrun.folder / "world"
        assert (world / "version").read_text() == "1.0\n"
        for verb in verbs:
            done = taskrun(*verb)
        assert done.code == code, done.out + done.err
        assert (world / "version").read_text() == version
        assert not (world / "version.next").exists()


def test_the_service_of_a_test_environment_does_not_stay(taskrun: Taskrun) -> None:
    with prepared("test_environment", taskrun) as options:
        port = int(options[3].removeprefix("port="))
        assert taskrun("run", ROOT / "workflows" / "test_environment.yaml", *options).code == 0
        path = failing_behind("test_environment", "get", taskrun.folder)
        assert taskrun("run", path, *options).code == 1
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), 1):
            pass


def known_to(options: list[str]) -> list[str]:
    """The services that know a tenant."""
    found = []
    for option in options[1::2]:
        name, _, url = option.partition("=")
        with urllib.request.urlopen(url, timeout=5) as answer:
            found += [name] if json.load(answer) else []
    return found


def test_a_tenant_that_mail_refuses_is_known_to_nobody(taskrun: Taskrun) -> None:
    with prepared("tenant_onboarding", taskrun) as options:
        path = pathlib.Path(failing_behind("tenant_onboarding", "mail", taskrun.folder))
        assert taskrun("run", path, *options).code == 1
        assert known_to(options) == []


@pytest.mark.parametrize("lose", ["directory", "billing", "mail"])
def test_a_request_whose_answer_is_lost_is_asked_about_and_not_sent_twice(
    lose: str, taskrun: Taskrun
) -> None:
    world = taskrun.folder / "world"
    world.mkdir()
    with tenants(world, lose) as options:
        done = taskrun("run", ROOT / "workflows" / "tenant_onboarding.yaml", "-o", "ndjson", *options)
        assert done.code == 0, done.out
        assert done.transitions.count(f"task {lose} RUNNING") == 1
        assert f"task {lose} UNKNOWN" in done.transitions
        assert known_to(options) == ["directory", "billing", "mail"]
        assert taskrun("revert", "latest").code == 0
        assert known_to(options) == []
