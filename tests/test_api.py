"""taskrun from Python."""

import pathlib
import subprocess
import sys

import pytest

import taskrun
from taskrun.errors import UsageError, WorkflowError

WORKFLOW = """
name: w
inputs: {word: {type: string}, code: {type: integer, default: 0}}
tasks:
  - {name: say, run: "echo ${{ inputs.word }}", outputs: {said: result.stdout}, revert: echo unsay}
  - {name: leave, run: "exit ${{ inputs.code }}", revert: none}
"""


@pytest.fixture
def path(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("TASKRUN_HOME", str(tmp_path / "home"))
    (tmp_path / "w.yaml").write_text(WORKFLOW)
    return tmp_path / "w.yaml"


def test_a_workflow_is_loaded_and_run(path: pathlib.Path) -> None:
    result = taskrun.run(taskrun.load(path), {"word": "hello"})
    assert (result.state, result.exit_code, result.outputs) == ("SUCCESS", 0, {"say": {"said": "hello"}})


def test_who_registered_is_told_of_the_states_they_asked_for(path: pathlib.Path) -> None:
    notifier, seen, undone = taskrun.Notifier(), [], []
    notifier.register("*", lambda event: seen.append(f"{event['name']} {event['state']}"))
    notifier.register("REVERTED", lambda event: undone.append(event["name"]), kinds=("task",))
    result = taskrun.run(taskrun.load(path), {"word": "x", "code": 3}, listeners=[notifier], jobs=1)
    assert (result.state, result.reverted, result.failure["exit_code"]) == ("REVERTED", ["leave", "say"], 3)
    assert undone == ["leave", "say"]
    assert seen[:3] == ["w RUNNING", "say RUNNING", "say SUCCESS"]
    assert seen[-1] == "w REVERTED"


def test_what_a_registered_function_raises_is_kept_and_changes_nothing(path: pathlib.Path) -> None:
    notifier = taskrun.Notifier()
    notifier.register("SUCCESS", lambda event: 1 / 0, kinds=("flow",))
    assert taskrun.run(taskrun.load(path), {"word": "x"}, listeners=[notifier]).exit_code == 0
    ((event, raised),) = notifier.failed
    assert (event["name"], type(raised)) == ("w", ZeroDivisionError)


def test_who_deregistered_is_told_nothing(path: pathlib.Path) -> None:
    notifier, seen = taskrun.Notifier(), []
    notifier.register("*", seen.append)
    notifier.deregister("*", seen.append)
    taskrun.run(taskrun.load(path), {"word": "x"}, listeners=[notifier])
    assert seen == []


def test_mistakes_are_exceptions(path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match="word"):
        taskrun.run(taskrun.load(path))
    path.write_text("name: w\ntasks: 3\n")
    with pytest.raises(WorkflowError) as caught:
        taskrun.load(path)
    assert caught.value.diagnostics


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, taskrun; print([m for m in sys.modules if m.startswith('taskrun.')])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
        == "['taskrun.version']\n"
    )
