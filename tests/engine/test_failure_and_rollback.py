"""What a failure brings down: the rollback, its order, undos that fail, and what cannot be undone."""

from tests.engine.building import flow, task
from tests.engine.telling import tell


def test_a_failed_task_is_undone_first_and_then_the_rest_in_reverse() -> None:
    tell(
        flow("f", task("a"), task("b"), task("c")),
        """
        start      -> run RUNNING, a RUNNING | do a 1
        a ok       -> a SUCCESS, b RUNNING | do b 1
        b fails    -> b FAILURE, run FAILURE, run REVERTING, b REVERTING | undo b 1
        undo b ok  -> b REVERTED, a REVERTING | undo a 1
        undo a ok  -> a REVERTED, run REVERTED |
        """,
    )


def test_running_siblings_finish_before_the_rollback_begins() -> None:
    tell(
        flow("f", task("a"), task("b"), task("c"), pattern="unordered"),
        """
        start      -> run RUNNING, a RUNNING, b RUNNING | do a 1, do b 1
        a fails    -> a FAILURE, run FAILURE |
        b ok       -> b SUCCESS, run REVERTING, b REVERTING, a REVERTING | undo b 1, undo a 1
        undo a ok  -> a REVERTED
        undo b ok  -> b REVERTED, run REVERTED
        """,
        jobs=2,
    )


def test_what_never_began_is_not_undone() -> None:
    tell(
        flow("f", task("a"), task("b")),
        """
        start          -> run RUNNING, a RUNNING
        a ok           -> a SUCCESS, b RUNNING
        b never begins -> b FAILURE, run FAILURE, run REVERTING, a REVERTING | undo a 1
        undo a ok      -> a REVERTED, run REVERTED
        """,
    )


def test_what_was_there_before_is_not_undone() -> None:
    tell(
        flow("f", task("a"), task("b")),
        """
        start       -> run RUNNING, a RUNNING
        a was there -> a SUCCESS, b RUNNING
        b fails     -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        undo b ok   -> b REVERTED, run REVERTED
        """,
    )


def test_an_attempt_that_never_begins_does_not_hide_what_an_earlier_one_left() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 2})),
        """
        start          -> run RUNNING, a RUNNING
        a fails        -> a FAILURE, a RETRYING, a RUNNING | do a 2
        a never begins -> a FAILURE, run FAILURE, run REVERTING, a REVERTING | undo a 1
        undo a ok      -> a REVERTED, run REVERTED
        """,
    )


def test_a_second_attempt_that_finds_its_own_work_does_not_disown_it() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 2}), task("b")),
        """
        start       -> run RUNNING, a RUNNING
        a fails     -> a FAILURE, a RETRYING, a RUNNING
        a was there -> a SUCCESS, b RUNNING
        b fails     -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        undo b ok   -> b REVERTED, a REVERTING | undo a 1
        undo a ok   -> a REVERTED, run REVERTED
        """,
    )


def test_attempts_that_never_began_leave_no_task_between_two_attempts() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 2, "delay": 9.0}), task("b"), pattern="unordered"),
        """
        start          -> run RUNNING, a RUNNING, b RUNNING
        a never begins -> a FAILURE, a RETRYING | wait a 9
        b fails        -> b FAILURE, run FAILURE, run REVERTING, b REVERTING, a REVERTING, a REVERTED | undo b 1
        undo b ok      -> b REVERTED, run REVERTED
        """,
        jobs=2,
    )


def test_a_failure_that_would_only_repeat_itself_is_not_retried() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 3})),
        """
        start            -> run RUNNING, a RUNNING
        a fails          -> a FAILURE, a RETRYING, a RUNNING
        a fails for good -> a FAILURE, run FAILURE, run REVERTING, a REVERTING
        """,
    )


def test_the_delay_grows_with_each_try() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 4, "delay": 2.0, "backoff": 3.0})),
        """
        start         -> run RUNNING, a RUNNING
        a fails       -> a FAILURE, a RETRYING | wait a 2
        timer a       -> a RUNNING
        a fails       -> a FAILURE, a RETRYING | wait a 8
        """,
    )


