"""What people ask of a run: pause it, go on, stop it, take it back, as far as a savepoint or altogether."""

import pytest

from taskrun.engine import events as e
from taskrun.engine.flow import compile_flow
from taskrun.engine.machine import Machine
from taskrun.engine.record import RUN
from taskrun.errors import RefusedError
from tests.engine.building import definition, flow, savepoint, task
from tests.engine.telling import Told, tell

# ---------------------------------------------------------------------- suspend and resume


def test_a_suspended_run_ends_what_runs_and_goes_on_later() -> None:
    tell(
        flow("f", task("a"), task("b")),
        """
        start   -> run RUNNING, a RUNNING
        suspend -> run SUSPENDING |
        a ok    -> a SUCCESS, run SUSPENDED |
        resume  -> run RESUMING, run RUNNING, b RUNNING | do b 1
        b ok    -> b SUCCESS, run SUCCESS
        """,
    )


def test_a_run_suspended_while_its_last_task_runs_has_only_to_be_closed() -> None:
    tell(
        flow("f", task("a")),
        """
        start   -> run RUNNING, a RUNNING
        suspend -> run SUSPENDING
        a ok    -> a SUCCESS, run SUSPENDED
        resume  -> run RESUMING, run RUNNING, run SUCCESS
        """,
    )


def test_a_task_that_fails_while_the_run_is_suspended_brings_it_down_at_the_resume() -> None:
    tell(
        flow("f", task("a")),
        """
        start   -> run RUNNING, a RUNNING
        suspend -> run SUSPENDING
        a fails -> a FAILURE, run SUSPENDED
        resume  -> run RESUMING, run RUNNING, run FAILURE, run REVERTING, a REVERTING | undo a 1
        """,
    )


def test_a_wait_does_not_hold_up_a_suspension_and_goes_on_after_it() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 2, "delay": 30.0})),
        """
        start   -> run RUNNING, a RUNNING
        a fails -> a FAILURE, a RETRYING | wait a 30
        suspend -> run SUSPENDING, run SUSPENDED |
        resume  -> run RESUMING, run RUNNING | wait a 30
        timer a -> a RUNNING | do a 2
        """,
    )


def test_a_task_that_fails_during_a_suspension_is_tried_again_after_it() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 2})),
        """
        start   -> run RUNNING, a RUNNING
        suspend -> run SUSPENDING
        a fails -> a FAILURE, a RETRYING, run SUSPENDED |
        resume  -> run RESUMING, run RUNNING, a RUNNING | do a 2
        """,
    )


