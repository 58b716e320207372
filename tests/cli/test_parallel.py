"""With --jobs 4 what can go on at the same time does, forward and back: told by the stamps that the tasks leave."""

import json
import pathlib

from tests.command import Taskrun

# Each waits until as many as shall overlap have begun: if they did not run at the same time, they would never end.
MEET = 'echo "begin $TASKRUN_TASK" >> log; while [ "$(grep -c "begin [abc]" log)" -lt 3 ]; do sleep 0.02; done; echo "end $TASKRUN_TASK" >> log'
MEET_BACK = 'echo "unbegin $TASKRUN_TASK" >> log; while [ "$(grep -c "unbegin [abc]" log)" -lt 3 ]; do sleep 0.02; done; echo "unend $TASKRUN_TASK" >> log'
STAMP = {
    "run": 'echo "begin $TASKRUN_TASK" >> log; echo "end $TASKRUN_TASK" >> log',
    "revert": 'echo "unbegin $TASKRUN_TASK" >> log; echo "unend $TASKRUN_TASK" >> log',
}


def diamond(**last: object) -> str:
    """first, then a, b and c, then last."""
    middle = [
        {"name": name, "needs": ["first"], "run": MEET, "revert": MEET_BACK, "timeout": "30s"}
        for name in "abc"
    ]
    return json.dumps(
        {
            "name": "diamond",
            "pattern": "graph",
            "tasks": [
                {"name": "first", **STAMP},
                *middle,
                {"name": "last", "needs": ["a", "b", "c"], **STAMP, **last},
            ],
        }
    )


def log(folder: pathlib.Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def test_independent_tasks_overlap_and_dependent_ones_do_not(taskrun: Taskrun) -> None:
    taskrun.file(diamond())
    done = taskrun("run", "w.yaml", "--jobs", 4, "-o", "ndjson")
    assert done.code == 0, done.err
    lines = log(taskrun.folder)
    assert lines[:2] == ["begin first", "end first"]
    assert sorted(lines[2:5]) == ["begin a", "begin b", "begin c"]
    assert sorted(lines[5:8]) == ["end a", "end b", "end c"]
    assert lines[8:] == ["begin last", "end last"]
    states = [line.split() for line in done.transitions]
    order = [(name, state) for kind, name, state in states if kind == "task"]
    for name in "abc":
        assert (
            order.index(("first", "SUCCESS"))
            < order.index((name, "RUNNING"))
            < order.index(("last", "RUNNING"))
        )


def test_independent_undos_overlap_too_and_come_in_reverse(taskrun: Taskrun) -> None:
    taskrun.file(diamond(run="exit 1", revert="none"))
    done = taskrun("run", "w.yaml", "--jobs", 4, "-o", "ndjson")
    assert done.code == 1, done.err
    lines = [line for line in log(taskrun.folder) if line.startswith("un")]
    assert sorted(lines[:3]) == ["unbegin a", "unbegin b", "unbegin c"]
    assert sorted(lines[3:6]) == ["unend a", "unend b", "unend c"]
    assert lines[6:] == ["unbegin first", "unend first"]
    assert done.summary["reverted"][0] == "last"
    assert done.summary["reverted"][-1] == "first"


def test_when_one_fails_its_running_siblings_finish_and_nothing_new_starts(taskrun: Taskrun) -> None:
    taskrun.file(
        json.dumps(
            {
                "name": "siblings",
                "pattern": "unordered",
                "tasks": [
                    {
                        "name": "bad",
                        "run": "while [ ! -e good_began ]; do sleep 0.02; done; touch failed; exit 1",
                        "revert": "none",
                    },
                    {
                        "name": "good",
                        "run": "touch good_began; while [ ! -e failed ]; do sleep 0.02; done; sleep 0.2; touch good_ended",
                        "revert": "rm good_ended",
                    },
                    {"name": "never", "run": "touch never", "revert": "none"},
                ],
            }
        )
    )
    done = taskrun("run", "w.yaml", "--jobs", 2, "-o", "ndjson")
    assert done.code == 1
    assert "task good SUCCESS" in done.transitions
    assert done.transitions.index("task good SUCCESS") < done.transitions.index("flow siblings REVERTING")
    assert not any("never" in transition for transition in done.transitions)
    assert not (taskrun.folder / "never").exists()
    assert not (taskrun.folder / "good_ended").exists()


def test_with_one_job_nothing_overlaps(taskrun: Taskrun) -> None:
    tasks = [{"name": name, **STAMP} for name in "abcd"]
    taskrun.file(json.dumps({"name": "serial", "pattern": "unordered", "tasks": tasks}))
    assert taskrun("run", "w.yaml", "--jobs", 1).code == 0
    assert log(taskrun.folder) == [line for name in "abcd" for line in (f"begin {name}", f"end {name}")]
