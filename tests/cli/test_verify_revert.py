"""What is looked at after a rollback: `verify_revert`, residue, and the exit code that waits for it."""

import json
import signal
import sqlite3

import pytest

from tests.cli.terminal import Terminal, until
from tests.command import Done, Taskrun

LEAVES = """\
name: leaves
tasks:
  - {name: make, run: "touch kept gone", revert: rm gone}
  - {name: stop, fail: on purpose}
verify_revert:
  - test ! -e gone
  - test ! -e kept
"""


def codes_in_journal(taskrun: Taskrun) -> list[tuple[str, int | None]]:
    with sqlite3.connect(f"file:{taskrun.home}/journal.db?mode=ro", uri=True) as db:
        return db.execute("SELECT state, exit_code FROM heads").fetchall()


def found(done: Done) -> list[str]:
    return [event["message"] for event in done.events if event.get("residue") is True]


def test_a_rollback_that_leaves_something_ends_with_3(taskrun: Taskrun) -> None:
    done = taskrun("run", taskrun.file(LEAVES), "-o", "ndjson")
    assert done.code == 3
    assert found(done) == ["test ! -e kept: exit code 1"]
    assert done.transitions[-1] == "flow leaves REVERTED"
    assert (done.summary["exit_code"], done.summary["state"]) == (3, "REVERTED")
    assert done.summary["residue"] == ["test ! -e kept: exit code 1"]
    residue = next(event for event in done.events if event.get("residue") is True)
    assert (residue["kind"], residue["name"], residue["check"]) == ("warning", "leaves", 2)
    assert taskrun("states").code == 3
    assert json.loads(taskrun("runs", "-o", "json").out)[0]["exit_code"] == 3


def test_the_last_words_name_what_is_left_and_what_to_type(taskrun: Taskrun) -> None:
    done = taskrun("run", taskrun.file(LEAVES))
    assert "  residue    test ! -e kept: exit code 1\n" in done.err
    assert "rolled back, but 1 of 2 checks found something left: the world is not as before" in done.err
    run = json.loads(taskrun("runs", "-o", "json").out)[0]["run"]
    assert f"taskrun revert {run}" in done.err
    assert taskrun("states").out.endswith("\nresidue: test ! -e kept: exit code 1\n")


def test_a_world_that_passes_every_check_is_as_before(taskrun: Taskrun) -> None:
    done = taskrun("run", taskrun.file(LEAVES.replace("rm gone", "rm gone kept")))
    assert done.code == 1
    assert "rolled back, and 2 checks found nothing left: the world is as before" in done.err


def test_what_was_cleaned_up_by_hand_is_looked_at_again_by_a_revert(taskrun: Taskrun) -> None:
    taskrun("run", taskrun.file(LEAVES))
    again = taskrun("revert", "-o", "ndjson")
    assert (again.code, len(found(again))) == (3, 1)
    (taskrun.folder / "kept").unlink()
    done = taskrun("revert")
    assert done.code == 0
    assert "2 checks found nothing left: the world is as before" in done.err
    assert taskrun("states").code == 1
    assert "undone already" in taskrun("revert").err


def test_nothing_is_looked_at_after_a_success_or_a_rollback_that_could_not_finish(taskrun: Taskrun) -> None:
    checked = "verify_revert: ['touch looked']\n"
    text = "name: w\ntasks:\n  - {name: a, run: 'true', revert: {run: exit 1, retry: {attempts: 1}}}\n"
    assert taskrun("run", taskrun.file(text + checked)).code == 0
    assert taskrun("run", taskrun.file(text + "  - {name: b, fail: x}\n" + checked)).code == 3
    assert not (taskrun.folder / "looked").exists()


