"""The exit codes that scripts rely on, one by one."""

import pathlib
import signal
import sqlite3

import pytest

from tests.cli.terminal import until
from tests.command import Taskrun

GOOD = "name: good\ntasks:\n  - {name: one, run: 'true', revert: none}\n"
FAILS = "name: fails\ntasks:\n  - {name: one, run: 'true', revert: 'true'}\n  - {name: two, run: exit 3, revert: none}\n"
STUCK = FAILS.replace("revert: 'true'", "revert: {run: exit 1, retry: {attempts: 1}}")
WAITS = "name: waits\ntasks:\n  - {name: one, run: 'touch began; while [ ! -e go ]; do sleep 0.02; done', revert: rm -f began}\n"


def test_0_done(taskrun: Taskrun) -> None:
    assert taskrun("run", taskrun.file(GOOD)).code == 0
    assert taskrun("states").code == 0
    assert taskrun("states", "--watch").code == 0


def test_1_failed_and_fully_rolled_back(taskrun: Taskrun) -> None:
    assert taskrun("run", taskrun.file(FAILS)).code == 1
    assert taskrun("states").code == 1
    assert taskrun("states", "--watch").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["rnu"],
        ["run"],
        ["run", "w.yaml", "--job", "3"],
        ["run", "w.yaml", "-i", "no_such=1"],
        ["run", "w.yaml", "-j", "0"],
        ["run", "broken.yaml"],
        ["run", "missing.yaml"],
        ["validate", "w.yaml", "broken.yaml"],
        ["resolve", "latest", "one"],
    ],
    ids=" ".join,
)
def test_2_wrong_usage_or_an_invalid_file_and_nothing_ran(arguments: list[str], taskrun: Taskrun) -> None:
    taskrun.file(GOOD)
    taskrun.file("name: x\ntsks: []\n", "broken.yaml")
    done = taskrun(*arguments)
    assert done.code == 2
    assert "Traceback" not in done.out + done.err
    assert not list((taskrun.home / "runs").glob("*"))


def test_3_failed_and_not_fully_rolled_back(taskrun: Taskrun) -> None:
    assert taskrun("run", taskrun.file(STUCK)).code == 3
    assert taskrun("states").code == 3
    assert taskrun("revert").code == 3


def test_3_waiting_for_a_person(taskrun: Taskrun) -> None:
    done = taskrun("run", taskrun.file(FAILS), "--on-failure", "stop")
    assert done.code == 3
    assert "taskrun resume" in done.err
    assert "taskrun revert" in done.err
    assert taskrun("states").code == 3
    assert taskrun("revert").code == 0


def test_3_interrupted_and_not_yet_continued(taskrun: Taskrun) -> None:
    process = taskrun.start("run", taskrun.file(WAITS))
    until((taskrun.folder / "began").exists)
    process.kill()
    process.communicate()
    assert taskrun("states").code == 3
    (taskrun.folder / "go").touch()
    assert taskrun("resume").code == 0
    assert taskrun("states").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["states", "nosuch"],
        ["states"],
        ["logs", "nosuch"],
        ["resume", "nosuch"],
        ["revert", "nosuch"],
        ["suspend", "nosuch"],
        ["cancel", "nosuch"],
        ["resolve", "nosuch", "one", "--done"],
        ["explain", "TR999"],
    ],
    ids=" ".join,
)
def test_4_no_such_run(arguments: list[str], taskrun: Taskrun) -> None:
    done = taskrun(*arguments)
    assert done.code == 4, done.err
    assert "Traceback" not in done.err


def test_4_no_such_task(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(GOOD))
    for arguments in (["logs", "latest", "onne"], ["resolve", "latest", "onne", "--done"]):
        done = taskrun(*arguments)
        assert done.code == 4
        assert "did you mean 'one'?" in done.err


def test_5_another_process_holds_the_run_or_the_lock(taskrun: Taskrun) -> None:
    taskrun.file(WAITS.replace("tasks:", "lock: mine\ntasks:"))
    process = taskrun.start("run", "w.yaml")
    until((taskrun.folder / "began").exists)
    for arguments in (["resume"], ["revert"], ["resolve", "latest", "one", "--done"], ["run", "w.yaml"]):
        done = taskrun(*arguments)
        assert done.code == 5, (arguments, done.err)
        assert str(process.pid) in done.err
    (taskrun.folder / "go").touch()
    process.communicate()
    assert process.returncode == 0
    assert len(list((taskrun.home / "runs").iterdir())) == 1  # who was refused leaves nothing behind


def test_6_refused_as_the_file_has_changed(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(FAILS), "--on-failure", "stop")
    taskrun.file(FAILS.replace("exit 3", "exit 0"))
    done = taskrun("resume")
    assert done.code == 6
    assert "+  - {name: two, run: exit 0, revert: none}" in done.err
    assert taskrun("resume", "--use-original").code == 3


def test_6_refused_as_there_is_nothing_to_do_it_to(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(GOOD))
    for verb in ("suspend", "cancel"):
        assert taskrun(verb).code == 6
    assert taskrun("resolve", "latest", "one", "--done").code == 6


def test_8_still_running(taskrun: Taskrun) -> None:
    process = taskrun.start("run", taskrun.file(WAITS))
    until((taskrun.folder / "began").exists)
    assert taskrun("states").code == 8
    assert taskrun("states", "-o", "json").code == 8
    (taskrun.folder / "go").touch()
    process.communicate()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_130_and_143_interrupted_and_rolled_back(number: int, code: int, taskrun: Taskrun) -> None:
    process = taskrun.start("run", taskrun.file(WAITS))
    until((taskrun.folder / "began").exists)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "the world is as before" in err
    assert not (taskrun.folder / "began").exists()
    assert taskrun("states").code == code


def test_a_damaged_journal_is_said_in_one_line(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(GOOD))
    journal = next(pathlib.Path(taskrun.home).glob("*.db"))
    with sqlite3.connect(journal) as database:
        database.execute("PRAGMA journal_mode=DELETE")
    journal.write_bytes(b"this is no database any more" * 1000)
    for arguments in (["runs"], ["states"], ["run", "w.yaml"], ["resume"]):
        done = taskrun(*arguments)
        assert done.code == 3, (arguments, done.err)
        assert "Traceback" not in done.err


def test_a_home_that_cannot_be_used_is_named(taskrun: Taskrun, tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", tmp_path / "file" / "below", pathlib.Path("/proc/here")):
        done = taskrun("run", taskrun.file(GOOD), env={"TASKRUN_HOME": str(home)})
        assert done.code == 2, done.err
        assert "TASKRUN_HOME" in done.err
        assert str(home).removesuffix("/below") in done.err
