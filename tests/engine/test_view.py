"""The view: journal entries in, what is shown out."""

import time
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from taskrun.engine.view import View


class Fact(NamedTuple):
    time: float
    kind: str
    name: str
    old_state: str | None
    state: str | None
    attempt: int
    data: dict[str, Any] | None


class History:
    """Feeds a view, one second per entry, starting at 100."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.view = View(definition)
        self.now = 99.0

    def add(self, kind: str, name: str, *states: str, attempt: int = 1, **data: Any) -> None:
        for state in states:
            self.now += 1
            row = self.view.row(kind, name)
            old = self.view.state if kind == "flow" else row.state if row else None
            self.view.apply(Fact(self.now, kind, name, old, state, attempt, data or None))

    def flow(self, *states: str, **data: Any) -> None:
        self.add("flow", self.view.name, *states, **data)

    def task(self, name: str, *states: str, attempt: int = 1, **data: Any) -> None:
        self.add("task", name, *states, attempt=attempt, **data)

    def note(self, kind: str, name: str, **data: Any) -> None:
        self.now += 1
        self.view.apply(Fact(self.now, kind, name, None, None, 1, data))


def task(name: str, flow: int = 0, **more: Any) -> dict[str, Any]:
    return {"name": name, "flow": flow, "kind": "run", "fields": {}, "revert": {"form": "action"}} | more


def flat(*tasks: dict[str, Any], **flow: Any) -> dict[str, Any]:
    children = [["task", i] for i in range(len(tasks))]
    root = {"name": "release", "parent": -1, "pattern": "linear", "children": children} | flow
    return {"name": "release", "flows": [root], "tasks": list(tasks)}


def nested() -> dict[str, Any]:
    """release: first, mirrors(retry): fetch, unpack ; last"""
    return {
        "name": "release",
        "flows": [
            {"name": "release", "parent": -1, "children": [["task", 0], ["flow", 1], ["task", 3]]},
            {
                "name": "mirrors",
                "parent": 0,
                "children": [["task", 1], ["task", 2]],
                "retry": {"for_each": ["a", "b"]},
            },
        ],
        "tasks": [task("first"), task("fetch", 1), task("unpack", 1), task("last")],
    }


def test_rows_are_in_file_order_with_a_controller_before_its_tasks() -> None:
    view = View(nested())
    assert [(row.kind, row.name, row.depth) for row in view.rows] == [
        ("task", "first", 0),
        ("retry", "mirrors", 0),
        ("task", "fetch", 1),
        ("task", "unpack", 1),
        ("task", "last", 0),
    ]
    assert view.row("retry", "mirrors").limit == 2
    assert view.counts == {"PENDING": 4}


def test_a_run_that_works_leaves_everything_applied() -> None:
    history = History(flat(task("a"), task("b")))
    history.flow("RUNNING")
    history.task("a", "RUNNING", "SUCCESS")
    history.task("b", "RUNNING")
    history.task("b", "SUCCESS", outputs={"id": 7})
    history.flow("SUCCESS")
    view = history.view
    assert (view.state, view.started, view.ended, view.seconds(1e9)) == ("SUCCESS", 100, 105, 5)
    assert view.applied == ["a", "b"]
    assert view.index["b"].outputs == {"id": 7}
    assert view.counts == {"SUCCESS": 2}
    assert view.failed == view.undone == view.unknown == []


def test_a_rollback_moves_tasks_from_applied_to_undone_and_keeps_why_it_began() -> None:
    history = History(flat(task("a"), task("b"), task("c")))
    history.flow("RUNNING")
    history.task("a", "RUNNING", "SUCCESS")
    history.task("b", "RUNNING")
    history.task("b", "FAILURE", failure={"type": "ExitCode", "message": "exit code 3"})
    history.flow("FAILURE", "REVERTING")
    view = history.view
    assert (view.reverted, view.to_revert) == (0, 2)
    history.task("b", "REVERTING", "REVERTED")
    assert (view.reverted, view.to_revert) == (1, 2)
    history.task("a", "REVERTING", "REVERTED")
    history.flow("REVERTED")
    assert (view.reverted, view.to_revert) == (2, 2)
    assert (view.applied, view.undone, view.failed) == ([], ["b", "a"], ["b"])
    assert view.index["b"].failure == {"type": "ExitCode", "message": "exit code 3"}
    assert view.counts == {"PENDING": 1, "REVERTED": 2}


def test_a_failed_revert_stays_applied_and_says_why() -> None:
    history = History(flat(task("a")))
    history.task("a", "RUNNING", "SUCCESS", "REVERTING")
    history.task("a", "REVERT_FAILURE", failure={"type": "Timeout", "message": "10 s"})
    view = history.view
    assert (view.applied, view.revert_failed, view.undone) == (["a"], ["a"], [])
    assert view.index["a"].revert_failure == {"type": "Timeout", "message": "10 s"}
    assert view.index["a"].failure is None
    history.task("a", "REVERTING", attempt=4)
    assert (view.index["a"].nth, view.index["a"].revert_failure) == (1, None)
    history.task("a", "REVERTED", attempt=4)
    assert (view.applied, view.revert_failed, view.undone) == ([], [], ["a"])


def test_an_undo_that_is_tried_again_is_a_warning_and_counts_its_attempts() -> None:
    history = History(flat(task("a")))
    history.task("a", "RUNNING", "SUCCESS", "REVERTING")
    history.add(
        "warning", "a", "REVERTING", attempt=2, failure={"type": "ExitCode", "message": "1"}, due=110.0
    )
    row = history.view.index["a"]
    assert (row.state, row.nth, row.revert_limit, row.due) == ("REVERTING", 2, 3, 110.0)
    assert row.revert_failure == {"type": "ExitCode", "message": "1"}
    assert history.view.warnings == []
    assert history.view.counts == {"REVERTING": 1}


def test_an_unknown_outcome_is_neither_applied_nor_undone() -> None:
    history = History(flat(task("a"), task("b")))
    history.task("a", "RUNNING", "UNKNOWN")
    assert (history.view.applied, history.view.unknown) == ([], ["a"])
    history.task("a", "SUCCESS")
    assert (history.view.applied, history.view.unknown) == (["a"], [])
    history.task("b", "RUNNING", "UNKNOWN", "REVERTED")
    assert (history.view.unknown, history.view.undone) == ([], ["b"])


def test_what_was_done_before_us_or_never_began_is_not_applied() -> None:
    history = History(flat(task("a"), task("b"), task("save", kind="savepoint")))
    history.task("a", "RUNNING")
    assert history.view.applied == ["a"]
    history.task("a", "SUCCESS", already=True)
    history.task("save", "RUNNING", "SUCCESS")
    history.task("b", "RUNNING")
    history.task("b", "FAILURE", started=False, failure={"type": "NotFound", "message": "no such program"})
    assert history.view.applied == []
    assert history.view.failed == ["b"]


def test_a_task_without_an_undo_counts_as_applied_until_it_was_passed() -> None:
    history = History(flat(task("a", revert={"form": "none"})))
    history.task("a", "RUNNING", "SUCCESS")
    assert history.view.applied == ["a"]
    history.task("a", "REVERTING", "REVERTED")
    assert (history.view.applied, history.view.undone) == ([], ["a"])
    assert history.view.index["a"].undos == 0


def test_a_controller_that_runs_its_flow_again_resets_its_rows() -> None:
    history = History(nested())
    history.task("first", "RUNNING", "SUCCESS")
    history.add("retry", "mirrors", "RUNNING", "SUCCESS")
    history.task("fetch", "RUNNING")
    history.task("fetch", "FAILURE", failure={"type": "ExitCode", "message": "1"})
    assert history.view.failed == ["fetch"]
    history.task("fetch", "REVERTING", "REVERTED")
    history.add("retry", "mirrors", "RETRYING", due=120.0)
    history.task("fetch", "PENDING")
    view, row = history.view, history.view.index["fetch"]
    assert (view.failed, view.undone, view.applied) == ([], [], ["first"])
    assert (row.state, row.attempt, row.nth, row.failure, row.started) == ("PENDING", 0, 0, None, None)
    history.add("retry", "mirrors", "RUNNING", "SUCCESS", attempt=2)
    history.task("fetch", "RUNNING", attempt=2)
    assert (row.tries, row.nth) == (2, 1)
    assert view.row("retry", "mirrors").nth == 2


def test_a_task_that_is_tried_again_has_not_failed() -> None:
    history = History(flat(task("a", retry={"attempts": 3})))
    history.task("a", "RUNNING")
    history.task("a", "FAILURE", failure={"type": "ExitCode", "message": "1"})
    history.task("a", "RETRYING", due=200.0)
    row = history.view.index["a"]
    assert (history.view.failed, row.due, row.failure["message"]) == ([], 200.0, "1")
    history.task("a", "RUNNING", attempt=2)
    assert (row.nth, row.limit, row.failure, row.due) == (2, 3, None, None)
    assert row.seconds(now=history.now + 5) == 5


def test_an_allowed_failure_is_tolerated_not_failed() -> None:
    history = History(flat(task("a", allow_failure=True)))
    history.task("a", "RUNNING", "FAILURE")
    assert (history.view.failed, history.view.tolerated, history.view.applied) == ([], ["a"], ["a"])


def test_progress_custom_states_and_messages_change_no_state() -> None:
    history = History(flat(task("a")))
    history.task("a", "RUNNING")
    row, before = history.view.index["a"], history.view.index["a"].changed
    history.note("progress", "a", progress=0.4)
    history.note("custom", "a", state="draining")
    history.note("log", "a", message="waiting for the lock")
    history.note("warning", "release", message="a notification failed")
    assert (row.state, row.progress, row.custom, row.message) == (
        "RUNNING",
        0.4,
        "draining",
        "waiting for the lock",
    )
    assert row.changed > before
    assert history.view.warnings[0].message == "a notification failed"
    history.note("progress", "a", progress=float("nan"))
    assert row.progress is None
    history.note("progress", "a", progress=7)
    assert row.progress == 1.0


def test_items_join_below_the_task_they_came_from() -> None:
    history = History(flat(task("push", retry={"attempts": 2}), task("last")))
    history.task("push[0]", "RUNNING", "SUCCESS")
    history.task("push[1]", "RUNNING", "FAILURE")
    view = history.view
    assert [(row.name, row.depth) for row in view.rows] == [
        ("push", 0),
        ("push[0]", 1),
        ("push[1]", 1),
        ("last", 0),
    ]
    assert view.index["push[1]"].limit == 2
    assert view.counts == {"PENDING": 1, "SUCCESS": 1, "FAILURE": 1}


def test_a_rollback_to_a_savepoint_concerns_only_what_started_after_it() -> None:
    history = History(flat(task("a"), task("save", kind="savepoint"), task("b"), task("c")))
    history.flow("RUNNING")
    for name in ("a", "save", "b", "c"):
        history.task(name, "RUNNING", "SUCCESS")
    history.flow("SUCCESS")
    history.flow("REVERTING", floor=2)
    assert history.view.to_revert == 2
    history.task("c", "REVERTING", "REVERTED")
    assert (history.view.reverted, history.view.to_revert) == (1, 2)


def test_the_time_of_a_run_that_was_taken_up_again_is_that_of_the_last_go() -> None:
    history = History(flat(task("a")))
    history.flow("RUNNING", "SUSPENDED")
    history.now += 86_400
    history.flow("RESUMING", "RUNNING", "SUCCESS")
    assert history.view.started == 100
    assert history.view.seconds(now=1e9) == 2


def test_rolling_lasts_from_the_rollback_until_it_goes_forward_again() -> None:
    history = History(flat(task("a")))
    history.flow("RUNNING", "FAILURE")
    assert not history.view.rolling
    history.flow("REVERTING", "RESUMING")
    assert history.view.rolling
    history.flow("REVERTING", "FAILURE")
    assert history.view.rolling
    history.flow("RESUMING", "RUNNING")
    assert not history.view.rolling


def test_a_cancelled_run_keeps_the_reason_until_it_runs_again() -> None:
    history = History(flat(task("a")))
    history.flow("RUNNING")
    history.flow("FAILURE", failure={"type": "Cancelled", "message": "Ctrl-C"})
    history.flow("REVERTING", "REVERTED")
    assert history.view.failure == {"type": "Cancelled", "message": "Ctrl-C"}
    assert history.view.ended == history.now


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.sampled_from(
                [
                    "RUNNING",
                    "SUCCESS",
                    "FAILURE",
                    "REVERTED",
                    "PENDING",
                    "UNKNOWN",
                    "IGNORE",
                    "REVERT_FAILURE",
                ]
            ),
        )
    )
)
def test_the_counts_are_those_of_a_recount_whatever_comes(moves: list[tuple[int, str]]) -> None:
    history = History(flat(*[task(f"t{i}") for i in range(5)]))
    for position, state in moves:
        history.task(f"t{position}", state)
    view = history.view
    recount: dict[str, int] = {}
    for row in view.rows:
        recount[row.state] = recount.get(row.state, 0) + 1
    assert view.counts == recount
    assert set(view.unknown) == {row.name for row in view.rows if row.state == "UNKNOWN"}
    assert set(view.undone) == {row.name for row in view.rows if row.state == "REVERTED"}
    assert set(view.applied).isdisjoint(view.undone)


def test_a_hundred_thousand_tasks_fold_in_linear_time() -> None:
    def seconds(size: int) -> float:
        history = History(flat(*[task(f"t{i}") for i in range(size)]))
        facts = [
            Fact(1.0, "task", f"t{i}", None, state, 1, None)
            for i in range(size)
            for state in ("RUNNING", "SUCCESS")
        ]
        begun = time.process_time()
        for fact in facts:
            history.view.apply(fact)
        return time.process_time() - begun

    small = min(seconds(5_000) for _ in range(3))
    assert seconds(50_000) < 10 * small * 3


def test_items_of_a_task_in_a_flow_that_fans_out_too_are_like_the_one_in_the_file() -> None:
    definition = {
        "name": "f",
        "flows": [
            {"name": "f", "parent": -1, "children": [["flow", 1]]},
            {"name": "site", "parent": 0, "children": [["task", 0]], "for_each": ["a"]},
        ],
        "tasks": [
            {"name": "fetch", "flow": 1, "kind": "run", "for_each": [1], "revert": {"form": "unstated"}}
        ],
    }
    view = View(definition)
    for old, state in (
        ("PENDING", "RUNNING"),
        ("RUNNING", "SUCCESS"),
        ("SUCCESS", "REVERTING"),
        ("REVERTING", "REVERTED"),
    ):
        view.apply(Fact(1.0, "task", "site[0].fetch[0]", old, state, 1, None))
    row = view.index["site[0].fetch[0]"]
    assert (row.action, row.revert, row.item) == ("run", "unstated", 1)
    assert view.counts == {"REVERTED": 1}
