"""Undos that failed: given up by a person, or tried again and nothing else."""

import pytest

from taskrun.errors import RefusedError
from tests.engine.building import flow, savepoint, task
from tests.engine.telling import Told, tell

ONCE = {"retry": {"attempts": 1}}

# The last of three fails; the undo of the second fails too, and holds back that of the first.
STUCK = """
    start        -> run RUNNING, a RUNNING
    a ok         -> a SUCCESS, b RUNNING
    b ok         -> b SUCCESS, c RUNNING
    c fails      -> c FAILURE, run FAILURE, run REVERTING, c REVERTING | undo c 1
    undo c ok    -> c REVERTED, b REVERTING | undo b 1
    undo b fails -> b REVERT_FAILURE, run FAILURE |
"""


def three() -> dict:
    return flow("f", task("a"), task("b", undo=ONCE), task("c"))


def given(told: Told, what: str) -> None:
    """It was refused, and nothing moved."""
    moves = told.machine.record.moves
    with pytest.raises(RefusedError):
        told.receive(what)
    assert told.machine.record.moves == moves


# ---------------------------------------------------------------------- skip


def test_what_a_given_up_task_depended_on_is_undone_and_the_run_stays_failed() -> None:
    told = tell(
        three(),
        STUCK
        + """
        resolve b skip -> b (warning) |
        revert         -> run RESUMING, run REVERTING, a REVERTING | undo a 1
        undo a ok      -> a REVERTED, run FAILURE |
        """,
    )
    record = told.machine.record
    assert [told.flow.names[n] for n in record.residue()] == ["b"]
    assert record.state[told.nodes["b"]] == "REVERT_FAILURE"
    assert told.data("b", "REVERT_FAILURE") == {"skip": True}


def test_a_given_up_undo_is_not_tried_again_by_a_later_revert() -> None:
    tell(
        three(),
        STUCK
        + """
        resolve b skip -> b (warning)
        revert         -> run RESUMING, run REVERTING, a REVERTING | undo a 1
        undo a ok      -> a REVERTED, run FAILURE
        revert         -> run RESUMING, run REVERTING, run FAILURE |
        """,
    )


def test_a_task_that_was_given_up_can_still_be_settled_by_hand() -> None:
    tell(
        three(),
        STUCK
        + """
        resolve b skip   -> b (warning)
        revert           -> run RESUMING, run REVERTING, a REVERTING
        undo a ok        -> a REVERTED, run FAILURE
        resolve b undone -> b REVERTED
        revert           -> run RESUMING, run REVERTING, run REVERTED
        """,
    )


def test_giving_one_undo_up_tries_the_others_that_failed_again() -> None:
    tell(
        flow("f", task("a", undo=ONCE), task("b", undo=ONCE), task("c"), pattern="unordered"),
        """
        start          -> run RUNNING, a RUNNING
        a ok           -> a SUCCESS, b RUNNING
        b ok           -> b SUCCESS, c RUNNING
        c fails        -> c FAILURE, run FAILURE, run REVERTING, c REVERTING
        undo c ok      -> c REVERTED, b REVERTING
        undo b fails   -> b REVERT_FAILURE, a REVERTING
        undo a fails   -> a REVERT_FAILURE, run FAILURE
        resolve b skip -> b (warning)
        revert         -> run RESUMING, run REVERTING, a REVERTING | undo a 2
        undo a ok      -> a REVERTED, run FAILURE |
        """,
    )


def test_an_undo_may_be_given_up_while_the_rollback_goes_on() -> None:
    tell(
        flow("f", task("a"), flow("g", task("b", undo=ONCE), task("c"), pattern="unordered"), task("d")),
        """
        start          -> run RUNNING, a RUNNING
        a ok           -> a SUCCESS, b RUNNING
        b ok           -> b SUCCESS, c RUNNING
        c ok           -> c SUCCESS, d RUNNING
        d fails        -> d FAILURE, run FAILURE, run REVERTING, d REVERTING
        undo d ok      -> d REVERTED, c REVERTING | undo c 1
        undo c ok      -> c REVERTED, b REVERTING | undo b 1
        suspend        -> run SUSPENDING |
        undo b fails   -> b REVERT_FAILURE, run SUSPENDED |
        resolve b skip -> b (warning) |
        resume         -> run RESUMING, run REVERTING, a REVERTING | undo a 1
        undo a ok      -> a REVERTED, run FAILURE
        """,
    )


def test_only_a_failed_undo_of_a_rollback_can_be_given_up() -> None:
    told = tell(three(), "start -> run RUNNING, a RUNNING")
    given(told, "resolve a skip")
    told = tell(three(), STUCK)
    for name in ("a", "c"):
        given(told, f"resolve {name} skip")
    told.receive("resolve b skip")
    given(told, "resolve b skip")


