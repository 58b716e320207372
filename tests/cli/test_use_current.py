"""`resume --use-current`: a file mended on the way is what the run goes on with, where what is done is still the same."""

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from tests.cli.terminal import until
from tests.command import Taskrun

STOPS = """name: deploy
on_failure: stop
tasks:
  - {name: build, run: echo build >> log, revert: echo undo build >> log}
  - {name: ship, run: 'echo ship >> log; false', revert: echo undo ship >> log}
  - {name: tell, run: echo tell >> log, revert: none}
"""
BUILD, SHIP, TELL = STOPS.splitlines(keepends=True)[3:]
MENDED = STOPS.replace("; false", "")


def log(folder: pathlib.Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


@pytest.fixture
def stopped(taskrun: Taskrun) -> Taskrun:
    assert taskrun("run", taskrun.file(STOPS)).code == 3
    return taskrun


def test_without_an_option_the_difference_is_shown_and_both_ways_are_named(stopped: Taskrun) -> None:
    stopped.file(MENDED)
    done = stopped("resume")
    assert done.code == 6
    assert "-  - {name: ship, run: 'echo ship >> log; false', revert: echo undo ship >> log}" in done.err
    assert "+  - {name: ship, run: 'echo ship >> log', revert: echo undo ship >> log}" in done.err
    assert "--use-original goes on with it as it was; --use-current as it is now" in done.err
    assert log(stopped.folder) == ["build", "ship"]


def test_what_failed_is_done_again_as_it_is_now_and_undone_as_it_was(stopped: Taskrun) -> None:
    stopped.file(MENDED)
    done = stopped("resume", "--use-current")
    assert done.code == 0
    assert "Going on with" in done.err + done.out
    assert "as it is now (changed: ship)" in done.err + done.out
    assert stopped("revert").code == 0
    assert log(stopped.folder) == ["build", "ship", "ship", "tell", "undo ship", "undo build"]


def test_later_resumes_and_reverts_go_on_with_it_whatever_becomes_of_the_file(stopped: Taskrun) -> None:
    stopped.file(STOPS + "  - {name: more, run: 'echo more >> log', revert: echo undo more >> log}\n")
    assert stopped("resume", "--use-current").code == 3  # ship fails again
    assert "more" in stopped("states").out
    assert "more" in stopped("report", "--format", "markdown").out
    assert stopped("resume").code == 3  # the file is the one it goes on with
    stopped.file(MENDED)
    done = stopped("resume")
    assert done.code == 6
    assert "-  - {name: more" in done.err  # the difference is to what it goes on with
    done = stopped("resume", "--use-current")
    assert done.code == 0
    assert "gone: more" in done.err + done.out
    (stopped.folder / "w.yaml").unlink()
    assert "undo ship" in stopped("plan", "--revert", "latest").out
    assert stopped("revert").code == 0
    assert log(stopped.folder)[-3:] == ["tell", "undo ship", "undo build"]


def test_tasks_not_yet_begun_may_come_go_change_and_move(stopped: Taskrun) -> None:
    more = "  - {name: more, run: echo more >> log, revert: echo undo more >> log}\n"
    again = "  - {name: tell, run: echo tell twice >> log, revert: none}\n"
    stopped.file(MENDED.replace(TELL, more + again))
    assert stopped("resume", "--use-current").code == 0
    assert log(stopped.folder)[2:] == ["ship", "more", "tell twice"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            MENDED.replace("echo build", "echo BUILD"),
            ["line 4: task build is SUCCESS, and its run has changed"],
        ),
        (
            MENDED.replace("undo build", "clear"),
            ["line 4: task build is SUCCESS, and its revert has changed"],
        ),
        (MENDED.replace("undo ship", "clear"), ["line 5: task ship is FAILURE, and its revert has changed"]),
        (
            MENDED.replace(BUILD, ""),
            ["task build (line 4 as the run was started) is SUCCESS, and no longer in the file"],
        ),
        (
            MENDED.replace(BUILD, "  - {name: first, run: 'true', revert: none}\n" + BUILD),
            ["line 4: task first would have to be done before build, which is SUCCESS"],
        ),
        (
            MENDED.replace(
                BUILD + MENDED.splitlines(keepends=True)[4], MENDED.splitlines(keepends=True)[4] + BUILD
            ),
            ["what was begun of the workflow stands in another order now"],
        ),
        (
            MENDED.replace("name: deploy", "name: other"),
            ["line 1: the workflow is called other now, it was deploy"],
        ),
        (MENDED.replace("on_failure: stop", "pattern: unordered"), ["the workflow's pattern has changed"]),
        (
            MENDED.replace("on_failure: stop", "env: {HOW: fast}").replace("echo build", "echo BUILD"),
            ["line 4: task build is SUCCESS"],
        ),
    ],
)
def test_what_is_done_must_be_the_same(stopped: Taskrun, text: str, lines: list[str]) -> None:
    assert text != MENDED
    stopped.file(text)
    before = stopped("states", "--history", "-o", "ndjson").out
    done = stopped("resume", "--use-current")
    assert done.code == 6
    assert "cannot go on with" in done.err
    for line in lines:
        assert line in done.err
    assert "--use-original" in done.err
    assert stopped("states", "--history", "-o", "ndjson").out == before
    assert log(stopped.folder) == ["build", "ship"]
    assert stopped("resume", "--use-original").code == 3


