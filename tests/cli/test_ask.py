"""`on_failure: ask`: once nothing runs any more a person at the terminal says what is to become of the run."""

import pytest

from tests.cli.terminal import Terminal, until
from tests.command import Taskrun

FILE = """name: ask
on_failure: ask
tasks:
  - {name: one, run: echo one >> log, revert: echo undo one >> log}
  - {name: two, run: 'echo two >> log; test -e ok', revert: echo undo two >> log}
"""


def log(taskrun: Taskrun) -> list[str]:
    return (taskrun.folder / "log").read_text().splitlines()


@pytest.mark.parametrize("answer", ["revert", "rev", "REVERT "])
def test_revert_undoes_the_run(answer: str, taskrun: Taskrun) -> None:
    with Terminal(taskrun, "run", taskrun.file(FILE)) as terminal:
        terminal.wait_for("What now?", "revert  undo what it did", "retry", "stop", "\n>")
        terminal.type(f"{answer}\n")
        assert terminal.end() == 1
        assert "the world is as before" in terminal.text
    assert log(taskrun) == ["one", "two", "undo two", "undo one"]


def test_retry_tries_what_failed_again_and_may_ask_again(taskrun: Taskrun) -> None:
    with Terminal(taskrun, "run", taskrun.file(FILE)) as terminal:
        terminal.wait_for("What now?", "\n>")
        terminal.type("nonsense\n")
        terminal.wait_for("revert, retry, stop?")
        terminal.type("re\n")
        terminal.type("retry\n")
        until(lambda: terminal.read(0.05) and terminal.text.count("What now?") == 2)
        terminal.wait_for("for now\n>")
        (taskrun.folder / "ok").touch()
        terminal.type("retry\n")
        assert terminal.end() == 0
        assert "SUCCESS ask" in terminal.text
    assert log(taskrun) == ["one", "two", "two", "two"]


@pytest.mark.parametrize("answer", ["stop\n", "s\n", "\x04", "\x03"], ids=["stop", "s", "Ctrl-D", "Ctrl-C"])
def test_stop_or_no_answer_leaves_it_for_later(answer: str, taskrun: Taskrun) -> None:
    with Terminal(taskrun, "run", taskrun.file(FILE)) as terminal:
        terminal.wait_for("What now?", "\n>")
        terminal.type(answer)
        assert terminal.end() == 3
        assert "Traceback" not in terminal.text
        assert "taskrun resume" in terminal.text
    assert log(taskrun) == ["one", "two"]
    with Terminal(taskrun, "resume") as terminal:
        terminal.wait_for("What now?", "\n>")
        terminal.type("revert\n")
        assert terminal.end() == 1
    assert log(taskrun) == ["one", "two", "two", "undo two", "undo one"]


@pytest.mark.parametrize("output", ["plain", "ndjson"])
def test_without_a_terminal_it_stops_with_the_commands(output: str, taskrun: Taskrun) -> None:
    done = taskrun("run", taskrun.file(FILE), "-o", output)
    assert done.code == 3
    assert "What now?" not in done.out + done.err
    if output == "plain":
        assert "taskrun resume" in done.err
        assert "taskrun revert" in done.err
    assert log(taskrun) == ["one", "two"]
    assert taskrun("revert").code == 0
    assert log(taskrun) == ["one", "two", "undo two", "undo one"]


def test_ctrl_c_while_it_runs_needs_no_answer(taskrun: Taskrun) -> None:
    taskrun.file(FILE.replace("test -e ok", "touch began; sleep 60"))
    with Terminal(taskrun, "run", "w.yaml") as terminal:
        terminal.wait_for("RUNNING    two")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert "What now?" not in terminal.text
    assert log(taskrun) == ["one", "two", "undo two", "undo one"]
