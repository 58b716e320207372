"""`if` and `skip`: what is asked when, how far a skip reaches, conditions that cannot be evaluated, empty flows."""

from typing import Any

from taskrun.engine import events as e
from tests.engine.building import flow, task
from tests.engine.telling import tell

WHEN: dict[str, Any] = {"if": "x"}
DEPENDENTS: dict[str, Any] = {"if": "x", "skip": "dependents"}
WITHIN: dict[str, Any] = {"if": "x", "skip": "flow"}


def test_an_ignored_task_is_done_for_what_comes_after_it() -> None:
    tell(
        flow("f", task("a", **WHEN), task("b")),
        """
        start         -> run RUNNING | ask a
        if a is false -> a IGNORE, b RUNNING
        b ok          -> b SUCCESS, run SUCCESS
        """,
    )


def test_a_condition_is_asked_when_its_turn_comes() -> None:
    tell(
        flow("f", task("a"), task("b", **WHEN), pattern="unordered"),
        """
        start        -> run RUNNING, a RUNNING | do a 1
        a ok         -> a SUCCESS | ask b
        if b is true -> b RUNNING | do b 1
        """,
    )


def test_a_condition_is_asked_once_for_all_attempts() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 2}, **WHEN)),
        """
        start        -> run RUNNING | ask a
        if a is true -> a RUNNING
        a fails      -> a FAILURE, a RETRYING, a RUNNING | do a 2
        """,
    )


def test_a_condition_is_not_asked_again_after_a_wait() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 2, "delay": 5.0}, **WHEN)),
        """
        start        -> run RUNNING | ask a
        if a is true -> a RUNNING
        a fails      -> a FAILURE, a RETRYING | wait a 5
        timer a      -> a RUNNING | do a 2
        """,
        jobs=2,
    )


def test_a_rollback_passes_an_ignored_task_in_the_right_order() -> None:
    tell(
        flow("g", task("a"), task("b", "a", **WHEN), task("c", "b"), pattern="graph"),
        """
        start         -> run RUNNING, a RUNNING
        a ok          -> a SUCCESS
        if b is false -> b IGNORE, c RUNNING
        c fails       -> c FAILURE, run FAILURE, run REVERTING, c REVERTING | undo c 1
        undo c ok     -> c REVERTED, a REVERTING | undo a 1
        undo a ok     -> a REVERTED, run REVERTED
        """,
        jobs=2,
    )


# ---------------------------------------------------------------------- how far a skip reaches


def nested(**keys: Any) -> dict[str, Any]:
    """x; then g with a, h with b, c, in a line; then y. The condition is on a."""
    return flow(
        "f",
        task("x"),
        flow("g", task("a", **keys), flow("h", task("b"), task("c"), pattern="unordered")),
        task("y"),
    )


def test_skip_task_reaches_the_task_alone() -> None:
    tell(
        nested(**WHEN),
        """
        start         -> run RUNNING, x RUNNING
        x ok          -> x SUCCESS | ask a
        if a is false -> a IGNORE, b RUNNING
        """,
    )


def test_skip_dependents_reaches_all_that_depends_on_it_in_its_flow_and_out_of_it() -> None:
    tell(
        nested(**DEPENDENTS),
        """
        start         -> run RUNNING, x RUNNING
        x ok          -> x SUCCESS
        if a is false -> a IGNORE, b IGNORE, c IGNORE, y IGNORE, run SUCCESS
        """,
    )


def test_skip_flow_reaches_what_depends_on_it_in_its_flow_and_the_flows_within() -> None:
    tell(
        nested(**WITHIN),
        """
        start         -> run RUNNING, x RUNNING
        x ok          -> x SUCCESS
        if a is false -> a IGNORE, b IGNORE, c IGNORE, y RUNNING
        """,
    )