def test_a_rollback_can_be_suspended_and_resumed() -> None:
    tell(
        flow("f", task("a"), task("b")),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b fails   -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        suspend   -> run SUSPENDING |
        undo b ok -> b REVERTED, run SUSPENDED |
        resume    -> run RESUMING, run REVERTING, a REVERTING | undo a 1
        undo a ok -> a REVERTED, run REVERTED
        """,
    )


def test_an_undo_that_fails_during_a_suspension_is_tried_again_after_it() -> None:
    tell(
        flow("f", task("a", undo={"retry": {"attempts": 2, "delay": 3.0}})),
        """
        start        -> run RUNNING, a RUNNING
        a fails      -> a FAILURE, run FAILURE, run REVERTING, a REVERTING
        suspend      -> run SUSPENDING
        undo a fails -> a (warning), run SUSPENDED |
        resume       -> run RESUMING, run REVERTING | wait a 3
        timer a      -> a (warning) | undo a 2
        undo a ok    -> a REVERTED, run REVERTED
        """,
    )


def test_a_failing_run_can_be_suspended_before_its_rollback() -> None:
    tell(
        flow("f", task("a"), task("b"), pattern="unordered"),
        """
        start     -> run RUNNING, a RUNNING, b RUNNING
        a fails   -> a FAILURE, run FAILURE
        suspend   -> run SUSPENDING
        b ok      -> b SUCCESS, run SUSPENDED |
        resume    -> run RESUMING, run FAILURE, run REVERTING, b REVERTING, a REVERTING
        undo a ok -> a REVERTED
        undo b ok -> b REVERTED, run REVERTED
        """,
        jobs=2,
    )


def test_a_flow_that_is_to_run_again_is_undone_and_run_after_the_suspension() -> None:
    tell(
        flow("f", flow("g", task("a"), retry={"attempts": 2})),
        """
        start     -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING
        suspend   -> run SUSPENDING
        a fails   -> a FAILURE, run SUSPENDED
        resume    -> run RESUMING, run RUNNING, a REVERTING | undo a 1
        suspend   -> run SUSPENDING
        undo a ok -> a REVERTED, run SUSPENDED
        resume    -> run RESUMING, run RUNNING, retry g RETRYING, a PENDING, retry g RUNNING, retry g SUCCESS, a RUNNING
        """,
    )


def test_a_run_whose_driver_died_goes_on_with_what_was_in_flight() -> None:
    told = tell(
        flow("f", task("a"), task("b")),
        """
        start  -> run RUNNING, a RUNNING | do a 1
        resume -> run RESUMING, run RUNNING |
        a ok   -> a SUCCESS, b RUNNING | do b 1
        """,
    )
    assert told.pending() == "do b 1"


def test_a_rollback_that_could_not_finish_is_not_there_to_be_suspended_or_cancelled() -> None:
    tell(
        flow("f", task("a")),
        """
        start                 -> run RUNNING, a RUNNING
        a fails               -> a FAILURE, run FAILURE, run REVERTING, a REVERTING
        undo a fails for good -> a REVERT_FAILURE, run FAILURE
        suspend               -> |
        cancel                -> |
        """,
    )


def test_whoever_takes_a_failing_run_over_lets_end_what_still_runs() -> None:
    tell(
        flow("f", task("a"), task("b"), pattern="unordered"),
        """
        start   -> run RUNNING, a RUNNING, b RUNNING
        a fails -> a FAILURE, run FAILURE
        resume  -> run RESUMING, run FAILURE |
        b ok    -> b SUCCESS, run REVERTING, b REVERTING, a REVERTING
        """,
        jobs=2,
    )


def test_resuming_what_is_over_changes_nothing() -> None:
    tell(
        flow("f", task("a")),
        """
        resume ->
        start  -> run RUNNING, a RUNNING
        a ok   -> a SUCCESS, run SUCCESS
        resume ->
        suspend ->
        cancel ->
        """,
    )


# ---------------------------------------------------------------------- cancel


def test_a_cancelled_run_stops_what_runs_and_rolls_back() -> None:
    tell(
        flow("f", task("a"), task("b"), task("c"), pattern="unordered"),
        """
        start     -> run RUNNING, a RUNNING, b RUNNING
        a ok      -> a SUCCESS, c RUNNING
        cancel    -> run FAILURE | stop b 1, stop c 1
        cancel    -> |
        b fails   -> b FAILURE
        c ok      -> c SUCCESS, run REVERTING, c REVERTING, b REVERTING
        undo c ok -> c REVERTED, a REVERTING
        undo b ok -> b REVERTED
        undo a ok -> a REVERTED, run REVERTED
        """,
        jobs=2,
    )


def test_a_cancelled_attempt_is_not_tried_again() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 3})),
        """
        start   -> run RUNNING, a RUNNING
        cancel  -> run FAILURE | stop a 1
        a fails -> a FAILURE, run REVERTING, a REVERTING
        """,
    )


def test_cancelling_drops_the_waits() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 2, "delay": 30.0})),
        """
        start   -> run RUNNING, a RUNNING
        a fails -> a FAILURE, a RETRYING
        cancel  -> run FAILURE, run REVERTING, a REVERTING | undo a 1
        """,
    )


def test_cancelling_rolls_back_even_where_a_failure_would_only_stop() -> None:
    tell(
        flow("f", task("a"), on_failure="stop"),
        """
        start   -> run RUNNING, a RUNNING
        cancel  -> run FAILURE | stop a 1
        a fails -> a FAILURE, run REVERTING, a REVERTING
        """,
    )


def test_whoever_takes_a_cancelled_run_over_stops_what_still_runs() -> None:
    tell(
        flow("f", task("a")),
        """
        start  -> run RUNNING, a RUNNING
        cancel -> run FAILURE
        resume -> run RESUMING, run FAILURE | stop a 1
        """,
    )


def test_a_suspended_run_that_still_ends_something_can_be_cancelled() -> None:
    tell(
        flow("f", task("a")),
        """
        start   -> run RUNNING, a RUNNING
        suspend -> run SUSPENDING
        cancel  -> run FAILURE | stop a 1
        a fails -> a FAILURE, run REVERTING, a REVERTING
        """,
    )


# ---------------------------------------------------------------------- on_failure: stop


@pytest.mark.parametrize("word", ["stop", "ask"])
def test_a_run_that_only_stops_gives_what_failed_another_try(word: str) -> None:
    tell(
        flow("f", task("a"), task("b", retry={"attempts": 2}), task("c"), on_failure=word),
        """
        start   -> run RUNNING, a RUNNING
        a ok    -> a SUCCESS, b RUNNING
        b fails -> b FAILURE, b RETRYING, b RUNNING
        b fails -> b FAILURE, run FAILURE, run SUSPENDED |
        resume  -> run RESUMING, run RUNNING, b RETRYING, b RUNNING | do b 3
        b fails -> b FAILURE, b RETRYING, b RUNNING | do b 4
        b ok    -> b SUCCESS, c RUNNING
        c ok    -> c SUCCESS, run SUCCESS
        """,
    )


def test_a_stopped_run_waits_for_what_still_runs() -> None:
    tell(
        flow("f", task("a"), task("b"), pattern="unordered", on_failure="stop"),
        """
        start   -> run RUNNING, a RUNNING, b RUNNING
        a fails -> a FAILURE, run FAILURE
        b ok    -> b SUCCESS, run SUSPENDED
        """,
        jobs=2,
    )


def test_a_stopped_run_can_be_reverted() -> None:
    tell(
        flow("f", task("a"), task("b"), on_failure="stop"),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b fails   -> b FAILURE, run FAILURE, run SUSPENDED
        revert    -> run REVERTING, b REVERTING | undo b 1
        undo b ok -> b REVERTED, a REVERTING
        undo a ok -> a REVERTED, run REVERTED
        """,
    )


