"""The last words of a run: exact, honest, and safe to paste from."""

import os
import pathlib
import re

import pytest

from taskrun.listeners.ending import ending
from taskrun.listeners.outlet import show
from taskrun.listeners.screen import Style

PLAIN = Style(colour=False, unicode=True)
FAILURE = {"type": "ExitCode", "message": "exit code 3"}


def words(
    run, style: Style = PLAIN, columns: int = 100, outputs: dict[str, pathlib.Path] | None = None
) -> str:
    """Output files are given as `NAME` for the doing and `NAME/revert` for the undoing."""

    def output_of(row, undoing):
        path = (outputs or {}).get(f"{row.name}/revert" if undoing else row.name)
        return str(path) if path else None

    return ending(run.view, "0abc", style, output_of, columns=columns)


def commands(text: str) -> dict[str, list[str]]:
    """What there is to type, by its label."""
    found: dict[str, list[str]] = {}
    label = ""
    for line in text.split("\n"):
        label = line[:13].strip() or label
        if line[13:].startswith("taskrun "):
            found.setdefault(label, []).append(line[13:].split("#")[0].strip())
    return found


def failing(run, *names: str, **of_each):
    """All but the last are done, the last fails, the rollback begins."""
    r = run(*names, **of_each)
    r.flow("RUNNING")
    for name in names[:-1]:
        r.task(name, "RUNNING", "SUCCESS")
    r.task(names[-1], "RUNNING")
    r.task(names[-1], "FAILURE", failure=FAILURE)
    r.flow("FAILURE", "REVERTING")
    return r


def test_a_success_is_one_line(run) -> None:
    r = run("a", "b", "c")
    r.flow("RUNNING")
    r.task("a", "RUNNING", "SUCCESS")
    r.task("b", "IGNORE")
    r.task("c", "RUNNING", "SUCCESS")
    r.flow("SUCCESS")
    assert words(r) == "SUCCESS release in 6.00 s, 3 tasks (1 ignored), run 0abc\n"


def test_an_allowed_failure_stays_visible_after_a_success(run) -> None:
    r = run("a", allow_failure=True)
    r.flow("RUNNING")
    r.task("a", "RUNNING")
    r.task("a", "FAILURE", failure=FAILURE)
    r.flow("SUCCESS")
    assert words(r) == (
        "  allowed    a  ExitCode: exit code 3\n\nSUCCESS release in 3.00 s, 1 task (1 allowed to fail), run 0abc\n"
    )


def test_a_full_rollback_says_that_the_world_is_as_before(run, tmp_path) -> None:
    r = failing(run, "a", "b")
    for name in ("b", "a"):
        r.task(name, "REVERTING", "REVERTED")
    r.flow("REVERTED")
    output = tmp_path / "b.out"
    output.write_text("".join(f"line {i}\n" for i in range(40)))
    assert words(r, outputs={"b": output}).split("\n") == [
        "  failed     b  ExitCode: exit code 3",
        *[f"             │ line {i}" for i in range(25, 40)],
        "  undone     b, a",
        "",
        "REVERTED release in 11.0 s, 2 tasks, run 0abc",
        "  rolled back: the world is as before",
        "",
        "  next       taskrun logs 0abc b  # all of its output",
        "",
    ]


@pytest.mark.parametrize(
    ("form", "as_before"),
    [("action", True), ("auto", True), ("restore", True), ("none", True), ("unstated", False)],
)
def test_the_world_is_only_as_before_if_every_undo_was_declared(run, form: str, as_before: bool) -> None:
    r = failing(run, "a", "b", revert={"form": form})
    for name in ("b", "a"):
        r.task(name, "REVERTING", "REVERTED")
    r.flow("REVERTED")
    text = words(r)
    assert ("the world is as before" in text) is as_before
    if not as_before:
        assert "rolled back, but for what 2 tasks may have left: no undo is declared" in text
        assert "  no undo    b, a" in text
        assert "  undone" not in text


def test_what_could_not_be_undone_is_named_with_why_its_output_and_what_to_type(run, tmp_path) -> None:
    r = failing(run, "a", "b", "c")
    r.task("c", "REVERTING", "REVERTED")
    r.task("b", "REVERTING")
    r.task("b", "REVERT_FAILURE", failure={"type": "Timeout", "message": "took longer than 10 s"})
    r.flow("FAILURE")
    output = tmp_path / "out"
    output.write_text("deleting...\n")
    text = words(r, outputs={"b/revert": output})
    assert "  undone     c\n" in text
    assert "  not undone b  Timeout: took longer than 10 s\n             │ deleting...\n" in text
    assert "  still applied\n             a\n" in text
    assert "FAILURE release" in text
    assert "  not fully rolled back: 1 task still applied, 1 task could not be undone\n" in text
    assert "as before" not in text
    assert commands(text) == {
        "needs you": [
            "taskrun revert 0abc",
            "taskrun revert 0abc --skip b --reason WHY",
            "taskrun resolve 0abc b --undone",
        ],
        "next": ["taskrun logs 0abc c", "taskrun logs 0abc b"],
    }


