"""Runs whose tasks undo themselves: rolled back, reverted later, killed and resumed, the world is as it was."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.actions.worlds import build, picture
from tests.command import Taskrun

STRACE = shutil.which("strace")
ALL = """
name: all
inputs:
  port: {type: integer, default: 9090}
  break: {type: boolean, default: false}
tasks:
  - {name: folder, mkdir: {path: world/made/inner, parents: true}}
  - name: write
    check: test -e world/made/inner/config
    file: {path: world/made/inner/config, content: "port = ${{ inputs.port }}\\n", mode: "0600", parents: true}
    outputs: {sum: result.sha256, changed: result.changed}
  - {name: fill, template: {path: world/filled, source: source.txt}}
  - {name: change, edit: {path: world/a.ini, set: {server.port: "${{ inputs.port }}"}}}
  - {name: switch, symlink: {path: world/current, to: void}}
  - {name: duplicate, copy: {from: world/void, to: world/duplicate}}
  - {name: rename, move: {from: world/second, to: world/third}}
  - {name: drop, delete: world/tree}
  - name: script
    run: printf more >> world/void.txt; rm world/two; mkdir world/p
    revert: {restore: [world/void.txt, world/two, world/p]}
  - {name: stop, if: inputs.break, fail: as the test wants it}
"""
SOURCE = "port ${{ inputs.port }}, sum ${{ tasks.write.outputs.sum }}\n"


@pytest.fixture
def world(taskrun: Taskrun) -> pathlib.Path:
    folder = taskrun.folder / "world"
    folder.mkdir()
    build(str(folder))
    (taskrun.folder / "source.txt").write_text(SOURCE)
    return folder


def run(taskrun: Taskrun, text: str, *options: str):
    return taskrun("run", taskrun.file(text), "-o", "ndjson", *options)


def test_a_failing_run_is_rolled_back(taskrun: Taskrun, world: pathlib.Path) -> None:
    before = picture(world, folder_times=("tree",))
    done = run(taskrun, ALL, "-i", "break=true")
    assert (done.code, done.summary["state"]) == (1, "REVERTED"), done.err
    assert picture(world, folder_times=("tree",)) == before


def test_a_run_that_worked_is_reverted_later_without_what_it_was_made_from(
    taskrun: Taskrun, world: pathlib.Path
) -> None:
    before = picture(world, folder_times=("tree",))
    done = run(taskrun, ALL)
    assert done.code == 0, done.out
    assert (world / "filled").read_text().startswith("port 9090, sum ")
    assert "port = 9090 ; the port" in (world / "a.ini").read_text()
    assert os.readlink(world / "current") == "void"
    assert not (world / "tree").exists()
    (taskrun.folder / "source.txt").unlink()
    (taskrun.folder / "w.yaml").unlink()
    done = taskrun("revert", "-o", "ndjson")
    assert (done.code, done.summary["state"]) == (0, "REVERTED"), done.err
    assert picture(world, folder_times=("tree",)) == before


def test_an_action_says_what_it_did(taskrun: Taskrun, world: pathlib.Path) -> None:
    done = run(taskrun, ALL)
    outputs = next(
        e["outputs"] for e in done.events if e["kind"] == "task" and e["name"] == "write" and e.get("outputs")
    )
    assert outputs["changed"] is True
    assert len(outputs["sum"]) == 64


def test_a_task_that_was_changed_since_stops_the_rollback_and_is_not_tried_again(
    taskrun: Taskrun, world: pathlib.Path
) -> None:
    before = picture(world)
    text = "name: w\ntasks:\n  - {name: write, file: {path: world/a.ini, content: new}}\n"
    assert run(taskrun, text).code == 0
    (world / "a.ini").write_text("mine\n")
    done = taskrun("revert", "-o", "ndjson")
    assert done.code == 3
    failure = next(e["failure"] for e in done.events if e.get("state") == "REVERT_FAILURE")
    assert failure["type"] == "Drift"
    assert "-new\n+mine" in failure["message"]
    assert done.out.count("REVERT_FAILURE") >= 1
    assert not [e for e in done.events if e["kind"] == "warning"]
    assert (world / "a.ini").read_text() == "mine\n"
    (world / "a.ini").write_text("new")
    assert taskrun("revert").code == 0
    assert picture(world) == before


def test_what_is_left_as_it_is_is_said(taskrun: Taskrun, world: pathlib.Path) -> None:
    text = "name: w\ntasks:\n  - {name: write, file: {path: world/new, content: new, on_drift: skip}}\n"
    assert run(taskrun, text).code == 0
    (world / "new").write_text("mine\n")
    done = taskrun("revert", "-o", "ndjson")
    assert done.code == 0
    assert "left as it is, though it was changed since" in done.out
    assert (world / "new").read_text() == "mine\n"


def test_every_attempt_of_a_task_is_undone(taskrun: Taskrun, world: pathlib.Path) -> None:
    before = picture(world)
    text = """
