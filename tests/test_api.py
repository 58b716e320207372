"""taskrun from Python."""

import os
import pathlib
import re
import subprocess
import sys
import threading

import pytest

import taskrun
from taskrun.errors import UsageError, WorkflowError
from tests.command import ROOT

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


def test_a_state_that_does_not_exist_is_refused_when_it_is_registered() -> None:
    notifier = taskrun.Notifier()
    with pytest.raises(UsageError, match="no state 'SUCCES': did you mean 'SUCCESS'"):
        notifier.register("SUCCES", print)
    with pytest.raises(UsageError, match="no kind 'tasks': did you mean 'task'"):
        notifier.register("SUCCESS", print, kinds=("tasks",))
    for state in ("*", "UNKNOWN", "REVERT_FAILURE", "SUSPENDED", "RETRYING", "IGNORE"):
        notifier.register(state, print)


def test_a_run_in_another_thread_is_refused_before_anything_happens(path: pathlib.Path) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            taskrun.run(taskrun.load(path), {"word": "x"})
        except UsageError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in str(raised[0])
    assert not (path.parent / "home").exists()


def test_the_program_in_the_document_does_what_the_document_says(tmp_path: pathlib.Path) -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    (tmp_path / "deploy.yaml").write_text(re.search(r"```yaml\n(.*?)```", text, re.S)[1])
    (tmp_path / "deploy.py").write_text(re.search(r"```python\n(.*?)```", text, re.S)[1])
    said = re.search(r"```text\n(.*?)```", text, re.S)[1]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TASKRUN_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "deploy.py"], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert done.stdout == said
    assert [path.name for path in (tmp_path / "releases").iterdir()] == ["1.4.2"]