def test_what_cannot_be_undone_needs_nobody_to_give_it_up() -> None:
    told = tell(
        flow("f", task("a"), task("b", undo="impossible"), task("c")),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b ok      -> b SUCCESS, c RUNNING
        c fails   -> c FAILURE, run FAILURE, run REVERTING, c REVERTING
        undo c ok -> c REVERTED, b REVERTING, b REVERT_FAILURE, a REVERTING | undo a 1
        undo a ok -> a REVERTED, run FAILURE
        """,
    )
    given(told, "resolve b skip")


def test_a_given_up_task_before_a_savepoint_is_not_done_again_without_somebody() -> None:
    tell(
        flow("f", task("a", undo=ONCE), savepoint("s"), task("b")),
        """
        start          -> run RUNNING, a RUNNING
        a ok           -> a SUCCESS, s RUNNING
        s ok           -> s SUCCESS, b RUNNING
        b ok           -> b SUCCESS, run SUCCESS
        revert         -> run REVERTING, b REVERTING
        undo b ok      -> b REVERTED, s REVERTING, s REVERTED, a REVERTING
        undo a fails   -> a REVERT_FAILURE, run FAILURE
        resolve a skip -> a (warning)
        revert         -> run RESUMING, run REVERTING, run FAILURE
        """,
    )


# ---------------------------------------------------------------------- only what failed


def test_only_the_failed_undo_is_tried_again_and_what_it_held_back_stays() -> None:
    tell(
        three(),
        STUCK
        + """
        revert the failed -> run RESUMING, run REVERTING, b REVERTING | undo b 2
        undo b ok         -> b REVERTED, run FAILURE |
        revert            -> run RESUMING, run REVERTING, a REVERTING | undo a 1
        undo a ok         -> a REVERTED, run REVERTED
        """,
    )


def test_the_last_failed_undo_that_works_now_makes_the_run_reverted() -> None:
    tell(
        flow("f", task("a", undo=ONCE), task("b")),
        """
        start             -> run RUNNING, a RUNNING
        a ok              -> a SUCCESS, b RUNNING
        b fails           -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        undo b ok         -> b REVERTED, a REVERTING
        undo a fails      -> a REVERT_FAILURE, run FAILURE
        revert the failed -> run RESUMING, run REVERTING, a REVERTING | undo a 2
        undo a ok         -> a REVERTED, run REVERTED |
        """,
    )


def test_a_crash_in_between_does_not_make_it_more_than_the_failed_ones() -> None:
    tell(
        three(),
        STUCK
        + """
        revert the failed -> run RESUMING, run REVERTING, b REVERTING | undo b 2
        resume            -> run RESUMING, run REVERTING |
        undo b ok         -> b REVERTED, run FAILURE |
        """,
    )


def test_a_resume_after_that_goes_on_with_all_of_the_rollback() -> None:
    tell(
        three(),
        STUCK
        + """
        revert the failed -> run RESUMING, run REVERTING, b REVERTING | undo b 2
        undo b ok         -> b REVERTED, run FAILURE |
        resume            -> run RESUMING, run REVERTING, a REVERTING | undo a 1
        """,
    )


def test_it_goes_no_further_than_the_savepoint_that_was_asked_for() -> None:
    tell(
        flow("f", task("a"), savepoint("s"), task("b", undo=ONCE)),
        """
        start             -> run RUNNING, a RUNNING
        a ok              -> a SUCCESS, s RUNNING
        s ok              -> s SUCCESS, b RUNNING
        b ok              -> b SUCCESS, run SUCCESS
        revert to s       -> run REVERTING, b REVERTING
        undo b fails      -> b REVERT_FAILURE, run FAILURE
        revert the failed -> run RESUMING, run REVERTING, b REVERTING | undo b 2
        undo b ok         -> b REVERTED, run SUSPENDED |
        """,
    )


def test_trying_the_failed_ones_again_is_refused_where_none_has_failed() -> None:
    told = tell(three(), "start -> run RUNNING, a RUNNING")
    given(told, "revert the failed")
    told = tell(
        three(),
        STUCK
        + """
        revert    -> run RESUMING, run REVERTING, b REVERTING
        undo b ok -> b REVERTED, a REVERTING
        undo a ok -> a REVERTED, run REVERTED
        """,
    )
    told.receive("revert the failed")
    assert told.step == ([], [])


def test_what_was_given_up_is_not_among_the_failed_ones() -> None:
    told = tell(three(), STUCK + "resolve b skip -> b (warning)")
    given(told, "revert the failed")
