"""What a task has put out before it failed is kept: its undo needs it, and whoever asks about a failure that is allowed."""

import pytest

from tests.cli.terminal import until
from tests.command import Taskrun


@pytest.mark.parametrize(
    ("task", "seen"),
    [
        ("run: 'echo id=4 >> \"$TASKRUN_OUTPUT\"; exit 3'", "4"),
        ("run: 'echo id=4 >> \"$TASKRUN_OUTPUT\"; sleep 60', timeout: 300ms", "4"),
        ("run: 'echo id=4 >> \"$TASKRUN_OUTPUT\"', outputs: {no: result.json.no}", "4"),
        ("run: 'echo id=4 >> \"$TASKRUN_OUTPUT\"', verify: 'echo id=5 >> \"$TASKRUN_OUTPUT\"; false'", "4"),
        ("run: 'echo 4', outputs: {id: result.stdout}, verify: 'echo 5; false'", "4"),
        ("run: 'echo 4; exit 1', outputs: {id: result.stdout, no: result.json.no}", "4"),
    ],
    ids=["exit code", "time is up", "an output cannot be had", "verify writes", "verify prints", "declared"],
)
def test_the_undo_of_a_failed_task_knows_its_outputs(task: str, seen: str, taskrun: Taskrun) -> None:
    undo = "revert: 'echo ${{ self.outputs.id }} >> log'"
    done = taskrun("run", taskrun.file(f"name: w\ntasks:\n  - {{name: a, {task}, {undo}}}\n"))
    assert done.code == 1, done.err
    assert (taskrun.folder / "log").read_text().split() == [seen]


def test_a_failure_that_is_allowed_has_outputs_for_those_who_come_after(taskrun: Taskrun) -> None:
    text = """name: w
tasks:
  - {name: a, run: 'echo k=5 >> "$TASKRUN_OUTPUT"; exit 3', allow_failure: true, outputs: {code: result.exit_code}, revert: none}
  - name: b
    if: tasks.a.state == 'FAILURE' and tasks.a.outputs.code == 3
    run: echo ${{ tasks.a.outputs.k }} >> log
    revert: none
"""
    assert taskrun("run", taskrun.file(text)).code == 0
    assert (taskrun.folder / "log").read_text() == "5\n"


def test_a_file_of_outputs_that_makes_no_sense_is_no_second_failure(taskrun: Taskrun) -> None:
    text = "name: w\ntasks:\n  - {name: a, run: 'echo nonsense >> \"$TASKRUN_OUTPUT\"; exit 3', revert: echo undone >> log}\n"
    done = taskrun("run", taskrun.file(text))
    assert done.code == 1
    assert "exit code 3" in done.err
    assert (taskrun.folder / "log").read_text() == "undone\n"


def test_an_undo_knows_in_which_state_it_found_its_task(taskrun: Taskrun) -> None:
    text = """name: w
tasks:
  - {name: a, run: 'true', revert: {run: 'echo a ${{ self.state }} >> log; test -e good', retry: {attempts: 1}}}
  - {name: b, run: exit 4, revert: 'echo b ${{ self.state }} >> log'}
"""
    assert taskrun("run", taskrun.file(text)).code == 3
    (taskrun.folder / "good").touch()
    assert taskrun("revert").code == 0
    assert (taskrun.folder / "log").read_text().splitlines() == ["b FAILURE", "a SUCCESS", "a SUCCESS"]


def test_what_was_written_under_a_taskrun_that_was_killed_is_known_to_the_undo(taskrun: Taskrun) -> None:
    text = """name: w
tasks:
  - name: a
    run: 'echo id=4 >> "$TASKRUN_OUTPUT"; touch began; until [ -e go ]; do sleep 0.02; done; echo ${{ env.WORD }}'
    revert: echo ${{ self.outputs.id }} >> log
"""
    process = taskrun.start("run", taskrun.file(text), env={"WORD": "said"})
    until((taskrun.folder / "began").exists)
    process.kill()
    process.communicate()
    (taskrun.folder / "go").touch()
    assert taskrun("resume").code == 1  # without the variable it cannot be judged
    assert (taskrun.folder / "log").read_text() == "4\n"