def test_a_skip_leaves_alone_what_does_not_depend_on_it() -> None:
    tell(
        flow("f", task("a", **DEPENDENTS), task("b", "a"), task("c"), task("d", "b", "c"), pattern="graph"),
        """
        start         -> run RUNNING | ask a
        if a is false -> a IGNORE, b IGNORE, d IGNORE, c RUNNING
        c ok          -> c SUCCESS, run SUCCESS
        """,
    )


def test_the_skipped_task_comes_first_and_then_what_it_reaches_in_file_order() -> None:
    """In a graph what depends on a task may stand before it."""
    tell(
        flow("f", task("c", "a"), task("b", "a"), task("a", **DEPENDENTS), pattern="graph"),
        """
        start         -> run RUNNING | ask a
        if a is false -> a IGNORE, c IGNORE, b IGNORE, run SUCCESS
        """,
    )


def test_a_second_skip_does_not_ignore_anything_twice() -> None:
    tell(
        flow("f", task("a", **DEPENDENTS), task("b", **DEPENDENTS), task("c", "a", "b"), pattern="graph"),
        """
        start         -> run RUNNING | ask a
        if a is false -> a IGNORE, c IGNORE | ask b
        if b is false -> b IGNORE, run SUCCESS
        """,
    )


def test_a_wider_skip_reaches_on_from_where_a_narrower_one_ended() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a", **WITHIN), task("b", **DEPENDENTS), task("c", "a", "b"), pattern="graph"),
            task("d"),
        ),
        """
        start         -> run RUNNING | ask a
        if a is false -> a IGNORE, c IGNORE | ask b
        if b is false -> b IGNORE, d IGNORE, run SUCCESS
        """,
    )


def test_a_fan_out_that_a_skip_reached_is_not_asked_for_its_list() -> None:
    tell(
        flow("f", task("a", **DEPENDENTS), flow("push", for_each="x", expands=True), task("b")),
        """
        start         -> run RUNNING | ask a
        if a is false -> a IGNORE, push (log), b IGNORE, run SUCCESS |
        """,
    )


def test_a_fan_out_in_a_flow_that_is_ignored_is_ignored_with_it() -> None:
    tell(
        flow("f", flow("g", flow("push", for_each="x", expands=True), **WHEN), task("b")),
        """
        start         -> run RUNNING | ask g
        if g is false -> g (log), push (log), b RUNNING | do b 1
        """,
    )


def test_a_fan_out_in_a_flow_that_runs_again_is_asked_for_its_list_again() -> None:
    tell(
        flow(
            "f",
            flow("g", flow("push", for_each="x", expands=True), **WHEN),
            task("b"),
            retry={"attempts": 2},
        ),
        """
        start         -> run RUNNING, retry f RUNNING, retry f SUCCESS | ask g
        if g is false -> g (log), push (log), b RUNNING
        b fails       -> b FAILURE, b REVERTING
        undo b ok     -> b REVERTED, retry f RETRYING, b PENDING, retry f RUNNING, retry f SUCCESS | ask g
        if g is true  -> g (log) | list push
        """,
    )


# ---------------------------------------------------------------------- conditional flows


def test_a_flow_whose_condition_does_not_hold_is_ignored_with_all_in_it() -> None:
    tell(
        flow("f", flow("g", task("a"), flow("h", task("b"), retry={"attempts": 2}), **WHEN), task("c")),
        """
        start         -> run RUNNING | ask g
        if g is false -> g (log), a IGNORE, retry h IGNORE, b IGNORE, c RUNNING
        """,
    )


def test_skip_dependents_of_a_flow_reaches_what_comes_after_it() -> None:
    tell(
        flow("f", flow("e", flow("g", task("a"), **DEPENDENTS), task("b")), task("c")),
        """
        start         -> run RUNNING | ask g
        if g is false -> g (log), a IGNORE, b IGNORE, c IGNORE, run SUCCESS
        """,
    )


