"""A person's word: the run suspends, and goes on or back as somebody says."""

from tests.command import Taskrun

WORKFLOW = """
name: cut_over
tasks:
  - {name: before, run: "echo before >> log", revert: "echo undo before >> log"}
  - {name: word, approve: "Switch to ${{ run.name }}?"}
  - {name: after, run: "echo after >> log", revert: "echo undo after >> log"}
"""


def log(taskrun: Taskrun) -> list[str]:
    return (taskrun.folder / "log").read_text().splitlines()


def test_without_a_terminal_the_run_suspends_and_says_how_to_go_on(taskrun: Taskrun) -> None:
    taskrun.file(WORKFLOW)
    done = taskrun("run", "w.yaml")
    assert done.code == 3
    assert "Approval: Switch to cut_over?" in done.out
    assert "word --done" in done.err


def test_approved_it_goes_on(taskrun: Taskrun) -> None:
    taskrun.file(WORKFLOW)
    taskrun("run", "w.yaml")
    assert taskrun("resume").code == 3, "nobody has said anything yet"
    assert taskrun("resolve", "latest", "word", "--done").code == 0
    assert taskrun("resume").code == 0
    assert log(taskrun) == ["before", "after"]


def test_refused_it_goes_back(taskrun: Taskrun) -> None:
    taskrun.file(WORKFLOW)
    taskrun("run", "w.yaml")
    done = taskrun("revert", "-o", "ndjson")
    assert (done.code, done.summary["state"]) == (0, "REVERTED"), done.out + done.err
    assert log(taskrun) == ["before", "undo before"]
