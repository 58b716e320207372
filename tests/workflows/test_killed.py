"""Every workflow in workflows/ is killed at each of its tasks, alone and with all its processes, and reverted: the world is as it was."""

import contextlib
import json
import os
import pathlib
import signal

import pytest

from tests.cli.terminal import until
from tests.command import ROOT, Taskrun
from tests.workflows.test_examples import EXAMPLES, load, name_of, prepared, tasks_of
from tests.workflows.world import picture

AT = [(name, task) for name in EXAMPLES for task in tasks_of(name)]
VICTIMS = ("taskrun alone", "all its processes")
HAS_A_SERVICE = (
    "test_environment"  # its undo speaks to the service it has started, which is a part of the world then
)


def victim_of(name: str, number: int) -> str:
    return VICTIMS[0 if name == HAS_A_SERVICE else number % 2]


def descendants(home: pathlib.Path) -> list[int]:
    """Who carries the home of these runs in its environment: the supervisor, the tasks and what they have started."""
    mark = f"TASKRUN_HOME={home}".encode()
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            if mark in pathlib.Path("/proc", pid, "environ").read_bytes().split(b"\0"):
                found.append(int(pid))
    return found


def kill(process, home: pathlib.Path, victim: str) -> None:
    process.send_signal(signal.SIGSTOP)  # so that it starts nothing while the others are looked for
    if victim == "all its processes":
        for pid in descendants(home):
            if pid != process.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    process.kill()
    process.communicate()


def run_until(process, task: str) -> bool:
    """Read its events until the task has begun; False when the run was over without it."""
    for line in process.stdout:
        event = json.loads(line)
        if event["kind"] == "task" and event["state"] == "RUNNING" and event["name"].split("[")[0] == task:
            return True
    return False


@pytest.mark.parametrize(
    ("name", "task", "victim"), [(*at, victim_of(at[0], number)) for number, at in enumerate(AT)]
)
def test_an_example_that_is_killed_at_a_task_is_reverted_as_if_it_had_never_been(
    name: str, task: str, victim: str, taskrun: Taskrun
) -> None:
    with prepared(name, taskrun) as options:
        before = picture(taskrun.folder / "world")
        process = taskrun.start("run", ROOT / "workflows" / f"{name}.yaml", "-o", "ndjson", *options)
        run_until(process, task)
        kill(process, taskrun.home, victim)
        done = taskrun("revert", "latest", "-o", "ndjson")
        assert done.summary["state"] == "REVERTED", done.out + done.err
        assert (done.code, done.summary["unknown"], done.summary["applied"]) == (0, [], [])
        assert picture(taskrun.folder / "world") == before


@pytest.mark.parametrize(
    "name", [name for name in EXAMPLES if len(tasks_of(name)) == len(load(name)["tasks"])]
)
def test_an_example_that_is_killed_in_its_middle_is_resumed_to_its_end(name: str, taskrun: Taskrun) -> None:
    tasks = [name_of(each) for each in load(name)["tasks"]]
    with prepared(name, taskrun) as options:
        process = taskrun.start("run", ROOT / "workflows" / f"{name}.yaml", "-o", "ndjson", *options)
        run_until(process, tasks[len(tasks) // 2])
        kill(process, taskrun.home, victim_of(name, len(name)))
        done = taskrun("resume", "latest", "-o", "ndjson")
        assert (done.code, done.summary["state"]) == (0, "SUCCESS"), done.out + done.err


def test_an_undo_that_needs_outputs_a_kill_has_taken_says_so_and_is_not_tried_again(taskrun: Taskrun) -> None:
    text = "name: a\ntasks:\n  - name: make\n    run: touch begun; sleep 60\n    revert: 'rm -r ${{ self.outputs.folder }}'\n"
    process = taskrun.start("run", taskrun.file(text), "-o", "ndjson")
    until((taskrun.folder / "begun").exists)
    kill(process, taskrun.home, "all its processes")
    done = taskrun("revert", "latest", "-o", "ndjson")
    assert done.code == 3
    (failure,) = [event["failure"] for event in done.events if event.get("state") == "REVERT_FAILURE"]
    assert failure["message"].startswith("there is no key 'folder'")
    assert "its attempt had no end" in failure["message"]
    assert not [event for event in done.events if event["kind"] == "warning"]