def test_a_variable_that_tasks_were_done_with_must_be_the_same(taskrun: Taskrun) -> None:
    text = STOPS.replace("tasks:", "env: {HOW: fast}\ntasks:")
    assert taskrun("run", taskrun.file(text)).code == 3
    taskrun.file(text.replace("fast", "slow"))
    done = taskrun("resume", "--use-current")
    assert done.code == 6
    assert "what is done was done with another value of HOW in env" in done.err
    taskrun.file(text.replace("; false", "").replace("fast", "fast, MORE: x"))
    assert taskrun("resume", "--use-current").code == 0


def test_a_file_with_mistakes_is_refused_as_by_run(stopped: Taskrun) -> None:
    stopped.file(MENDED.replace("revert: none", "rever: none"))
    done = stopped("resume", "--use-current")
    assert done.code == 2
    assert "`rever`" in done.err
    stopped.file(MENDED)
    assert stopped("resume", "--use-current").code == 0


def test_both_ways_at_once_are_refused(stopped: Taskrun) -> None:
    assert stopped("resume", "--use-current", "--use-original").code == 2


def test_inputs_keep_their_values_and_new_ones_have_their_defaults(taskrun: Taskrun) -> None:
    text = STOPS.replace("tasks:", "inputs: {who: nobody}\ntasks:").replace(
        "run: echo build >> log", "run: 'echo build ${{ inputs.who }} >> log'"
    )
    assert taskrun("run", taskrun.file(text), "-i", "who=me").code == 3
    mended = text.replace("; false", "").replace("nobody", "you, HOW").replace("HOW", "how: fast")
    taskrun.file(
        mended.replace("run: echo tell >> log", "run: 'echo ${{ inputs.who }} ${{ inputs.how }} >> log'")
    )
    assert taskrun("resume", "--use-current").code == 0
    assert log(taskrun.folder) == ["build me", "ship", "ship", "me fast"]
    assert '"how": "fast"' in taskrun("report", "--format", "json").out


def test_an_input_without_a_value_is_asked_for_before_anything_is_done(stopped: Taskrun) -> None:
    stopped.file(MENDED.replace("tasks:", "inputs: {how: {type: string}}\ntasks:"))
    done = stopped("resume", "--use-current")
    assert done.code == 2
    assert "input `how` is required" in done.err
    assert log(stopped.folder) == ["build", "ship"]


def test_what_was_said_on_the_command_line_instead_of_the_file_still_holds(taskrun: Taskrun) -> None:
    text = STOPS.replace("on_failure: stop\n", "")
    assert taskrun("run", taskrun.file(text), "--on-failure", "stop").code == 3
    taskrun.file(text.replace("echo tell", "echo told"))
    assert taskrun("resume", "--use-current").code == 3
    assert "SUSPENDED" in taskrun("states").out


FLOWS = """name: flows
on_failure: stop
tasks:
  - name: grow
    for_each: [1, 2]
    run: echo grow ${{ item }} >> log
    revert: echo undo grow ${{ item }} >> log
  - name: inner
    retry: {attempts: 2}
    tasks:
      - {name: a, run: echo a >> log, revert: echo undo a >> log}
      - {name: b, run: 'echo b >> log; test -e go', revert: echo undo b >> log}
  - name: later
    if: true
    tasks:
      - {name: c, run: echo c >> log, revert: none}
"""


@pytest.fixture
def stopped_inside(taskrun: Taskrun) -> Taskrun:
    assert taskrun("run", "-j", "1", taskrun.file(FLOWS)).code == 3
    return taskrun


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[1, 2]", "[1, 2, 3]", "line 4: task grow is SUCCESS, and its for_each has changed"),
        (
            "grow ${{ item }} >> log\n    revert",
            "GROW ${{ item }} >> log\n    revert",
            "task grow is SUCCESS",
        ),
        ("attempts: 2", "attempts: 3", "line 8: flow inner was begun, and its retry has changed"),
        ("name: inner", "name: outer", "is FAILURE, and has moved to another flow"),
    ],
)
def test_a_flow_that_was_begun_must_be_the_same(
    stopped_inside: Taskrun, old: str, new: str, said: str
) -> None:
    stopped_inside.file(FLOWS.replace(old, new))
    done = stopped_inside("resume", "--use-current")
    assert done.code == 6, done.err
    assert said in done.err