name: w
tasks:
  - name: write
    file: {path: "world/out-${{ self.attempt }}", content: "x"}
    verify: "false"
    retry: {attempts: 3}
"""
    done = run(taskrun, text)
    assert (done.code, done.summary["state"]) == (1, "REVERTED"), done.out
    assert picture(world) == before


def test_an_attempt_that_could_not_begin_has_nothing_to_undo(taskrun: Taskrun, world: pathlib.Path) -> None:
    text = "name: w\ntasks:\n  - {name: write, file: {path: world/none/x, content: new}}\n"
    done = run(taskrun, text)
    assert done.code == 1
    assert "make it with `mkdir`" in done.out
    started = [e for e in done.events if e["kind"] == "task" and e["state"] == "FAILURE"]
    assert started[0]["failure"]["type"] == "FileNotFoundError"
    assert not (taskrun.home / "runs" / done.events[0]["run"] / "out" / "write.revert.1.out").exists()


def test_a_controllers_rounds_have_images_of_their_own(taskrun: Taskrun, world: pathlib.Path) -> None:
    before = picture(world)
    text = """
name: w
tasks:
  - name: mirrors
    retry: {for_each: [a, b, c]}
    tasks:
      - {name: config, file: {path: world/a.ini, content: "${{ retry.value }}"}}
      - {name: log, run: "echo ${{ retry.value }} >> world/two", revert: {restore: world/two}}
      - {name: try, run: "test ${{ retry.value }} = c", revert: none}
"""
    assert run(taskrun, text).code == 0
    assert (world / "a.ini").read_text() == "c"
    assert (world / "two").read_text() == "one file, two names\nc\n"
    assert taskrun("revert").code == 0
    assert picture(world) == before


def test_items_of_a_fan_out_are_undone(taskrun: Taskrun, world: pathlib.Path) -> None:
    before = picture(world)
    text = """
name: w
inputs: {names: {type: list, default: [a, b, c, d]}}
tasks:
  - {name: write, for_each: "${{ inputs.names }}", as: n, file: {path: "world/p/q/${{ n }}", content: "${{ n }}", parents: true}}
  - {name: stop, fail: here}
"""
    done = run(taskrun, text, "--jobs", "4")
    assert (done.code, done.summary["state"]) == (1, "REVERTED"), done.out
    assert picture(world) == before


def test_a_file_action_may_be_somebody_elses_undo(taskrun: Taskrun, world: pathlib.Path) -> None:
    text = """
name: w
tasks:
  - {name: make, run: echo x > world/new, revert: {delete: {path: world/new}}}
  - {name: stop, fail: here}
"""
    assert run(taskrun, text).code == 1
    assert not (world / "new").exists()


def test_images_that_are_too_large_fail_the_task_before_it_begins(
    taskrun: Taskrun, world: pathlib.Path
) -> None:
    text = """
name: w
tasks:
  - {name: script, run: rm world/a.ini, revert: {restore: [world]}, env: {TASKRUN_IMAGE_LIMIT: 1K}}