def test_what_cannot_be_undone_is_named_with_its_reason(run) -> None:
    r = failing(run, "mail", "b", revert={"form": "impossible", "reason": "mail is out"})
    for name in ("b", "mail"):
        r.task(name, "REVERTING")
        r.task(name, "REVERT_FAILURE", failure={"type": "Irreversible", "message": "cannot be undone"})
    r.flow("FAILURE")
    text = words(r)
    assert "  irreversible mail  mail is out" in " ".join(
        text.replace("irreversible\n            ", "irreversible").split("\n")
    )
    assert commands(text)["needs you"] == [
        "taskrun resolve 0abc b --undone",
        "taskrun resolve 0abc mail --undone",
    ]
    assert "taskrun revert" not in text


def test_an_unknown_outcome_needs_a_person_and_one_command_for_each_verdict(run) -> None:
    r = run("a", "b")
    r.flow("RUNNING")
    r.task("a", "RUNNING", "UNKNOWN")
    r.flow("SUSPENDED")
    text = words(r)
    assert "  unknown    a  nobody knows how its attempt ended\n" in text
    assert "  nothing runs now; 1 task with an unknown outcome\n" in text
    assert "taskrun resolve 0abc a --done" in text
    assert "taskrun resume 0abc" in text


def test_no_command_does_harm_when_pasted(run) -> None:
    r = run("a", "b")
    r.task("a", "RUNNING", "UNKNOWN")
    r.flow("FAILURE", "SUSPENDED")
    typed = [command for every in commands(words(r)).values() for command in every]
    assert len(typed) > 1
    assert all(not re.search(r"[|;&<>$`(]", command) for command in typed)


def test_a_run_that_was_left_says_so_and_how_to_go_on(run) -> None:
    r = run("a", "b")
    r.flow("RUNNING")
    r.task("a", "RUNNING", "SUCCESS")
    text = words(r)
    assert "INTERRUPTED release in 2.00 s, 2 tasks, run 0abc\n" in text
    assert "  taskrun left while the run was RUNNING; what it had recorded is safe in the journal\n" in text
    assert "taskrun resume 0abc" in text
    assert "taskrun revert 0abc" in text
    assert "as before" not in text


def test_a_stopped_run_is_not_called_rolled_back(run) -> None:
    r = run("a", "b")
    r.flow("RUNNING")
    r.task("a", "RUNNING", "SUCCESS")
    r.task("b", "RUNNING")
    r.task("b", "FAILURE", failure=FAILURE)
    r.flow("FAILURE", "SUSPENDED")
    text = words(r)
    assert "SUSPENDED release" in text
    assert "  nothing runs now; 2 tasks still applied\n" in text
    assert "rolled back" not in text


def test_a_run_that_failed_before_it_did_anything(run) -> None:
    r = run("a")
    r.flow("RUNNING")
    r.flow("FAILURE", failure={"type": "Cancelled", "message": "Ctrl-C"})
    r.flow("REVERTING", "REVERTED")
    text = words(r)
    assert "  reason     Cancelled: Ctrl-C\n" in text
    assert "nothing was applied: the world is as before" in text


def test_a_controller_that_found_nothing_to_try_is_named(run) -> None:
    definition = {
        "name": "release",
        "flows": [
            {"name": "release", "parent": -1, "children": [["task", 0]], "retry": {"for_each": "inputs.x"}}
        ],
        "tasks": [{"name": "a", "flow": 0, "kind": "run", "revert": {"form": "none"}}],
    }
    r = run(definition=definition)
    r.flow("RUNNING")
    r.add(
        "retry",
        "release",
        "RUNNING",
        "FAILURE",
        failure={"type": "ExpressionError", "message": "an empty list"},
    )
    r.flow("FAILURE", "REVERTING", "REVERTED")
    assert "  failed     release  ExpressionError: an empty list\n" in words(r)


def test_hostile_output_and_messages_are_harmless(run, tmp_path) -> None:
    r = run("a")
    r.flow("RUNNING")
    r.task("a", "RUNNING")
    r.task("a", "FAILURE", failure={"type": "E", "message": "\x1b[2J\u202e [red]"})
    r.note("warning", "a", message="\x07")
    output = tmp_path / "out"
    output.write_bytes(b"\x1b]52;c;x\x07\n\x1b[31mred\x1b[0m\n\x1b[8mhidden\n" + b"x" * 5000 + b"\n")
    for style in (PLAIN, Style(colour=True, unicode=True), Style(colour=False, unicode=False)):
        text = words(r, style, outputs={"a": output})
        rest = re.sub(r"\x1b\[[0-9;]*m", "", text) if style.colour else text
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", rest)
        assert "[red]" in rest
        assert "\x1b[8m" not in text
        assert all(len(line) < 100 for line in rest.split("\n"))
        assert style.unicode or text.isascii()
    assert "\x1b[31mred\x1b[0m" in words(r, Style(colour=True, unicode=True), outputs={"a": output})