def test_a_revert_of_a_success_is_looked_at_too(taskrun: Taskrun) -> None:
    text = LEAVES.replace("  - {name: stop, fail: on purpose}\n", "")
    assert taskrun("run", taskrun.file(text)).code == 0
    assert taskrun("revert").code == 3
    assert taskrun("states").code == 3


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("{assert: 'inputs.a == 2', if_: x}", None),
        ("{assert: {that: inputs.a == 2, message: a is wrong}}", "assert inputs.a == 2: a is wrong"),
        (
            "{run: 'echo yes', done_if: \"result.stdout == 'no'\"}",
            "echo yes: result.stdout == 'no' does not hold",
        ),
        (
            "{exec: [test, '${{ failure.task }}', '=', make]}",
            "exec test ${{ failure.task }} = make: exit code 1",
        ),
        ("{run: 'sleep 5', timeout: 100ms}", "sleep 5: no end after 0.1 s"),
        ("{run: 'test \"$A\" = b', env: {A: c}}", 'test "$A" = b: exit code 1'),
    ],
)
def test_a_check_may_be_any_action(taskrun: Taskrun, check: str, message: str | None) -> None:
    text = f"name: w\ninputs: {{a: 1}}\ntasks: [{{name: stop, fail: x}}]\nverify_revert:\n  - {check}\n"
    done = taskrun("run", taskrun.file(text), "-o", "ndjson")
    if message is None:
        assert done.code == 2
    else:
        assert (done.code, found(done)) == (3, [message])


def test_checks_may_use_what_the_tasks_gave_and_what_failed(taskrun: Taskrun) -> None:
    text = """\
name: w
tasks:
  - {name: make, run: 'echo "id=7" >> "$TASKRUN_OUTPUT"', outputs: {id: result.exit_code}, revert: none}
  - {name: stop, fail: on purpose}
verify_revert:
  - test ${{ tasks.make.outputs.id }} = 0 && test ${{ failure.task }} = stop && test "$GREETING" = hello
env: {GREETING: hello}
"""
    assert taskrun("run", taskrun.file(text)).code == 1


def test_the_exit_code_waits_for_the_checks_also_in_the_journal(taskrun: Taskrun) -> None:
    text = LEAVES.replace("- test ! -e gone", "- 'touch looking; while [ ! -e go ]; do sleep 0.02; done'")
    process = taskrun.start("run", taskrun.file(text))
    until(lambda: (taskrun.folder / "looking").exists())
    assert codes_in_journal(taskrun) == [("REVERTED", None)]
    assert taskrun("states").code == 8
    assert json.loads(taskrun("runs", "-o", "json").out)[0]["interrupted"] is False
    process.kill()
    process.communicate()
    assert taskrun("states").code == 3
    assert json.loads(taskrun("runs", "-o", "json").out)[0]["interrupted"] is True
    (taskrun.folder / "go").touch()
    done = taskrun("resume")
    assert done.code == 3
    assert codes_in_journal(taskrun) == [("REVERTED", 3)]
    assert "1 of 2 checks found something left" in done.err
    assert taskrun("resume").code == 3


def test_whoever_leaves_during_the_checks_has_not_seen_the_world(taskrun: Taskrun) -> None:
    text = LEAVES.replace("- test ! -e gone", "- 'touch looking; while [ ! -e go ]; do sleep 0.02; done'")
    process = taskrun.start("run", taskrun.file(text))
    until(lambda: (taskrun.folder / "looking").exists())
    process.send_signal(signal.SIGINT)
    assert any("Once more" in line for line in process.stdout)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "INTERRUPTED" in err
    assert "taskrun left before the checks after that were over" in err
    assert "as before" not in err
    assert codes_in_journal(taskrun) == [("REVERTED", None)]
    (taskrun.folder / "go").touch()
    (taskrun.folder / "kept").unlink()
    assert taskrun("revert").code == 0
    assert codes_in_journal(taskrun) == [("REVERTED", 1)]


def test_the_table_shows_which_check_is_under_way(taskrun: Taskrun) -> None:
    text = LEAVES.replace("- test ! -e gone", "- 'touch looking; while [ ! -e go ]; do sleep 0.02; done'")
    with Terminal(taskrun, "run", taskrun.file(text)) as terminal:
        terminal.wait_for("of 2: touch looking; while")
        assert "undone" not in terminal.text
        (taskrun.folder / "go").touch()
        assert terminal.end() == 3
        assert "of 2: touch looking; while [" not in terminal.text.split("residue")[0]
