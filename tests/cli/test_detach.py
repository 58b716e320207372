"""`run --detach`: in the background, in a session of its own; neither the terminal nor a signal to it matters."""

import json
import os
import signal

from tests.cli.terminal import Terminal, until
from tests.command import Taskrun

WAITS = """name: behind
tasks:
  - {name: one, run: 'touch began; while [ ! -e go ]; do sleep 0.02; done', revert: touch undone}
  - {name: two, run: 'exit ${{ inputs.code }}', revert: none}
inputs: {code: 0}
"""


def test_it_prints_the_id_and_how_to_follow_and_the_run_goes_on(taskrun: Taskrun) -> None:
    done = taskrun("run", "--detach", taskrun.file(WAITS), "-i", "code=1")
    assert done.code == 0
    run = done.out.strip()
    assert os.listdir(taskrun.home / "runs") == [run]
    assert f"taskrun states {run} --watch" in done.err
    assert f"taskrun cancel {run}" in done.err
    until((taskrun.folder / "began").exists)
    assert taskrun("states").code == 8
    (taskrun.folder / "go").touch()
    assert taskrun("states", run, "--watch").code == 1
    assert (taskrun.folder / "undone").exists()
    log = taskrun.home / "runs" / run / "detached.log"
    assert "the world is as before" in until(lambda: "world" in log.read_text() and log.read_text())
    assert log.stat().st_mode & 0o777 == 0o600


def test_programs_get_the_head_of_the_event_stream(taskrun: Taskrun) -> None:
    done = taskrun("run", "--detach", taskrun.file(WAITS), "-o", "ndjson")
    head = json.loads(done.out)
    assert head["kind"] == "run"
    assert done.err == ""
    (taskrun.folder / "go").touch()
    assert taskrun("states", head["run"], "--watch").code == 0


def test_neither_the_terminal_nor_its_signals_reach_it(taskrun: Taskrun) -> None:
    with Terminal(taskrun, "run", "--detach", taskrun.file(WAITS)) as terminal:
        terminal.wait_for("goes on in the background")
        assert terminal.end() == 0
        session = terminal.pid
    until((taskrun.folder / "began").exists)
    pid = int(json.loads(_holder(taskrun))["pid"])
    assert os.getsid(pid) not in (session, os.getsid(0))
    assert os.getpgid(pid) != pid  # it leads no session, so no terminal can become its own
    for fd in (0, 1, 2):
        assert not os.readlink(f"/proc/{pid}/fd/{fd}").startswith("/dev/pts")
    os.kill(pid, signal.SIGHUP)
    (taskrun.folder / "go").touch()
    assert taskrun("states", "--watch").code == 0


def _holder(taskrun: Taskrun) -> str:
    (run,) = (taskrun.home / "runs").iterdir()
    return (run / "lock").read_text()


def test_it_can_be_cancelled(taskrun: Taskrun) -> None:
    taskrun("run", "--detach", taskrun.file(WAITS))
    until((taskrun.folder / "began").exists)
    assert taskrun("cancel").code == 0
    assert taskrun("states", "--watch").code == 1
    assert (taskrun.folder / "undone").exists()


def test_what_keeps_it_from_starting_is_said_in_front(taskrun: Taskrun) -> None:
    taskrun.file(WAITS.replace("tasks:", "lock: mine\ntasks:"))
    assert taskrun("run", "--detach", "w.yaml").code == 0
    until((taskrun.folder / "began").exists)
    second = taskrun("run", "--detach", "w.yaml")
    assert second.code == 5
    assert second.out == ""
    assert second.err.startswith("error: ")
    assert taskrun("run", "--detach", "missing.yaml").code == 2
    assert taskrun("run", "--detach", "w.yaml", env={"TASKRUN_HOME": "/proc/no"}).code == 2
    (taskrun.folder / "go").touch()
    assert taskrun("states", "--watch").code == 0
    assert len(json.loads(taskrun("runs", "-o", "json").out)) == 1


def test_on_failure_ask_has_nobody_to_ask_and_stops(taskrun: Taskrun) -> None:
    (taskrun.folder / "go").touch()
    taskrun("run", "--detach", taskrun.file(WAITS), "--on-failure", "ask", "-i", "code=1")
    assert taskrun("states", "--watch").code == 3
    assert taskrun("states").out.startswith("SUSPENDED")