def test_skip_flow_of_a_flow_reaches_to_the_end_of_the_flow_around_it() -> None:
    tell(
        flow("f", flow("e", flow("g", task("a"), **WITHIN), task("b")), task("c")),
        """
        start         -> run RUNNING | ask g
        if g is false -> g (log), a IGNORE, b IGNORE, c RUNNING
        """,
    )


def test_a_flow_that_a_skip_reached_is_not_asked_about() -> None:
    tell(
        flow(
            "f",
            task("a", **DEPENDENTS),
            flow("g", task("b"), **WHEN),
            flow("h", retry={"attempts": 1}, **WHEN),
        ),
        """
        start         -> run RUNNING | ask a
        if a is false -> a IGNORE, g (log), b IGNORE, retry h IGNORE, run SUCCESS
        """,
    )


def test_the_condition_of_a_flow_is_asked_before_its_controller_begins() -> None:
    tell(
        flow("f", flow("g", task("a"), retry={"for_each": "x"}, **WHEN)),
        """
        start        -> run RUNNING | ask g
        if g is true -> g (log) | list g
        resume       -> run RESUMING, run RUNNING | list g
        list g has 1 -> retry g RUNNING, retry g SUCCESS, a RUNNING
        """,
    )


def test_the_condition_of_a_flow_is_not_asked_again_in_its_own_next_round() -> None:
    tell(
        flow("f", flow("g", task("a"), retry={"attempts": 2}, **WHEN)),
        """
        start        -> run RUNNING | ask g
        if g is true -> g (log), retry g RUNNING, retry g SUCCESS, a RUNNING
        a fails      -> a FAILURE, a REVERTING
        undo a ok    -> a REVERTED, retry g RETRYING, a PENDING, retry g RUNNING, retry g SUCCESS, a RUNNING | do a 2
        """,
    )


def test_conditions_inside_a_flow_that_runs_again_are_asked_again() -> None:
    tell(
        flow("f", flow("g", task("a"), **WHEN), task("b"), retry={"attempts": 2}),
        """
        start         -> run RUNNING, retry f RUNNING, retry f SUCCESS | ask g
        if g is false -> g (log), a IGNORE, b RUNNING
        b fails       -> b FAILURE, b REVERTING
        undo b ok     -> b REVERTED, retry f RETRYING, a PENDING, b PENDING, retry f RUNNING, retry f SUCCESS | ask g
        if g is true  -> g (log), a RUNNING
        """,
    )


def test_a_decided_condition_survives_a_crash_before_any_task_of_the_flow_starts() -> None:
    told = tell(
        flow("f", flow("g", task("b", **WHEN), **WHEN), task("c"), pattern="unordered"),
        """
        start        -> run RUNNING, c RUNNING | ask g, do c 1
        if g is true -> g (log) | ask b
        resume       -> run RESUMING, run RUNNING | ask b
        """,
        jobs=2,
    )
    assert told.pending() == "ask b, do c 1"


# ---------------------------------------------------------------------- conditions that fail


def test_a_condition_that_cannot_be_evaluated_fails_its_task_which_left_nothing() -> None:
    told = tell(
        flow("f", task("z"), task("a", retry={"attempts": 3}, **WHEN)),
        """
        start         -> run RUNNING, z RUNNING
        z ok          -> z SUCCESS
        if a is wrong -> a RUNNING, a FAILURE, run FAILURE, run REVERTING, z REVERTING | undo z 1
        undo z ok     -> z REVERTED, run REVERTED
        """,
    )
    assert told.data("a", "FAILURE")["started"] is False


def test_a_condition_that_cannot_be_evaluated_may_be_tolerated() -> None:
    tell(
        flow("f", task("a", allow_failure=True, **WHEN), task("b")),
        """
        start         -> run RUNNING
        if a is wrong -> a RUNNING, a FAILURE, b RUNNING
        """,
    )