def test_a_stopped_task_whose_condition_failed_is_asked_again() -> None:
    tell(
        flow("f", task("a", **{"if": "x"}), on_failure="stop"),
        """
        start         -> run RUNNING | ask a
        if a is wrong -> a RUNNING, a FAILURE, run FAILURE, run SUSPENDED
        resume        -> run RESUMING, run RUNNING, a PENDING | ask a
        if a is true  -> a RUNNING | do a 2
        a ok          -> a SUCCESS, run SUCCESS
        """,
    )


def test_a_tolerated_failure_stays_as_it_is_when_a_stopped_run_goes_on() -> None:
    tell(
        flow("f", task("a", allow_failure=True), task("b"), on_failure="stop"),
        """
        start   -> run RUNNING, a RUNNING
        a fails -> a FAILURE, b RUNNING
        b fails -> b FAILURE, run FAILURE, run SUSPENDED
        resume  -> run RESUMING, run RUNNING, b RETRYING, b RUNNING
        """,
    )


def test_a_stopped_run_first_tries_an_undo_again_that_it_stopped_for() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a", undo={"retry": {"attempts": 1}}), task("b"), retry={"attempts": 2}),
            on_failure="stop",
        ),
        """
        start        -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING
        a ok         -> a SUCCESS, b RUNNING
        b fails      -> b FAILURE, b REVERTING
        undo b ok    -> b REVERTED, a REVERTING
        undo a fails -> a REVERT_FAILURE, run FAILURE, run SUSPENDED
        resume       -> run RESUMING, run RUNNING, b PENDING, a REVERTING | undo a 2
        undo a ok    -> a REVERTED, a PENDING, a RUNNING | do a 2
        a ok         -> a SUCCESS, b RUNNING
        """,
    )


