"""`runs`, and how a run is named: by its id, the beginning of it, or `latest`."""

import json

from tests.cli.terminal import Terminal, until
from tests.command import Taskrun

GOOD = "name: good\ntasks:\n  - {name: one, run: 'true', revert: none}\n"
BAD = "name: bad\ntasks:\n  - {name: one, run: exit 1, revert: none}\n"


def test_before_the_first_run_each_command_says_how_to_make_one(taskrun: Taskrun) -> None:
    done = taskrun("runs")
    assert (done.code, done.out) == (0, "")
    assert "taskrun run FILE" in done.err
    for command in ("states", "logs", "resume", "revert", "suspend", "cancel"):
        done = taskrun(command)
        assert done.code == 4
        assert "no run" in done.err
        assert "Traceback" not in done.err


def test_runs_are_listed_the_newest_first(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(GOOD))
    taskrun("run", taskrun.file(BAD, "bad.yaml"))
    lines = taskrun("runs").out.splitlines()
    assert lines[0].split() == ["RUN", "STATE", "NAME", "STARTED", "TIME", "EXIT"]
    assert [line.split()[1:3] for line in lines[1:]] == [["REVERTED", "bad"], ["SUCCESS", "good"]]
    assert [line.split()[-1] for line in lines[1:]] == ["1", "0"]
    assert len(taskrun("runs", "-n", 1).out.splitlines()) == 2
    rows = json.loads(taskrun("runs", "-o", "json").out)
    assert [(row["name"], row["state"], row["exit_code"], row["interrupted"]) for row in rows] == [
        ("bad", "REVERTED", 1, False),
        ("good", "SUCCESS", 0, False),
    ]
    with Terminal(taskrun, "runs") as terminal:
        assert terminal.end() == 0
        assert "✓ SUCCESS" in terminal.text
        assert max(map(len, terminal.text.splitlines())) < 80


def test_a_run_is_named_by_the_beginning_of_its_id_if_there_is_only_one(taskrun: Taskrun) -> None:
    taskrun.file(GOOD)
    ids = [taskrun("run", "w.yaml", "-o", "ndjson").events[0]["run"] for _ in range(2)]
    for run in ids:
        assert taskrun("states", run).out.split()[3] == run
        assert taskrun("states", run[:-1]).out.split()[3] == run
        assert taskrun("states", run.upper()).code in (0, 4)
    assert taskrun("states").out.split()[3] == ids[1]
    done = taskrun("states", ids[0][:3])
    assert done.code == 4
    assert ids[0] in done.err
    assert ids[1] in done.err


def test_a_run_whose_process_was_killed_is_interrupted(taskrun: Taskrun) -> None:
    taskrun.file(
        "name: waits\ntasks:\n  - {name: one, run: 'touch began; while [ ! -e go ]; do sleep 0.02; done', revert: none}\n"
    )
    process = taskrun.start("run", "w.yaml")
    until((taskrun.folder / "began").exists)
    assert taskrun("runs").out.splitlines()[1].split()[1] == "RUNNING"
    process.kill()
    process.communicate()
    line = taskrun("runs").out.splitlines()[1]
    assert line.split()[1:3] == ["INTERRUPTED", "waits"]
    run = line.split()[0]
    assert f"taskrun resume {run}   continues waits" in taskrun("runs").err
    (taskrun.folder / "go").touch()
    assert taskrun("resume").code == 0
    assert taskrun("runs").out.splitlines()[1].split()[1] == "SUCCESS"


def test_control_characters_in_what_is_asked_for_are_not_obeyed(taskrun: Taskrun) -> None:
    for arguments in (
        ["states", "\x1b]0;x\x07"],
        ["run", "\x1b[2J.yaml"],
        ["\x1b[2J"],
        ["run", "--\x1b[2J"],
        ["explain", "\x1b"],
    ):
        done = taskrun(*arguments)
        assert done.code in (2, 4)
        assert "\x1b" not in done.err + done.out


def test_what_went_on_with_a_run_stands_below_it(taskrun: Taskrun) -> None:
    text = GOOD.replace("tasks:", "on_failure: stop\ntasks:").replace("'true'", "test -e go")
    assert taskrun("run", taskrun.file(text)).code == 3
    assert taskrun("resume").code == 3
    (taskrun.folder / "go").touch()
    assert taskrun("resume").code == 0
    assert taskrun("revert").code == 0
    lines = taskrun("runs").out.splitlines()[1:]
    assert [line.split()[:2] for line in lines[1:]] == [
        ["resume", "SUSPENDED"],
        ["resume", "SUCCESS"],
        ["revert", "REVERTED"],
    ]
    assert all(line.startswith("  ") for line in lines[1:])
    (row,) = json.loads(taskrun("runs", "-o", "json").out)
    assert [(each["verb"], each["state"]) for each in row["continued"]] == [
        ("resume", "SUSPENDED"),
        ("resume", "SUCCESS"),
        ("revert", "REVERTED"),
    ]
    with Terminal(taskrun, "runs") as terminal:
        assert terminal.end() == 0
        assert "resume" in terminal.text