def test_a_task_with_nothing_to_undo_is_reverted_without_a_command() -> None:
    tell(
        flow("f", task("a", undo="none"), task("b", undo="unstated"), task("c")),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b ok      -> b SUCCESS, c RUNNING
        c fails   -> c FAILURE, run FAILURE, run REVERTING, c REVERTING
        undo c ok -> c REVERTED, b REVERTING, b REVERTED, a REVERTING, a REVERTED, run REVERTED |
        """,
    )


def test_a_tolerated_failure_lets_the_run_go_on_and_is_undone_with_it() -> None:
    tell(
        flow("f", task("a", allow_failure=True), task("b")),
        """
        start     -> run RUNNING, a RUNNING
        a fails   -> a FAILURE, b RUNNING
        b fails   -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        undo b ok -> b REVERTED, a REVERTING
        undo a ok -> a REVERTED, run REVERTED
        """,
    )


# ---------------------------------------------------------------------- undos that fail


def test_a_failing_undo_is_tried_again_and_then_what_it_depended_on_stays() -> None:
    told = tell(
        flow("f", task("a"), task("b", undo={"retry": {"attempts": 2, "delay": 4.0}}), task("c")),
        """
        start        -> run RUNNING, a RUNNING
        a ok         -> a SUCCESS, b RUNNING
        b fails      -> b FAILURE, run FAILURE, run REVERTING, b REVERTING | undo b 1
        undo b fails -> b (warning) | wait b 4
        timer b      -> b (warning) | undo b 2
        undo b fails -> b REVERT_FAILURE, run FAILURE |
        """,
    )
    assert told.machine.over
    assert told.machine.record.residue() == [told.nodes["a"], told.nodes["b"]]


def test_a_revert_goes_on_where_a_failed_undo_stopped_it() -> None:
    tell(
        flow("f", task("a"), task("b", undo={"retry": {"attempts": 1}})),
        """
        start        -> run RUNNING, a RUNNING
        a ok         -> a SUCCESS, b RUNNING
        b fails      -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        undo b fails -> b REVERT_FAILURE, run FAILURE
        revert       -> run RESUMING, run REVERTING, b REVERTING | undo b 2
        undo b fails -> b REVERT_FAILURE, run FAILURE
        revert       -> run RESUMING, run REVERTING, b REVERTING | undo b 3
        undo b ok    -> b REVERTED, a REVERTING | undo a 1
        undo a ok    -> a REVERTED, run REVERTED
        """,
    )


def test_an_undo_that_says_it_is_final_is_not_tried_again() -> None:
    tell(
        flow("f", task("a")),
        """
        start                 -> run RUNNING, a RUNNING
        a fails               -> a FAILURE, run FAILURE, run REVERTING, a REVERTING
        undo a fails for good -> a REVERT_FAILURE, run FAILURE
        """,
    )


def test_branches_that_do_not_depend_on_a_failed_undo_are_undone() -> None:
    stubborn = {"retry": {"attempts": 1}}
    tell(
        flow(
            "f",
            task("a"),
            task("b", "a", undo=stubborn),
            task("c"),
            task("bad", "b", "c"),
            pattern="graph",
        ),
        """
        start        -> run RUNNING, a RUNNING
        a ok         -> a SUCCESS, b RUNNING
        b ok         -> b SUCCESS, c RUNNING
        c ok         -> c SUCCESS, bad RUNNING
        bad fails    -> bad FAILURE, run FAILURE, run REVERTING, bad REVERTING
        undo bad ok  -> bad REVERTED, c REVERTING
        undo c ok    -> c REVERTED, b REVERTING
        undo b fails -> b REVERT_FAILURE, run FAILURE
        """,
    )


def test_a_crash_in_a_rollback_is_nobody_asking_for_another_try() -> None:
    stubborn = {"retry": {"attempts": 1}}
    tell(
        flow("f", task("a"), task("b", undo=stubborn), pattern="unordered"),
        """
        start        -> run RUNNING, a RUNNING, b RUNNING
        a fails      -> a FAILURE, run FAILURE
        b ok         -> b SUCCESS, run REVERTING, b REVERTING, a REVERTING
        undo b fails -> b REVERT_FAILURE
        resume       -> run RESUMING, run REVERTING |
        undo a ok    -> a REVERTED, run FAILURE
        resume       -> run RESUMING, run REVERTING, b REVERTING | undo b 2
        """,
        jobs=2,
    )


def test_a_person_settles_a_failed_undo_and_the_rollback_goes_on() -> None:
    tell(
        flow("f", task("a"), task("b", undo={"retry": {"attempts": 1}})),
        """
        start            -> run RUNNING, a RUNNING
        a ok             -> a SUCCESS, b RUNNING
        b fails          -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        undo b fails     -> b REVERT_FAILURE, run FAILURE
        resolve b undone -> b REVERTED
        revert           -> run RESUMING, run REVERTING, a REVERTING | undo a 1
        undo a ok        -> a REVERTED, run REVERTED
        """,
    )


def test_a_rollback_that_is_under_way_goes_on_at_once_when_a_person_settles_an_undo() -> None:
    stubborn = {"retry": {"attempts": 1}}
    tell(
        flow(
            "f",
            flow("g", task("a"), task("b", undo=stubborn)),
            flow("h", task("c"), task("d")),
            task("bad"),
            pattern="unordered",
        ),
        """
        start            -> run RUNNING, a RUNNING, c RUNNING
        a ok             -> a SUCCESS, b RUNNING
        c ok             -> c SUCCESS, d RUNNING
        b ok             -> b SUCCESS, bad RUNNING
        d ok             -> d SUCCESS
        bad fails        -> bad FAILURE, run FAILURE, run REVERTING, bad REVERTING, d REVERTING
        undo bad ok      -> bad REVERTED, b REVERTING
        undo b fails     -> b REVERT_FAILURE
        resolve b undone -> b REVERTED, a REVERTING | undo a 1
        undo d ok        -> d REVERTED, c REVERTING
        undo a ok        -> a REVERTED
        undo c ok        -> c REVERTED, run REVERTED
        """,
        jobs=2,
    )


def test_an_irreversible_task_is_told_of_and_what_is_behind_it_is_undone_all_the_same() -> None:
    told = tell(
        flow("f", task("a"), task("b", undo="impossible"), task("c")),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b ok      -> b SUCCESS, c RUNNING
        c fails   -> c FAILURE, run FAILURE, run REVERTING, c REVERTING
        undo c ok -> c REVERTED, b REVERTING, b REVERT_FAILURE, a REVERTING | undo a 1
        undo a ok -> a REVERTED, run FAILURE
        revert    -> run RESUMING, run REVERTING, run FAILURE
        """,
    )
    assert told.data("b", "REVERT_FAILURE")["failure"]["type"] == "Irreversible"