def test_a_stopped_run_cannot_go_on_over_what_cannot_be_undone_until_a_person_settles_it() -> None:
    told = tell(
        flow(
            "f",
            flow("g", task("a", undo="impossible"), task("b"), retry={"attempts": 2}),
            on_failure="stop",
        ),
        """
        start            -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING
        a ok             -> a SUCCESS, b RUNNING
        b fails          -> b FAILURE, b REVERTING
        undo b ok        -> b REVERTED, a REVERTING, a REVERT_FAILURE, run FAILURE, run SUSPENDED
        resume           -> run RESUMING, run RUNNING, b PENDING, run SUSPENDING, run SUSPENDED
        resume           -> run RESUMING, run RUNNING, run SUSPENDING, run SUSPENDED
        resolve a undone -> a REVERTED, a PENDING
        resume           -> run RESUMING, run RUNNING, a RUNNING | do a 2
        """,
    )
    assert "cannot be undone" in told.data("f", "SUSPENDING")["reason"]


# ---------------------------------------------------------------------- revert


def test_reverting_a_run_whose_driver_died_lets_end_what_was_in_flight() -> None:
    tell(
        flow("f", task("a"), task("b"), on_failure="stop"),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        revert    -> run RESUMING, run FAILURE |
        b ok      -> b SUCCESS, run REVERTING, b REVERTING
        undo b ok -> b REVERTED, a REVERTING
        undo a ok -> a REVERTED, run REVERTED
        """,
    )


def test_a_revert_to_a_savepoint_undoes_what_started_after_it_and_no_more() -> None:
    tell(
        flow("f", task("a"), savepoint("s"), task("b"), task("c")),
        """
        start       -> run RUNNING, a RUNNING
        a ok        -> a SUCCESS, s RUNNING
        s ok        -> s SUCCESS, b RUNNING
        b ok        -> b SUCCESS, c RUNNING
        c ok        -> c SUCCESS, run SUCCESS
        revert to s -> run REVERTING, c REVERTING
        undo c ok   -> c REVERTED, b REVERTING
        undo b ok   -> b REVERTED, run SUSPENDED |
        resume      -> run RESUMING, run RUNNING, b PENDING, c PENDING, b RUNNING | do b 2
        b ok        -> b SUCCESS, c RUNNING
        c fails     -> c FAILURE, run FAILURE, run REVERTING, c REVERTING
        undo c ok   -> c REVERTED, b REVERTING
        undo b ok   -> b REVERTED, s REVERTING, s REVERTED, a REVERTING
        undo a ok   -> a REVERTED, run REVERTED
        """,
    )


def test_after_a_revert_to_a_savepoint_the_rest_can_be_reverted_too() -> None:
    tell(
        flow("f", task("a"), savepoint("s"), task("b")),
        """
        start       -> run RUNNING, a RUNNING
        a ok        -> a SUCCESS, s RUNNING
        s ok        -> s SUCCESS, b RUNNING
        b ok        -> b SUCCESS, run SUCCESS
        revert to s -> run REVERTING, b REVERTING
        undo b ok   -> b REVERTED, run SUSPENDED
        revert      -> run REVERTING, s REVERTING, s REVERTED, a REVERTING
        undo a ok   -> a REVERTED, run REVERTED
        """,
    )


def test_what_was_decided_after_a_savepoint_is_decided_anew() -> None:
    """Ignored tasks, conditions of flows, checks that found things done: they may depend on what was undone."""
    tell(
        flow(
            "f",
            savepoint("s"),
            task("a"),
            task("b", **{"if": "x"}),
            task("c"),
            flow("g", task("d"), **{"if": "x"}),
            task("e", allow_failure=True),
            flow("h", task("i"), retry={"attempts": 1}, **{"if": "x"}),
            flow("j", retry={"for_each": "x"}, **{"if": "x"}),
            on_failure="stop",
        ),
        """
        start         -> run RUNNING, s RUNNING
        s ok          -> s SUCCESS, a RUNNING
        a ok          -> a SUCCESS | ask b
        if b is false -> b IGNORE, c RUNNING
        c was there   -> c SUCCESS | ask g
        if g is true  -> g (log), d RUNNING
        d ok          -> d SUCCESS, e RUNNING
        e never begins -> e FAILURE | ask h
        if h is false -> h (log), retry h IGNORE, i IGNORE | ask j
        if j is true  -> j (log) | list j
        suspend       -> run SUSPENDING
        list j has 1  -> run SUSPENDED
        revert to s   -> run REVERTING, d REVERTING
        undo d ok     -> d REVERTED, a REVERTING
        undo a ok     -> a REVERTED, run SUSPENDED
        resume        -> run RESUMING, run RUNNING, a PENDING, b PENDING, c PENDING, g (log), d PENDING, e PENDING, retry h PENDING, i PENDING, j (log), a RUNNING
        a ok          -> a SUCCESS | ask b
        if b is true  -> b RUNNING
        b ok          -> b SUCCESS, c RUNNING
        c ok          -> c SUCCESS | ask g
        if g is false -> g (log), d IGNORE, e RUNNING
        e ok          -> e SUCCESS | ask h
        if h is true  -> h (log), retry h RUNNING, retry h SUCCESS, i RUNNING
        i ok          -> i SUCCESS | ask j
        """,
        restore=False,
    )


def test_what_was_decided_before_a_savepoint_stays_decided() -> None:
    tell(
        flow(
            "f",
            task("b", **{"if": "x"}),
            flow("h", retry={"attempts": 1}, **{"if": "x"}),
            flow("g", task("d"), **{"if": "x"}),
            savepoint("s"),
            task("a"),
        ),
        """
        start         -> run RUNNING | ask b
        if b is false -> b IGNORE | ask h
        if h is false -> h (log), retry h IGNORE | ask g
        if g is true  -> g (log), d RUNNING
        d ok          -> d SUCCESS, s RUNNING
        s ok          -> s SUCCESS, a RUNNING
        a ok          -> a SUCCESS, run SUCCESS
        revert to s   -> run REVERTING, a REVERTING
        undo a ok     -> a REVERTED, run SUSPENDED
        resume        -> run RESUMING, run RUNNING, a PENDING, a RUNNING
        """,
    )


def test_a_revert_to_a_savepoint_of_a_run_under_way_keeps_to_it() -> None:
    tell(
        flow("f", task("a"), savepoint("s"), task("b")),
        """
        start       -> run RUNNING, a RUNNING
        a ok        -> a SUCCESS, s RUNNING
        s ok        -> s SUCCESS, b RUNNING
        revert to s -> run RESUMING, run FAILURE
        b ok        -> b SUCCESS, run REVERTING, b REVERTING
        undo b ok   -> b REVERTED, run SUSPENDED
        """,
    )


def test_a_crash_does_not_make_a_rollback_forget_its_savepoint() -> None:
    tell(
        flow("f", task("a"), savepoint("s"), task("b")),
        """
        start       -> run RUNNING, a RUNNING
        a ok        -> a SUCCESS, s RUNNING
        s ok        -> s SUCCESS, b RUNNING
        b ok        -> b SUCCESS, run SUCCESS
        revert to s -> run REVERTING, b REVERTING
        resume      -> run RESUMING, run REVERTING
        undo b ok   -> b REVERTED, run SUSPENDED
        """,
    )


def test_a_savepoint_that_was_not_reached_is_refused_and_nothing_is_undone() -> None:
    told = Told(Machine(compile_flow(definition(flow("f", task("a"), savepoint("s"))))))
    told.all("start -> run RUNNING, a RUNNING")
    with pytest.raises(RefusedError, match="s was not reached"):
        told.receive("revert to s")
    told.all("a ok -> a SUCCESS, s RUNNING")


# ---------------------------------------------------------------------- pivots


def test_past_a_pivot_a_failure_stops_the_run_and_what_failed_may_be_tried_again() -> None:
    tell(
        flow("f", task("a"), task("p", pivot=True), task("b")),
        """
        start   -> run RUNNING, a RUNNING
        a ok    -> a SUCCESS, p RUNNING
        p ok    -> p SUCCESS, b RUNNING
        b fails -> b FAILURE, run FAILURE, run SUSPENDED
        resume  -> run RESUMING, run RUNNING, b RETRYING, b RUNNING
        b ok    -> b SUCCESS, run SUCCESS
        """,
    )


def test_before_its_pivot_has_succeeded_a_run_rolls_back() -> None:
    tell(
        flow("f", task("a"), task("p", pivot=True)),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, p RUNNING
        p fails   -> p FAILURE, run FAILURE, run REVERTING, p REVERTING
        undo p ok -> p REVERTED, a REVERTING
        undo a ok -> a REVERTED, run REVERTED
        """,
    )