"""
    before = picture(world)
    done = run(taskrun, text)
    assert done.code == 1
    assert "larger than 1,024 bytes" in done.out
    assert picture(world) == before


def test_a_mistake_in_a_template_names_its_place(taskrun: Taskrun, world: pathlib.Path) -> None:
    (taskrun.folder / "source.txt").write_text("ok\n  x = ${{ inputs.prot }}\n")
    text = "name: w\ninputs: {port: '1'}\ntasks:\n  - {name: fill, template: {path: world/filled, source: source.txt}}\n"
    done = run(taskrun, text)
    assert done.code == 1
    failure = next(e["failure"] for e in done.events if e.get("failure"))
    assert "source.txt:2:18: " in failure["message"]
    assert "prot" in failure["message"]


def killed(taskrun: Taskrun, number: int, *args: str) -> bool:
    """Run the command and kill it before the ``number``-th rename of one of its threads; False if none made so many."""
    argv = [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename,renameat,renameat2"]
    argv += ["-e", f"inject=rename,renameat,renameat2:signal=KILL:when={number}"]
    argv += [sys.executable, "-m", "taskrun", *args, "--jobs", "1"]
    done = subprocess.run(argv, cwd=taskrun.folder, env=taskrun.env, capture_output=True, timeout=60)
    if b"ptrace" in done.stderr:
        pytest.skip("processes may not be traced here")
    assert done.returncode in (-9, 137, 0), done.stderr
    return done.returncode != 0


def with_first(name: str) -> str:
    """The workflow with one of its tasks in front: each is a thread of its own, and the first is the one killed."""
    head, _, tasks = ALL.partition("tasks:\n")
    found = ["  - " + each for each in tasks.split("  - ")[1:]]
    first = next(each for each in found if f"name: {name}" in each)
    return f"{head}tasks:\n{first}{''.join(each for each in found if each is not first)}"


@pytest.mark.skipif(STRACE is None, reason="strace is not there")
@pytest.mark.parametrize("number", [2, 3, 4, 6])
@pytest.mark.parametrize(
    "name", ["folder", "write", "change", "switch", "duplicate", "rename", "drop", "script"]
)
def test_a_run_killed_anywhere_goes_on_and_is_undone_whole(
    taskrun: Taskrun, world: pathlib.Path, name: str, number: int
) -> None:
    """Killed at a rename, of a ledger's file or of what is put in place. Nobody is asked anything."""
    before = picture(world, folder_times=("tree",))
    if killed(taskrun, number, "run", taskrun.file(with_first(name))):
        resumed = taskrun("resume", "-o", "ndjson")
        assert (resumed.code, resumed.summary["state"]) == (0, "SUCCESS"), resumed.out + resumed.err
        assert "UNKNOWN" not in resumed.out
        assert '"RETRYING"' not in resumed.out
    assert (world / "made/inner/config").read_text() == "port = 9090\n"
    assert taskrun("revert").code == 0
    assert picture(world, folder_times=("tree",)) == before


@pytest.mark.skipif(STRACE is None, reason="strace is not there")
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_rollback_killed_anywhere_is_completed(taskrun: Taskrun, world: pathlib.Path, number: int) -> None:
    before = picture(world, folder_times=("tree",))
    assert run(taskrun, ALL).code == 0
    is_killed = killed(taskrun, number, "revert")
    assert taskrun("resume" if is_killed else "revert").code in (0, 1)
    assert picture(world, folder_times=("tree",)) == before


@pytest.mark.skipif(STRACE is None, reason="strace is not there")
@pytest.mark.parametrize("number", [1, 2])
def test_a_file_action_that_is_an_undo_is_gone_on_with(
    taskrun: Taskrun, world: pathlib.Path, number: int
) -> None:
    text = """
name: w
tasks:
  - {name: make, run: echo x > world/new, revert: {delete: {path: world/new}}}
"""
    assert run(taskrun, text).code == 0
    assert killed(taskrun, number, "revert")
    done = taskrun("resume", "-o", "ndjson")
    assert done.summary["state"] == "REVERTED", done.out
    assert "REVERT_FAILURE" not in done.out
    assert not (world / "new").exists()


@pytest.mark.skipif(STRACE is None, reason="strace is not there")
def test_a_killed_run_that_is_to_be_reverted_does_nothing_more(taskrun: Taskrun, world: pathlib.Path) -> None:
    before = picture(world, folder_times=("tree",))
    assert killed(taskrun, 3, "run", taskrun.file(ALL))
    done = taskrun("revert", "-o", "ndjson")
    assert (done.code, done.summary["state"]) == (0, "REVERTED"), done.out + done.err
    assert "SUCCESS" not in done.out
    assert picture(world, folder_times=("tree",)) == before


def test_a_line_written_as_a_block_of_yaml_is_one_line(taskrun: Taskrun) -> None:
    (taskrun.folder / "a.conf").write_text("port 1\nhost x\n")
    text = "name: w\ntasks:\n  - name: a\n    edit:\n      path: a.conf\n      match: ^port\n      line: |\n        port 2\n"
    assert run(taskrun, text).code == 0
    assert (taskrun.folder / "a.conf").read_text() == "port 2\nhost x\n"
