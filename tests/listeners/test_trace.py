"""A run as attempts with a beginning and an end, and as a trace that Perfetto and Chrome read."""

import json
from typing import NamedTuple

import pytest

from taskrun.listeners.attempts import Attempts
from taskrun.listeners.report.trace import lanes, trace
from tests.command import Taskrun

SEVERAL = """\
name: several
pattern: unordered
tasks:
  - {name: a, run: "sleep 0.2", revert: "test $TASKRUN_ATTEMPT -gt 1"}
  - {name: b, run: "sleep 0.1; test $TASKRUN_ATTEMPT -gt 1", revert: none, retry: {attempts: 3, delay: 50ms}}
  - {name: c, run: "sleep 0.4; exit 3", revert: {run: exit 4, retry: {attempts: 1}}}
"""


class Told(NamedTuple):
    time: float
    name: str
    old_state: str | None
    state: str | None
    attempt: int = 1
    data: dict | None = None
    kind: str = "task"


@pytest.fixture
def several(taskrun: Taskrun) -> dict:
    assert taskrun("run", taskrun.file(SEVERAL), "-j", "2").code == 3
    return json.loads(taskrun("report", "-f", "json").out)


def test_every_attempt_at_doing_and_undoing_is_there_once(several: dict) -> None:
    found = {(each["task"], each["undoing"], each["number"]): each["state"] for each in several["attempts"]}
    assert found == {
        ("a", False, 1): "SUCCESS",
        ("b", False, 1): "FAILURE",
        ("b", False, 2): "SUCCESS",
        ("c", False, 1): "FAILURE",
        ("a", True, 1): "FAILURE",
        ("a", True, 2): "REVERTED",
        ("c", True, 1): "REVERT_FAILURE",
    }
    assert len(several["attempts"]) == len(found)


def test_the_trace_has_a_lane_for_each_slot_and_no_two_attempts_at_once_in_one(
    several: dict, taskrun: Taskrun
) -> None:
    found = json.loads(taskrun("report", "-f", "trace").out)
    spans = [event for event in found["traceEvents"] if event["ph"] == "X"]
    for event in spans:
        assert {"pid", "tid", "name", "cat", "ts", "dur", "args"} <= event.keys()
        assert isinstance(event["ts"], int)
        assert isinstance(event["dur"], int)
        assert event["dur"] >= 0
    by_lane: dict[int, list] = {}
    for event in spans:
        by_lane.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
    assert sorted(by_lane) == [0, 1, 2]  # the run, and --jobs 2
    for times in by_lane.values():
        times.sort()
        assert all(before[1] <= after[0] for before, after in zip(times, times[1:], strict=False))
    names = {event["args"]["name"] for event in found["traceEvents"] if event["ph"] == "M"}
    assert {"run", "slot 1", "slot 2"} <= names


def test_retries_and_undos_are_told_apart_by_name(several: dict) -> None:
    found = json.loads(trace(several))["traceEvents"]
    by_name = {event["name"]: event for event in found if event["ph"] == "X"}
    assert {
        "a",
        "b",
        "b #2",
        "c",
        "undo of a",
        "undo of a #2",
        "undo of c",
        "RUNNING",
        "REVERTING",
    } == by_name.keys()
    assert by_name["undo of c"]["args"] == {
        "attempt": 1,
        "state": "REVERT_FAILURE",
        "failure": "ExitCode: exit code 4",
    }
    assert by_name["undo of a"]["cat"] == "revert"
    counted = [event["args"]["number"] for event in found if event["ph"] == "C"]
    assert max(counted) == 2
    assert counted[-1] == 0


def test_an_attempt_under_way_has_no_end() -> None:
    attempts = Attempts()
    assert attempts.take(Told(1.0, "a", "PENDING", "RUNNING")) == (None, attempts.open["a"])
    assert attempts.open["a"].ended is None
    ended, begun = attempts.take(Told(3.0, "a", "RUNNING", "UNKNOWN"))
    assert ended is not None
    assert (ended.started, ended.ended, ended.state, begun) == (1.0, 3.0, "UNKNOWN", None)
    assert attempts.take(Told(4.0, "a", "UNKNOWN", "SUCCESS")) == (None, None)


def test_a_clock_that_was_set_back_makes_no_attempt_end_before_it_began() -> None:
    attempts = Attempts()
    attempts.take(Told(5.0, "a", "PENDING", "RUNNING"))
    ended, _ = attempts.take(Told(1.0, "a", "RUNNING", "SUCCESS"))
    assert ended is not None
    assert ended.ended == 5.0


def test_the_lowest_free_lane_is_taken() -> None:
    def attempt(start: float, seconds: float | None) -> dict:
        return {"start": start, "seconds": seconds}

    report = {
        "seconds": 9.0,
        "attempts": [attempt(0, 2), attempt(0, 5), attempt(1, 1), attempt(2, 1), attempt(2.5, None)],
    }
    assert lanes(report) == [1, 2, 3, 1, 3]