def test_a_pivot_that_succeeds_while_the_run_fails_is_a_point_of_no_return_all_the_same() -> None:
    tell(
        flow("f", task("a"), task("p", pivot=True), pattern="unordered"),
        """
        start   -> run RUNNING, a RUNNING, p RUNNING
        a fails -> a FAILURE, run FAILURE
        p ok    -> p SUCCESS, run SUSPENDED
        """,
        jobs=2,
    )


def test_a_controller_does_not_run_a_pivot_again() -> None:
    told = tell(
        flow("f", task("p", pivot=True), task("b"), retry={"attempts": 3}),
        """
        start   -> run RUNNING, retry f RUNNING, retry f SUCCESS, p RUNNING
        p ok    -> p SUCCESS, b RUNNING
        b fails -> b FAILURE, run FAILURE, run SUSPENDED
        """,
    )
    assert told.data("b", "FAILURE")["scope"] == RUN
    assert told.data("f", "FAILURE") == {}  # it is b that failed


def test_a_pivot_that_succeeds_while_its_flow_drains_keeps_the_flow_from_running_again() -> None:
    told = tell(
        flow("f", task("a"), task("p", pivot=True), pattern="unordered", retry={"attempts": 3}),
        """
        start   -> run RUNNING, retry f RUNNING, retry f SUCCESS, a RUNNING, p RUNNING
        a fails -> a FAILURE
        p ok    -> p SUCCESS, run FAILURE, run SUSPENDED
        """,
        jobs=2,
    )
    assert told.data("f", "FAILURE")["failure"]["type"] == "PastPivot"


