"""Still pictures: the states of a run, its history, the list of runs."""

import re

import pytest

from taskrun.journal.base import RunRow
from taskrun.journal.codec import timestamp
from taskrun.listeners.runs import runs_dicts, runs_text, standing
from taskrun.listeners.screen import Style
from taskrun.listeners.states import history_lines, states_dict, states_text

PLAIN, RICH = Style(colour=False, unicode=True), Style(colour=True, unicode=True)


@pytest.fixture
def failed(run):
    r = run("create", "copy", "switch", retry={"attempts": 2})
    r.flow("RUNNING")
    r.task("create", "RUNNING")
    r.task("create", "SUCCESS", outputs={"id": 7})
    r.task("copy", "RUNNING", attempt=1)
    r.task("copy", "FAILURE", failure={"type": "ExitCode", "message": "[red]exit code 3\x1b[2J"})
    r.task("copy", "RETRYING", due=r.now + 1)
    r.task("copy", "RUNNING", attempt=2)
    r.task("copy", "FAILURE", attempt=2, failure={"type": "ExitCode", "message": "[red]exit code 3\x1b[2J"})
    r.flow("FAILURE")
    return r


def test_without_a_terminal_the_states_are_plain_columns(failed) -> None:
    assert states_text(failed.view, "0abc", failed.now, PLAIN, columns=None).split("\n") == [
        "FAILURE  release  run 0abc  8.00 s",
        "",
        "STATE    TASK    TRY  TIME",
        "SUCCESS  create       1.00 s",
        "FAILURE  copy    2/2  1.00 s  ExitCode: [red]exit code 3␛[2J",
        "PENDING  switch",
        "",
    ]


def test_on_a_terminal_nothing_is_lost_and_nothing_is_markup(failed) -> None:
    for columns in (40, 50, 80, 200):
        text = states_text(failed.view, "0abc", failed.now, RICH, columns=columns)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        assert "\x1b" not in plain
        assert all(len(line) < columns for line in plain.split("\n"))
        assert re.search(r"✗ FAILURE +copy +2/2", plain)
        assert columns < 72 or "[red]exit code 3␛[2J" in " ".join(plain.split())


def test_a_large_run_is_not_left_to_rich(run) -> None:
    r = run(*[f"task_{i}" for i in range(600)])
    text = states_text(r.view, "0abc", r.now, RICH, columns=80)
    assert text.count("○ PENDING") == 601
    assert "not" not in text


def test_the_states_for_programs_are_whole(failed) -> None:
    value = states_dict(failed.view, "0abc", 3, timestamp)
    assert value["state"] == "FAILURE"
    assert value["exit_code"] == 3
    assert value["started"] == "2026-01-31T09:30:00.000000Z"
    assert value["applied"] == ["create", "copy"]
    assert value["tasks"][0] == {
        "kind": "task",
        "name": "create",
        "flow": "release",
        "state": "SUCCESS",
        "attempt": 1,
        "started": "2026-01-31T09:30:01.000000Z",
        "ended": "2026-01-31T09:30:02.000000Z",
        "outputs": {"id": 7},
        "failure": None,
        "revert_failure": None,
        "given_up": None,
    }
    assert value["tasks"][1]["failure"]["message"] == "[red]exit code 3\x1b[2J"


def test_the_history_is_every_transition_with_its_date(failed, run) -> None:
    lines = list(history_lines(run("create", "copy", "switch", retry={"attempts": 2}).view, failed.history))
    assert len(lines) == len(failed.history)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} flow release PENDING -> RUNNING", lines[0])
    assert lines[6].endswith(" copy RETRYING -> RUNNING  (attempt 2/2)")
    assert lines[7].endswith(" copy RUNNING -> FAILURE  ExitCode: [red]exit code 3␛[2J")


def row(id_: str, state: str, *, parent: str | None = None, created: float = 1000.0, **more) -> RunRow:
    values = {"ended": None, "exit_code": None, "name": "release"} | more
    return RunRow(
        id_,
        values["name"],
        "/w.yaml",
        "",
        created,
        values["ended"],
        state,
        values["exit_code"],
        {},
        1,
        1,
        "",
        "",
        1,
        "",
        parent,
        {},
    )


def test_a_run_that_nobody_holds_any_more_is_interrupted() -> None:
    nobody, somebody = (lambda run: False), (lambda run: True)
    for state in ("RUNNING", "REVERTING", "SUSPENDING", "RESUMING", "PENDING", "FAILURE"):
        assert standing(row("a", state), nobody) == "INTERRUPTED"
        assert standing(row("a", state), somebody) == state
    for state in ("SUCCESS", "SUSPENDED"):
        assert standing(row("a", state), nobody) == state
    assert standing(row("a", "FAILURE", exit_code=3, ended=2.0), nobody) == "FAILURE"


def test_resumes_and_reverts_are_listed_below_their_run() -> None:
    runs = [
        row("ccc", "SUCCESS", created=3000, ended=3001.5, exit_code=0),
        row("b-revert", "REVERTED", created=2500, ended=2501, exit_code=0, parent="bbb"),
        row("b-resume", "FAILURE", created=2200, ended=2201, exit_code=3, parent="bbb"),
        row("bbb", "RUNNING", created=2000),
        row("lost-child", "SUCCESS", created=1000, ended=1001, exit_code=0, parent="not-listed"),
    ]
    text = runs_text(runs, lambda run: False, 4000.0, PLAIN, columns=None)
    lines = [line.split() for line in text.split("\n")[1:-1]]
    assert [line[0] for line in lines] == ["ccc", "bbb", "b-resume", "b-revert", "lost-child"]
    assert lines[1][1] == "INTERRUPTED"
    assert text.split("\n")[3].startswith("  b-resume")
    assert lines[0][-3:] == ["1.50", "s", "0"]


def test_the_list_fits_the_terminal_and_keeps_what_is_to_be_typed() -> None:
    runs = [row("01kq3x7m2v9ab", "RUNNING", name="n\x1b[2J" + "日本" * 40)]
    for columns in (40, 50, 72, 80, 200):
        for style in (RICH, Style(colour=False, unicode=False)):
            text = runs_text(runs, lambda run: False, 4000.0, style, columns=columns)
            plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
            assert "01kq3x7m2v9ab" in plain
            assert "INTERRUPTED" in plain
            assert "\x1b" not in plain
            assert plain.count("\n") == 2
            assert style.unicode or plain.isascii()


def test_the_runs_for_programs() -> None:
    assert runs_dicts([row("a", "RUNNING")], lambda run: False, timestamp) == [
        {
            "run": "a",
            "name": "release",
            "file": "/w.yaml",
            "state": "RUNNING",
            "interrupted": True,
            "exit_code": None,
            "started": "1970-01-01T00:16:40.000000Z",
            "ended": None,
            "parent": None,
            "continued": [],
        }
    ]
