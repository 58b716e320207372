"""Looking at a run from another process: everything is seen, in order, and nothing of it touches the run."""

import json
import signal

from tests.cli.terminal import Terminal, until
from tests.command import Done, Taskrun

STEPS = 5
WAITS = "\n".join(
    [
        "name: steps",
        "inputs: {code: 0}",
        "tasks:",
        *(
            f"  - {{name: t{i}, run: 'echo out {i}; touch began{i}; while [ ! -e go{i} ]; do sleep 0.02; done', revert: 'true'}}"
            for i in range(STEPS)
        ),
        "  - {name: last, run: 'exit ${{ inputs.code }}', revert: none}",
    ]
)


def go(taskrun: Taskrun, *steps: int) -> None:
    for step in steps:
        until((taskrun.folder / f"began{step}").exists)
        (taskrun.folder / f"go{step}").touch()


def test_a_watcher_sees_every_transition_in_order_and_ends_with_the_runs_code(taskrun: Taskrun) -> None:
    run = taskrun.start("run", taskrun.file(WAITS), "-o", "ndjson", "-i", "code=1")
    until((taskrun.folder / "began0").exists)
    watcher = taskrun.start("states", "--watch", "-o", "ndjson")
    go(taskrun, 0, 1)
    late = taskrun.start("states", "--watch", "-o", "plain")
    go(taskrun, 2, 3, 4)
    out, err = run.communicate(timeout=30)
    seen, _ = watcher.communicate(timeout=30)
    lines, _ = late.communicate(timeout=30)
    assert (run.returncode, watcher.returncode, late.returncode) == (1, 1, 1), err
    assert seen.splitlines() == out.splitlines()[1:-1]
    changes = [line.split(" ", 1)[1].split("  ")[0] for line in lines.splitlines()]
    assert changes == [
        f"{'flow ' if e['kind'] == 'flow' else ''}{e['name']} {e['old_state']} -> {e['state']}"
        for e in Done(0, out, "").events[1:-1]
    ]


def test_a_watcher_that_is_killed_or_stopped_changes_nothing(taskrun: Taskrun) -> None:
    run = taskrun.start("run", taskrun.file(WAITS), "-o", "ndjson")
    until((taskrun.folder / "began0").exists)
    killed, stopped = (taskrun.start("states", "--watch", "-o", "ndjson") for _ in range(2))
    assert killed.stdout.readline()
    first = stopped.stdout.readline()
    stopped.send_signal(signal.SIGSTOP)
    go(taskrun, 0)
    killed.kill()
    killed.communicate()
    go(taskrun, 1, 2, 3, 4)
    out, _ = run.communicate(timeout=30)
    assert run.returncode == 0
    stopped.send_signal(signal.SIGCONT)
    seen = first + stopped.stdout.read()
    stopped.communicate(timeout=30)
    assert stopped.returncode == 0
    assert seen.splitlines() == out.splitlines()[1:-1]


def test_a_watcher_says_when_the_runs_process_was_killed(taskrun: Taskrun) -> None:
    run = taskrun.start("run", taskrun.file(WAITS))
    until((taskrun.folder / "began0").exists)
    with Terminal(taskrun, "states", "--watch") as watcher:
        watcher.wait_for("RUNNING    t0")
        run.kill()
        run.communicate()
        assert watcher.end() == 3
        assert "it was interrupted" in watcher.text
        assert "taskrun resume" in watcher.text
        assert "taskrun revert" in watcher.text
    done = taskrun("states")
    assert done.code == 3
    assert done.out.startswith("INTERRUPTED  steps")
    assert "taskrun resume" in done.err
    rows = taskrun("runs", "-o", "json")
    assert [(row["state"], row["interrupted"]) for row in json.loads(rows.out)] == [("RUNNING", True)]
    assert "INTERRUPTED" in taskrun("runs").out
    for step in range(STEPS):
        (taskrun.folder / f"go{step}").touch()
    assert taskrun("resume").code == 0


def test_a_watcher_of_a_run_that_is_over_ends_at_once_with_its_code(taskrun: Taskrun) -> None:
    for step in range(STEPS):
        (taskrun.folder / f"go{step}").touch()
    first = taskrun("run", taskrun.file(WAITS), "-i", "code=1", "-o", "ndjson")
    assert taskrun("run", "w.yaml").code == 0
    assert taskrun("states", "--watch").code == 0
    run = first.events[0]["run"]
    done = taskrun("states", run[:-1], "--watch", "-o", "ndjson")
    assert done.code == 1
    assert done.out.splitlines() == first.out.splitlines()[1:-1]


def test_the_table_of_a_watcher_follows_the_run(taskrun: Taskrun) -> None:
    run = taskrun.start("run", taskrun.file(WAITS))
    until((taskrun.folder / "began0").exists)
    with Terminal(taskrun, "states", "--watch") as watcher:
        watcher.wait_for("RUNNING    t0", "out 0", "PENDING    last")
        go(taskrun, 0, 1, 2)
        watcher.wait_for("SUCCESS    t2", "RUNNING    t3")
        go(taskrun, 3, 4)
        assert watcher.end() == 0
        assert "SUCCESS    last" in watcher.text
    run.communicate(timeout=30)


def test_a_watcher_is_left_with_ctrl_c_and_the_run_goes_on(taskrun: Taskrun) -> None:
    run = taskrun.start("run", taskrun.file(WAITS))
    until((taskrun.folder / "began0").exists)
    with Terminal(taskrun, "states", "--watch") as watcher:
        watcher.wait_for("RUNNING    t0")
        watcher.type("\x03")
        assert watcher.end() == 130
        assert "Traceback" not in watcher.text
    go(taskrun, 0, 1, 2, 3, 4)
    run.communicate(timeout=30)
    assert run.returncode == 0


def test_states_shows_a_run_as_it_stands(taskrun: Taskrun) -> None:
    run = taskrun.start("run", taskrun.file(WAITS))
    go(taskrun, 0)
    until((taskrun.folder / "began1").exists)
    done = taskrun("states")
    assert done.code == 8
    states = {line.split()[1]: line.split()[0] for line in done.out.splitlines()[3:]}
    assert states == {
        "t0": "SUCCESS",
        "t1": "RUNNING",
        "t2": "PENDING",
        "t3": "PENDING",
        "t4": "PENDING",
        "last": "PENDING",
    }
    found = json.loads(taskrun("states", "-o", "json").out)
    assert {task["name"]: task["state"] for task in found["tasks"]} == states
    assert found["interrupted"] is False
    go(taskrun, 1, 2, 3, 4)
    run.communicate(timeout=30)


def test_suspend_and_cancel_are_heard_by_the_process_that_drives_the_run(taskrun: Taskrun) -> None:
    run = taskrun.start("run", taskrun.file(WAITS), "-o", "ndjson")
    until((taskrun.folder / "began0").exists)
    assert taskrun("suspend", "--reason", "lunch").code == 0
    until(lambda: '"SUSPENDING"' in taskrun("states", "--history", "-o", "ndjson").out)
    go(taskrun, 0)
    out, _ = run.communicate(timeout=30)
    assert run.returncode == 3
    assert "lunch" in out
    again = taskrun.start("resume", "-o", "ndjson")
    until((taskrun.folder / "began1").exists)
    assert taskrun("cancel", "--reason", "enough").code == 0
    out, _ = again.communicate(timeout=30)
    assert again.returncode == 1
    failure = next(e["failure"] for e in Done(0, out, "").events if e.get("failure"))
    assert failure == {"type": "Cancelled", "message": "enough"}