def test_a_flow_behind_the_pivot_runs_again_on_its_own() -> None:
    tell(
        flow("f", task("p", pivot=True), flow("g", task("a"), retry={"attempts": 2})),
        """
        start     -> run RUNNING, p RUNNING
        p ok      -> p SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING
        a fails   -> a FAILURE, a REVERTING
        undo a ok -> a REVERTED, retry g RETRYING, a PENDING, retry g RUNNING, retry g SUCCESS, a RUNNING
        """,
    )


def test_cancelling_past_a_pivot_only_stops() -> None:
    tell(
        flow("f", task("p", pivot=True), task("b")),
        """
        start   -> run RUNNING, p RUNNING
        p ok    -> p SUCCESS, b RUNNING
        cancel  -> run FAILURE | stop b 1
        b fails -> b FAILURE, run SUSPENDED
        """,
    )


def test_a_revert_past_a_pivot_is_refused_unless_forced() -> None:
    workflow = flow("f", task("a"), task("p", pivot=True), savepoint("s"), task("b"))
    story = """
        start       -> run RUNNING, a RUNNING
        a ok        -> a SUCCESS, p RUNNING
        p ok        -> p SUCCESS, s RUNNING
        s ok        -> s SUCCESS, b RUNNING
    """
    told = tell(workflow, story)
    with pytest.raises(RefusedError, match="point of no return"):
        told.receive("revert")
    told.all("""
        revert to s     -> run RESUMING, run FAILURE
        b ok            -> b SUCCESS, run REVERTING, b REVERTING
        undo b ok       -> b REVERTED, run SUSPENDED
        revert by force -> run REVERTING, s REVERTING, s REVERTED, p REVERTING
        undo p ok       -> p REVERTED, a REVERTING
        undo a ok       -> a REVERTED, run REVERTED
    """)