def test_a_condition_of_a_flow_that_cannot_be_evaluated_fails_the_run() -> None:
    told = tell(
        flow("f", task("z"), flow("g", task("a"), **WHEN)),
        """
        start         -> run RUNNING, z RUNNING
        z ok          -> z SUCCESS | ask g
        if g is wrong -> g (warning), run FAILURE, run REVERTING, z REVERTING
        """,
    )
    assert told.data("f", "FAILURE")["failure"]["type"] == "ExitCode"


def test_a_condition_of_a_flow_that_cannot_be_evaluated_is_for_the_controller_around_it() -> None:
    tell(
        flow("f", task("z"), flow("g", task("a"), retry={"attempts": 9}, **WHEN), retry={"attempts": 2}),
        """
        start         -> run RUNNING, retry f RUNNING, retry f SUCCESS, z RUNNING
        z ok          -> z SUCCESS | ask g
        if g is wrong -> g (warning), z REVERTING
        undo z ok     -> z REVERTED, retry f RETRYING, z PENDING, retry f RUNNING, retry f SUCCESS, z RUNNING
        z ok          -> z SUCCESS | ask g
        if g is wrong -> g (warning), run FAILURE, run REVERTING, z REVERTING
        """,
    )


# ---------------------------------------------------------------------- answers that come late


def test_an_answer_that_comes_while_the_run_is_suspended_is_asked_for_again() -> None:
    tell(
        flow("f", task("a", **WHEN)),
        """
        start        -> run RUNNING | ask a
        suspend      -> run SUSPENDING
        if a is true -> run SUSPENDED |
        resume       -> run RESUMING, run RUNNING | ask a
        """,
        restore=False,
    )


def test_an_answer_that_comes_while_its_flow_drains_is_dropped() -> None:
    tell(
        flow("f", task("a", **WHEN), task("b"), pattern="unordered", retry={"attempts": 2}),
        """
        start        -> run RUNNING, retry f RUNNING, retry f SUCCESS, b RUNNING | ask a, do b 1
        b fails      -> b FAILURE |
        if a is true -> b REVERTING | undo b 1
        undo b ok    -> b REVERTED, retry f RETRYING, b PENDING, retry f RUNNING, retry f SUCCESS, b RUNNING | ask a, do b 2
        """,
        jobs=2,
        restore=False,
    )


def test_an_answer_to_an_earlier_question_is_not_taken_for_the_answer_to_this_one() -> None:
    told = tell(flow("f", task("a", **WHEN)), "start -> run RUNNING | ask a")
    first = told.step.commands[0]
    told.all("resume -> run RESUMING, run RUNNING | ask a")
    second = told.step.commands[0]
    assert told.machine.receive(e.ConditionDecided(0.0, first.node, False, None, first.asked)) == ([], [])
    step = told.machine.receive(e.ConditionDecided(0.0, second.node, True, None, second.asked))
    assert [t.state for t in step.transitions] == ["RUNNING"]


# ---------------------------------------------------------------------- empty flows


def test_a_run_without_tasks_succeeds_at_once() -> None:
    tell(flow("f"), "start -> run RUNNING, run SUCCESS")


def test_empty_flows_are_passed_and_their_controllers_begin() -> None:
    tell(
        flow("f", flow("g"), flow("h", flow("i", retry={"attempts": 2})), task("a"), flow("j", **WHEN)),
        """
        start        -> run RUNNING, retry i RUNNING, retry i SUCCESS, a RUNNING
        a ok         -> a SUCCESS | ask j
        if j is true -> j (log), run SUCCESS
        revert       -> run REVERTING, a REVERTING
        undo a ok    -> a REVERTED, retry i REVERTING, retry i REVERTED, run REVERTED
        """,
    )


def test_a_rollback_goes_through_empty_flows() -> None:
    tell(
        flow("f", task("a"), flow("g", flow("h")), task("b")),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b fails   -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        undo b ok -> b REVERTED, a REVERTING
        """,
    )