def test_a_great_many_tasks_are_named_briefly(run) -> None:
    names = [f"task_{i}" for i in range(500)]
    r = run(*names)
    r.flow("RUNNING")
    for name in names:
        r.task(name, "RUNNING")
    for name in names:
        r.task(name, "FAILURE", failure=FAILURE)
    r.flow("FAILURE", "REVERTING")
    for name in names:
        r.task(name, "REVERTING", "REVERTED")
    r.flow("REVERTED")
    text = words(r)
    assert "and 480 more" in text
    assert "and 477 more" in text
    assert text.count("\n") < 30


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_it_is_wrapped_to_the_width_except_for_commands(run, columns: int) -> None:
    r = failing(run, *[f"a_task_with_a_long_name_{i}" for i in range(12)])
    text = words(r, columns=columns)
    assert all(
        len(line) < columns for line in text.split("\n") if "taskrun " not in line and "a_task" not in line
    )
    assert re.search(r"taskrun logs 0abc a_task_with_a_long_name_11\b", text)


def test_a_stream_that_is_gone_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    show("text\n", writing)
    os.close(writing)
    show("text\n", writing)
    with open("/dev/full", "wb") as full:
        show("text\n", full.fileno())


def checked(run, *messages: str, over: bool = True):
    """Rolled back, and looked at by two checks; each message is what one found."""
    r = failing(run, "a", "b")
    for name in ("b", "a"):
        r.task(name, "REVERTING", "REVERTED")
    r.flow("REVERTED")
    r.note("log", "release", verify_revert="begun", checks=2, message="looking")
    for message in messages:
        r.note("warning", "release", residue=True, message=message)
    if over:
        r.note("log", "release", verify_revert="ended", checks=2, message="looked")
    return r


def test_what_the_checks_found_is_named_and_the_world_is_not_as_before(run) -> None:
    text = words(checked(run, "test ! -e x: exit code 1"))
    assert "  residue    test ! -e x: exit code 1\n" in text
    assert "rolled back, but 1 of 2 checks found something left: the world is not as before" in text
    assert commands(text)["needs you"] == ["taskrun revert 0abc"]
    assert "warning" not in text


def test_checks_that_found_nothing_are_counted(run) -> None:
    text = words(checked(run))
    assert "  rolled back, and 2 checks found nothing left: the world is as before\n" in text
    assert "needs you" not in text


def test_checks_that_are_not_over_prove_nothing(run) -> None:
    text = words(checked(run, over=False))
    assert text.split("\n\n")[1].startswith("INTERRUPTED release")
    assert "rolled back, but taskrun left before the checks after that were over" in text
    assert commands(text)["next"][0] == "taskrun resume 0abc"
    assert "as before" not in text


def test_only_the_last_look_counts(run) -> None:
    r = checked(run, "x is left")
    r.note("log", "release", verify_revert="begun", checks=2)
    r.note("log", "release", verify_revert="ended", checks=2)
    assert "residue" not in words(r)
    r = checked(run, "x is left")
    r.note("log", "release", verify_revert="begun", checks=2)
    r.note("warning", "release", residue=True, message="y is left")
    r.note("log", "release", verify_revert="ended", checks=2)
    assert "y is left" in words(r)
    assert "x is left" not in words(r)


def test_a_task_that_was_given_up_is_named_with_the_reason_and_not_tried_again(run) -> None:
    r = failing(run, "a", "b", "c")
    r.task("b", "REVERTING")
    r.task("b", "REVERT_FAILURE", failure={"type": "Timeout", "message": "too long"})
    r.commit(
        r.entry("warning", "b", None, skip=True, reason="the disk is gone")._replace(state="REVERT_FAILURE")
    )
    r.flow("FAILURE")
    text = words(r)
    assert "  not undone b  Timeout: too long\n  given up   b  the disk is gone\n" in text
    assert commands(text)["needs you"] == ["taskrun resolve 0abc b --undone"]
    r.task("b", "REVERTED")
    assert "given up" not in words(r)


def test_the_name_of_an_item_is_quoted_in_commands(run) -> None:
    r = failing(run, "a", "push[2]")
    r.task("push[2]", "REVERTING", "REVERTED")
    r.task("a", "REVERTING", "REVERTED")
    r.flow("REVERTED")
    assert "taskrun logs 0abc 'push[2]'" in words(r)