def test_flows_that_were_not_begun_may_change(stopped_inside: Taskrun) -> None:
    later = FLOWS.index("  - name: later")
    new = "  - {name: c, run: echo c outside >> log, revert: none}\n  - name: d\n    tasks:\n      - {name: e, run: 'echo e >> log', revert: none}\n"
    stopped_inside.file(FLOWS[:later] + new)
    (stopped_inside.folder / "go").touch()
    done = stopped_inside("resume", "--use-current")
    assert done.code == 0, done.err
    assert log(stopped_inside.folder)[-2:] == ["c outside", "e"]
    assert stopped_inside("revert").code == 0


def test_a_failed_task_of_a_flow_that_runs_again_may_be_mended(stopped_inside: Taskrun) -> None:
    stopped_inside.file(FLOWS.replace("echo b >> log; test -e go", "echo mended >> log"))
    done = stopped_inside("resume", "--use-current")
    assert done.code == 0, done.err
    assert log(stopped_inside.folder)[-2:] == ["mended", "c"]


def test_an_included_file_that_changed_is_told_and_taken(taskrun: Taskrun) -> None:
    part = "name: part\ntasks: [{name: x, run: 'echo x >> log; false', revert: none}]\n"
    taskrun.file(part, "part.yaml")
    whole = "name: whole\non_failure: stop\ntasks: [{name: p, workflow: part.yaml}]\n"
    assert taskrun("run", taskrun.file(whole)).code == 3
    taskrun.file(part.replace("; false", ""), "part.yaml")
    done = taskrun("resume")
    assert done.code == 6
    assert "part.yaml, which it includes, has changed" in done.err
    assert taskrun("resume", "--use-current").code == 0
    assert log(taskrun.folder) == ["x", "x"]


def test_an_undo_that_failed_is_not_replaced_but_there_is_a_way(taskrun: Taskrun) -> None:
    text = """name: w
tasks:
  - {name: a, run: echo a >> log, revert: {run: exit 9, retry: {attempts: 1}}}
  - {name: b, fail: on purpose}
"""
    assert taskrun("run", taskrun.file(text)).code == 3
    taskrun.file(text.replace("exit 9", "'true'"))
    done = taskrun("resume", "--use-current")
    assert done.code == 6
    assert "line 3: task a is REVERT_FAILURE, and its revert has changed (undo it by hand" in done.err
    assert taskrun("resolve", "latest", "a", "--undone").code == 0
    assert taskrun("resume", "--use-current").code == 1


def test_a_run_that_was_killed_goes_on_with_tasks_it_had_not_come_to_as_they_are_now(
    taskrun: Taskrun,
) -> None:
    text = """name: w
tasks:
  - {name: a, run: 'echo a >> log; touch began; until [ -e go ]; do sleep 0.02; done', revert: echo undo a >> log}
  - {name: b, run: echo b >> log, revert: echo undo b >> log}
"""
    process = taskrun.start("run", taskrun.file(text))
    until((taskrun.folder / "began").exists)
    process.kill()
    process.communicate()
    (taskrun.folder / "go").touch()
    moved = "  - name: g\n    tasks:\n      - {name: b, run: echo B >> log, revert: echo undo B >> log}\n"
    taskrun.file(text[: text.index("  - {name: b")] + moved)
    done = taskrun("resume", "--use-current")
    assert done.code == 0, done.err
    assert "changed: b; moved: b" in done.err + done.out
    assert taskrun("revert").code == 0
    assert log(taskrun.folder) == ["a", "B", "undo B", "undo a"]


KILLED = """
import os, signal, sys
from taskrun.app import revised
from taskrun.journal.sqlite import SqliteJournal

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

where, when, *argv = sys.argv[1:]
owner, name = {"freeze": (revised, "write_text"), "revise": (SqliteJournal, "revise"),
               "take_over": (SqliteJournal, "take_over"), "append": (SqliteJournal, "append")}[where]
real = getattr(owner, name)

def replaced(*args, **options):
    if when == "before":
        die()
    found = real(*args, **options)
    die()

setattr(owner, name, replaced)
from taskrun.cli.main import main
main(argv)
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("where", ["take_over", "freeze", "revise", "append"])
def test_a_kill_during_the_switch_leaves_one_of_the_two(stopped: Taskrun, where: str, when: str) -> None:
    stopped.file(MENDED)
    argv = [sys.executable, "-c", KILLED, where, when, "resume", "--use-current"]
    killed = subprocess.run(argv, cwd=stopped.folder, env=stopped.env, capture_output=True, timeout=60)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    switched = where == "append" or (where, when) == ("revise", "after")
    done = stopped("resume")
    assert done.code == (0 if switched else 6), done.err
    if not switched:
        assert stopped("resume", "--use-current").code == 0
    assert log(stopped.folder) == ["build", "ship", "ship", "tell"]
    (run,) = os.listdir(stopped.home / "runs")
    assert stopped("revert", run).code == 0
    assert log(stopped.folder)[4:] == ["undo ship", "undo build"]