def test_with_one_job_an_undo_between_two_tries_keeps_its_place() -> None:
    """Else the order of a serial rollback would depend on time."""
    slow = {"retry": {"attempts": 2, "delay": 5.0}}
    tell(
        flow("f", task("a"), task("b", undo=slow), pattern="unordered"),
        """
        start        -> run RUNNING, a RUNNING
        a ok         -> a SUCCESS, b RUNNING
        b fails      -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        undo b fails -> b (warning) | wait b 5
        timer b      -> b (warning) | undo b 2
        undo b ok    -> b REVERTED, a REVERTING
        undo a ok    -> a REVERTED, run REVERTED
        """,
    )


def test_with_more_jobs_an_undo_between_two_tries_leaves_its_place_to_others() -> None:
    slow = {"retry": {"attempts": 2, "delay": 5.0}}
    tell(
        flow("f", task("a"), task("b"), task("c", undo=slow), pattern="unordered"),
        """
        start        -> run RUNNING, a RUNNING, b RUNNING
        a ok         -> a SUCCESS, c RUNNING
        b ok         -> b SUCCESS
        c fails      -> c FAILURE, run FAILURE, run REVERTING, c REVERTING, b REVERTING | undo c 1, undo b 1
        undo c fails -> c (warning), a REVERTING | wait c 5, undo a 1
        timer c      -> |
        undo a ok    -> a REVERTED, c (warning) | undo c 2
        undo b ok    -> b REVERTED
        undo c ok    -> c REVERTED, run REVERTED
        """,
        jobs=2,
        restore=False,
    )


def test_a_lost_undo_is_done_again_and_does_not_count_as_a_try() -> None:
    tell(
        flow("f", task("a", undo={"retry": {"attempts": 2}})),
        """
        start          -> run RUNNING, a RUNNING
        a fails        -> a FAILURE, run FAILURE, run REVERTING, a REVERTING | undo a 1
        undo a is lost -> a (warning), a (warning) | undo a 2
        undo a is lost -> a (warning), a (warning) | undo a 3
        undo a fails   -> a (warning), a (warning) | undo a 4
        undo a fails   -> a REVERT_FAILURE, run FAILURE
        """,
    )


def test_a_finished_run_can_be_reverted() -> None:
    tell(
        flow("f", task("a"), task("b")),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b ok      -> b SUCCESS, run SUCCESS
        revert    -> run REVERTING, b REVERTING | undo b 1
        undo b ok -> b REVERTED, a REVERTING
        undo a ok -> a REVERTED, run REVERTED
        revert    ->
        resume    ->
        """,
    )