def test_a_forced_revert_of_a_run_under_way_goes_past_its_pivot() -> None:
    tell(
        flow("f", task("p", pivot=True), task("b")),
        """
        start           -> run RUNNING, p RUNNING
        p ok            -> p SUCCESS, b RUNNING
        revert by force -> run RESUMING, run FAILURE
        b ok            -> b SUCCESS, run REVERTING, b REVERTING
        undo b ok       -> b REVERTED, p REVERTING
        undo p ok       -> p REVERTED, run REVERTED
        """,
    )


def test_a_person_settles_an_undo_that_a_stopped_run_was_about_to_try_again() -> None:
    once = {"retry": {"attempts": 1}}
    tasks = [task("a", undo=once), task("b", undo=once), task("c")]
    compiled = compile_flow(
        definition(flow("f", *tasks, pattern="unordered", retry={"attempts": 2}, on_failure="stop"))
    )
    told = Told(Machine(compiled, jobs=3))
    told.all("""
        start        -> run RUNNING, retry f RUNNING, retry f SUCCESS, a RUNNING, b RUNNING, c RUNNING
        c fails      -> c FAILURE
        a ok         -> a SUCCESS
        b ok         -> b SUCCESS, c REVERTING, b REVERTING, a REVERTING
        undo a fails -> a REVERT_FAILURE, run FAILURE
        undo b fails -> b REVERT_FAILURE
        undo c ok    -> c REVERTED, run SUSPENDED
    """)
    told.machine = Machine.restore(compiled, told.journal, jobs=1)
    told.all("""
        resume           -> run RESUMING, run RUNNING, c PENDING, b REVERTING | undo b 2
        resolve a undone -> a REVERTED, a PENDING |
        undo b ok        -> b REVERTED, b PENDING, a RUNNING | do a 2
        a ok             -> a SUCCESS, b RUNNING
    """)


def test_a_run_may_be_taken_over_with_fewer_jobs() -> None:
    compiled = compile_flow(definition(flow("f", *map(task, "abcd"), pattern="unordered")))
    told = Told(Machine(compiled, jobs=3))
    told.all("start -> run RUNNING, a RUNNING, b RUNNING, c RUNNING")
    told.machine = Machine.restore(compiled, told.journal, jobs=1)
    told.all("""
        resume -> run RESUMING, run RUNNING |
        a ok   -> a SUCCESS |
        b ok   -> b SUCCESS |
        c ok   -> c SUCCESS, d RUNNING | do d 1
    """)


def test_outcomes_left_open_take_their_turns_when_the_run_goes_on() -> None:
    """They were lost while it was being suspended, and may be more than there are places."""
    keys = {"on_lost": "rerun"}
    compiled = compile_flow(definition(flow("f", *(task(n, **keys) for n in "abc"), pattern="unordered")))
    told = Told(Machine(compiled, jobs=3))
    told.all("""
        start     -> run RUNNING, a RUNNING, b RUNNING, c RUNNING
        suspend   -> run SUSPENDING
        a is lost -> a UNKNOWN |
        b is lost -> b UNKNOWN |
        c is lost -> c UNKNOWN, run SUSPENDED |
    """)
    told.machine = Machine.restore(compiled, told.journal, jobs=2)
    told.all("""
        resume -> run RESUMING, run RUNNING, a RUNNING, b RUNNING | do a 2, do b 2
        a ok   -> a SUCCESS, c RUNNING | do c 2
    """)


def test_a_run_that_is_reverted_before_it_started_is_left_alone() -> None:
    machine = Machine(compile_flow(definition(flow("f", task("a")))))
    assert machine.receive(e.RevertRequested(0.0)).transitions == []
