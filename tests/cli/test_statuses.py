"""What a task tells of itself in $TASKRUN_STATUS: a bar, and states of its own."""

import pytest

from taskrun.drivers.statuses import _part
from tests.cli.terminal import Terminal
from tests.command import Taskrun

DRAIN = """name: drain
notify:
  - {task: [draining], echo: "told ${{ event.name }} ${{ event.state }}"}
  - {task: "*", run: "echo ${{ event.state }} >> states"}
tasks:
  - name: node
    run: |
      echo state=draining >> "$TASKRUN_STATUS"
      echo progress=0.25 >> "$TASKRUN_STATUS"
      until [ -e go ]; do sleep 0.05; done
      echo progress=80% >> "$TASKRUN_STATUS"
      printf state=drained >> "$TASKRUN_STATUS"
    revert: echo state=filling >> "$TASKRUN_STATUS"
"""


def told(done) -> list[tuple]:
    return [
        (event["kind"], event["name"], event.get("state", event.get("progress")))
        for event in done.events
        if event["kind"] in ("custom", "progress")
    ]


def test_states_and_progress_are_events_in_the_order_they_were_written(taskrun: Taskrun) -> None:
    (taskrun.folder / "go").touch()
    done = taskrun("run", taskrun.file(DRAIN), "-o", "ndjson")
    assert done.code == 0
    found = told(done)
    assert [each for each in found if each[0] == "custom"] == [
        ("custom", "node", "draining"),
        ("custom", "node", "drained"),
    ]
    assert found[-1] == ("progress", "node", 0.8) or ("progress", "node", 0.8) in found
    ended = next(i for i, e in enumerate(done.events) if e["kind"] == "task" and e["state"] == "SUCCESS")
    assert all(done.events.index(e) < ended for e in done.events if e["kind"] == "custom")
    undone = taskrun("revert", "latest", "-o", "ndjson")
    assert told(undone) == [("custom", "node", "filling")]


def test_a_state_of_a_task_is_notified_beside_those_of_taskrun(taskrun: Taskrun) -> None:
    (taskrun.folder / "go").touch()
    done = taskrun("run", taskrun.file(DRAIN), "-o", "ndjson")
    assert "told node draining" in [event.get("message") for event in done.events if event["kind"] == "log"]
    states = (taskrun.folder / "states").read_text().split()
    assert states == ["RUNNING", "draining", "drained", "SUCCESS"]


def test_the_table_draws_the_bar_and_the_state_of_a_task_that_runs(taskrun: Taskrun) -> None:
    with Terminal(taskrun, "run", taskrun.file(DRAIN)) as terminal:
        terminal.wait_for("25%", "draining")
        (taskrun.folder / "go").touch()
        assert terminal.end() == 0
        assert "25%" not in terminal.text
    watched = taskrun("states", "--history", "-o", "plain")
    assert "node is draining" in watched.out


def test_what_cannot_be_understood_is_a_warning_once_and_never_a_built_in_state(taskrun: Taskrun) -> None:
    text = """name: odd
tasks:
  - name: node
    run: printf 'state=SUCCESS\\nprogress=7\\nhello\\nstate=fine\\n' > "$TASKRUN_STATUS"
    revert: none
"""
    done = taskrun("run", taskrun.file(text), "-o", "ndjson")
    assert told(done) == [("custom", "node", "fine")]
    (warning,) = [event for event in done.events if event["kind"] == "warning"]
    assert "'state=SUCCESS' is neither progress=0.4 nor state=NAME" in warning["message"]


def test_a_link_or_a_pipe_in_its_place_is_not_read(taskrun: Taskrun) -> None:
    (taskrun.folder / "elsewhere").write_text("state=forged\n")
    text = """name: odd
tasks:
  - {name: link, run: 'ln -s "$PWD/elsewhere" "$TASKRUN_STATUS"; sleep 0.5', revert: none}
  - {name: pipe, run: 'mkfifo "$TASKRUN_STATUS"; sleep 0.5', revert: none}
"""
    done = taskrun("run", taskrun.file(text), "-o", "ndjson")
    assert (done.code, told(done)) == (0, [])


def test_a_notification_of_a_state_that_is_nearly_one_of_taskruns_is_a_slip(taskrun: Taskrun) -> None:
    text = "name: n\nnotify: [{task: [WORD], echo: x}]\ntasks: [{name: a, echo: x}]\n"
    assert taskrun("validate", taskrun.file(text.replace("WORD", "draining"))).code == 0
    for slip in ("sucess", "SUCESS", "failed", "Draining"):
        done = taskrun("validate", taskrun.file(text.replace("WORD", slip)))
        assert done.code == 2, slip


@pytest.mark.parametrize(
    ("text", "part"),
    [("0.4", 0.4), ("1", 1.0), ("0", 0.0), (".5", 0.5), ("40%", 0.4), ("12.5%", 0.125), ("101%", None), ("1.5", None),
     ("-1", None), ("nan", None), ("", None), ("1e3", None)],
)  # fmt: skip
def test_progress_is_a_part_from_nothing_to_all(text: str, part: float | None) -> None:
    assert _part(text) == part
