"""Retry controllers: what they bring down, how often they run their flow, what else goes on meanwhile."""

from tests.engine.building import flow, task
from tests.engine.telling import tell


def test_a_failure_undoes_the_flow_up_to_its_controller_and_runs_it_again() -> None:
    tell(
        flow("f", task("z"), flow("g", task("a"), task("b"), retry={"attempts": 2})),
        """
        start     -> run RUNNING, z RUNNING
        z ok      -> z SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b fails   -> b FAILURE, b REVERTING
        undo b ok -> b REVERTED, a REVERTING
        undo a ok -> a REVERTED, retry g RETRYING, a PENDING, b PENDING, retry g RUNNING, retry g SUCCESS, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b fails   -> b FAILURE, run FAILURE, run REVERTING, b REVERTING
        undo b ok -> b REVERTED, a REVERTING
        undo a ok -> a REVERTED, retry g REVERTING, retry g REVERTED, z REVERTING
        undo z ok -> z REVERTED, run REVERTED
        """,
    )


def test_attempts_are_never_counted_anew_and_tries_are() -> None:
    told = tell(
        flow("f", task("a", retry={"attempts": 2}), retry={"attempts": 2}),
        """
        start     -> run RUNNING, retry f RUNNING, retry f SUCCESS, a RUNNING | do a 1
        a fails   -> a FAILURE, a RETRYING, a RUNNING | do a 2
        a fails   -> a FAILURE, a REVERTING | undo a 1
        undo a ok -> a REVERTED, retry f RETRYING, a PENDING, retry f RUNNING, retry f SUCCESS, a RUNNING | do a 3
        a fails   -> a FAILURE, a RETRYING, a RUNNING | do a 4
        """,
    )
    assert told.machine.record.base[told.nodes["a"]] == 2


def test_an_exhausted_controller_hands_over_to_the_one_around_it() -> None:
    tell(
        flow("f", task("z"), flow("g", task("a"), retry={"attempts": 1}), retry={"attempts": 2}),
        """
        start     -> run RUNNING, retry f RUNNING, retry f SUCCESS, z RUNNING
        z ok      -> z SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING
        a fails   -> a FAILURE, a REVERTING
        undo a ok -> a REVERTED, retry g REVERTING, retry g REVERTED, z REVERTING
        undo z ok -> z REVERTED, retry f RETRYING, z PENDING, retry g PENDING, a PENDING, retry f RUNNING, retry f SUCCESS, z RUNNING
        """,
    )


def test_a_controller_that_reverts_all_does_not_ask_the_one_around_it() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a"), retry={"attempts": 1, "exhausted": "revert_all"}),
            retry={"attempts": 2},
        ),
        """
        start   -> run RUNNING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING
        a fails -> a FAILURE, run FAILURE, run REVERTING, a REVERTING
        """,
    )


def test_the_delay_of_a_controller_holds_up_its_own_flow_alone() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a"), retry={"attempts": 2, "delay": 7.0}),
            flow("h", task("b"), task("c")),
            pattern="unordered",
        ),
        """
        start     -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING
        a fails   -> a FAILURE, a REVERTING
        undo a ok -> a REVERTED, retry g RETRYING, a PENDING, b RUNNING | wait g 7, do b 1
        timer g   -> retry g RUNNING, retry g SUCCESS |
        b ok      -> b SUCCESS, a RUNNING | do a 2
        a ok      -> a SUCCESS, c RUNNING
        """,
    )


def test_with_one_job_the_undo_of_a_flow_comes_before_any_other_task() -> None:
    tell(
        flow("f", flow("g", task("a"), task("b"), retry={"attempts": 2}), task("c"), pattern="unordered"),
        """
        start     -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b fails   -> b FAILURE, b REVERTING
        undo b ok -> b REVERTED, a REVERTING
        """,
    )


def test_a_flow_that_needs_no_command_to_be_undone_runs_again_before_any_other_task_starts() -> None:
    tell(
        flow("f", flow("g", task("a", undo="none"), retry={"attempts": 2}), task("b"), pattern="unordered"),
        """
        start   -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING
        a fails -> a FAILURE, a REVERTING, a REVERTED, retry g RETRYING, a PENDING, retry g RUNNING, retry g SUCCESS, a RUNNING
        """,
    )


def test_while_a_flow_drains_only_that_flow_starts_nothing() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a"), task("b"), task("c"), pattern="unordered", retry={"attempts": 2}),
            flow("h", task("x"), task("y")),
            pattern="unordered",
        ),
        """
        start     -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING, b RUNNING
        a fails   -> a FAILURE, x RUNNING | do x 1
        x ok      -> x SUCCESS, y RUNNING | do y 1
        b ok      -> b SUCCESS, b REVERTING | undo b 1
        undo b ok -> b REVERTED, a REVERTING
        undo a ok -> a REVERTED, retry g RETRYING, a PENDING, b PENDING, retry g RUNNING, retry g SUCCESS, a RUNNING | do a 2
        """,
        jobs=2,
    )


def test_a_failing_outer_flow_takes_an_inner_one_with_it_that_is_being_undone() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a"), task("b"), retry={"attempts": 5}),
            task("c"),
            pattern="unordered",
            retry={"attempts": 2},
        ),
        """
        start     -> run RUNNING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING, c RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b fails   -> b FAILURE, b REVERTING | undo b 1
        c fails   -> c FAILURE, c REVERTING | undo c 1
        undo b ok -> b REVERTED, a REVERTING | undo a 1
        undo a ok -> a REVERTED, retry g REVERTING, retry g REVERTED
        undo c ok -> c REVERTED, retry f RETRYING, retry g PENDING, a PENDING, b PENDING, c PENDING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING, c RUNNING
        """,
        jobs=2,
    )


def test_an_inner_flow_that_is_being_undone_waits_for_the_outer_one_to_drain() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a"), task("b"), retry={"attempts": 5}),
            task("c"),
            task("d"),
            pattern="unordered",
            retry={"attempts": 2},
        ),
        """
        start     -> run RUNNING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING, c RUNNING, d RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b fails   -> b FAILURE, b REVERTING | undo b 1
        c fails   -> c FAILURE |
        undo b ok -> b REVERTED |
        d ok      -> d SUCCESS, d REVERTING, c REVERTING, a REVERTING
        """,
        jobs=3,
    )


def both_draining(first: str, second: str) -> None:
    """Two failures, in one flow and in the one around it; nothing is undone before all around has drained."""
    tell(
        flow(
            "f",
            flow("g", task("a"), task("b"), pattern="unordered", retry={"attempts": 5}),
            task("c"),
            task("d"),
            pattern="unordered",
            retry={"attempts": 2},
        ),
        f"""
        start          -> run RUNNING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING, b RUNNING, c RUNNING, d RUNNING
        {first} fails  -> {first} FAILURE |
        {second} fails -> {second} FAILURE |
        b ok           -> b SUCCESS |
        d ok           -> d SUCCESS, d REVERTING, c REVERTING, b REVERTING, a REVERTING
        undo a ok      -> a REVERTED
        undo b ok      -> b REVERTED, retry g REVERTING, retry g REVERTED
        """,
        jobs=4,
    )


def test_a_flow_that_fails_while_the_outer_one_drains_waits_for_it() -> None:
    both_draining("c", "a")


def test_a_flow_that_drains_waits_for_the_outer_one_that_fails_later() -> None:
    both_draining("a", "c")


def test_undos_that_had_no_place_yet_wait_for_the_outer_flow_to_drain() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a"), task("b"), pattern="unordered", retry={"attempts": 5}),
            task("c"),
            task("d"),
            pattern="unordered",
            retry={"attempts": 2},
        ),
        """
        start     -> run RUNNING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING, b RUNNING, c RUNNING
        a ok      -> a SUCCESS, d RUNNING
        b fails   -> b FAILURE, b REVERTING
        c fails   -> c FAILURE |
        undo b ok -> b REVERTED |
        d ok      -> d SUCCESS, d REVERTING, c REVERTING, a REVERTING
        """,
        jobs=3,
    )


def test_an_undo_between_two_tries_goes_on_when_the_run_fails_while_its_flow_drains() -> None:
    slow = {"retry": {"attempts": 2, "delay": 9.0}}
    inner = flow("g", task("a", undo=slow), retry={"attempts": 5})
    outer = flow("h", inner, task("c"), task("d"), pattern="unordered", retry={"attempts": 2})
    tell(
        flow("f", outer, task("z"), pattern="unordered"),
        """
        start        -> run RUNNING, retry h RUNNING, retry h SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING, c RUNNING, d RUNNING, z RUNNING
        a fails      -> a FAILURE, a REVERTING
        undo a fails -> a (warning) | wait a 9
        c fails      -> c FAILURE |
        z fails      -> z FAILURE, run FAILURE |
        d ok         -> d SUCCESS, run REVERTING, z REVERTING, d REVERTING, c REVERTING | wait a 9, undo z 1, undo d 1, undo c 1
        timer a      -> a (warning) | undo a 2
        """,
        jobs=4,
    )


def test_while_one_flow_drains_others_retry_decide_and_settle_as_ever() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a"), task("b"), pattern="unordered", retry={"attempts": 2}),
            task("x", retry={"attempts": 2}),
            task("y", **{"if": "x"}),
            task("z", on_lost="rerun"),
            pattern="unordered",
        ),
        """
        start        -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING, b RUNNING, x RUNNING, z RUNNING | do a 1, do b 1, do x 1, ask y, do z 1
        a fails      -> a FAILURE |
        x fails      -> x FAILURE, x RETRYING, x RUNNING | do x 2
        if y is true -> y RUNNING | do y 1
        z is lost    -> z UNKNOWN, z RUNNING | do z 2
        """,
        jobs=5,
        restore=False,
    )


def test_an_inner_controller_that_waits_is_undone_with_the_outer_flow() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a"), retry={"attempts": 2, "delay": 60.0}),
            task("c"),
            pattern="unordered",
            retry={"attempts": 2},
        ),
        """
        start     -> run RUNNING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING
        a fails   -> a FAILURE, a REVERTING
        undo a ok -> a REVERTED, retry g RETRYING, a PENDING, c RUNNING | wait g 60, do c 1
        c fails   -> c FAILURE, c REVERTING
        undo c ok -> c REVERTED, retry g REVERTING, retry g REVERTED, retry f RETRYING, retry g PENDING, c PENDING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING
        """,
    )


def test_an_undo_between_two_tries_is_not_lost_when_an_outer_flow_fails() -> None:
    slow = {"retry": {"attempts": 2, "delay": 9.0}}
    tell(
        flow(
            "f",
            flow("g", task("a", undo=slow), retry={"attempts": 5}),
            task("c"),
            pattern="unordered",
            retry={"attempts": 2},
        ),
        """
        start        -> run RUNNING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING, c RUNNING
        a fails      -> a FAILURE, a REVERTING
        undo a fails -> a (warning) | wait a 9
        c fails      -> c FAILURE, c REVERTING
        undo c ok    -> c REVERTED |
        timer a      -> a (warning) | undo a 2
        undo a ok    -> a REVERTED, retry g REVERTING, retry g REVERTED, retry f RETRYING, retry g PENDING, a PENDING, c PENDING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING, c RUNNING
        """,
        jobs=2,
    )


def test_an_undo_whose_time_comes_while_the_outer_flow_drains_waits_for_the_undo_of_all() -> None:
    slow = {"retry": {"attempts": 2, "delay": 9.0}}
    told = tell(
        flow(
            "f",
            flow("g", task("a", undo=slow), retry={"attempts": 5}),
            task("c"),
            task("d"),
            pattern="unordered",
            retry={"attempts": 2},
        ),
        """
        start        -> run RUNNING, retry f RUNNING, retry f SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING, c RUNNING, d RUNNING
        a fails      -> a FAILURE, a REVERTING
        undo a fails -> a (warning) | wait a 9
        c fails      -> c FAILURE |
        """,
        jobs=3,
    )
    assert told.pending() == "do d 1, wait a 9"
    told.all("""
        timer a      -> |
        d ok         -> d SUCCESS, d REVERTING, c REVERTING, a (warning) | undo d 1, undo c 1, undo a 2
    """)


def test_an_undo_between_two_tries_is_not_lost_when_the_run_fails() -> None:
    slow = {"retry": {"attempts": 2, "delay": 9.0}}
    tell(
        flow(
            "f",
            flow("g", task("a", undo=slow), retry={"attempts": 5}),
            task("c"),
            task("d"),
            pattern="unordered",
        ),
        """
        start        -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING, c RUNNING
        a fails      -> a FAILURE, a REVERTING
        undo a fails -> a (warning), d RUNNING | wait a 9, do d 1
        c fails      -> c FAILURE, run FAILURE |
        d ok         -> d SUCCESS, run REVERTING, d REVERTING, c REVERTING | wait a 9, undo d 1, undo c 1
        undo d ok    -> d REVERTED
        undo c ok    -> c REVERTED
        timer a      -> a (warning) | undo a 2
        undo a ok    -> a REVERTED, retry g REVERTING, retry g REVERTED, run REVERTED
        """,
        jobs=2,
    )


def test_a_failed_undo_in_a_flow_that_is_to_run_again_fails_the_run_at_once() -> None:
    tell(
        flow(
            "f",
            flow("g", task("a", undo={"retry": {"attempts": 1}}), retry={"attempts": 5}),
            task("c"),
            pattern="unordered",
        ),
        """
        start        -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING, c RUNNING
        a fails      -> a FAILURE, a REVERTING
        undo a fails -> a REVERT_FAILURE, run FAILURE
        c ok         -> c SUCCESS, run REVERTING, c REVERTING
        undo c ok    -> c REVERTED, run FAILURE
        """,
        jobs=2,
    )


def test_a_run_that_fails_of_an_undo_says_so() -> None:
    told = tell(
        flow("f", flow("g", task("a", undo={"retry": {"attempts": 1}}), retry={"attempts": 5})),
        """
        start        -> run RUNNING, retry g RUNNING, retry g SUCCESS, a RUNNING
        a fails      -> a FAILURE, a REVERTING
        undo a fails -> a REVERT_FAILURE, run FAILURE, run REVERTING, run FAILURE
        """,
    )
    failures = [
        t.data["failure"] for t in told.journal if t.kind == "flow" and t.data and "failure" in t.data
    ]
    assert failures == [{"type": "RevertFailure", "message": "a was not undone"}]


def test_a_flow_with_something_irreversible_does_not_run_again() -> None:
    tell(
        flow("f", task("z"), flow("g", task("a", undo="impossible"), task("b"), retry={"attempts": 5})),
        """
        start     -> run RUNNING, z RUNNING
        z ok      -> z SUCCESS, retry g RUNNING, retry g SUCCESS, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b fails   -> b FAILURE, b REVERTING
        undo b ok -> b REVERTED, a REVERTING, a REVERT_FAILURE, run FAILURE, run REVERTING, retry g REVERTING, retry g REVERTED, z REVERTING
        undo z ok -> z REVERTED, run FAILURE
        """,
    )


def test_what_had_no_effect_is_simply_reset() -> None:
    tell(
        flow(
            "f",
            task("a"),
            task("b", **{"if": "x"}),
            task("c", allow_failure=True),
            task("d"),
            retry={"attempts": 2},
        ),
        """
        start          -> run RUNNING, retry f RUNNING, retry f SUCCESS, a RUNNING
        a was there    -> a SUCCESS | ask b
        if b is false  -> b IGNORE, c RUNNING
        c never begins -> c FAILURE, d RUNNING
        d never begins -> d FAILURE, retry f RETRYING, a PENDING, b PENDING, c PENDING, d PENDING, retry f RUNNING, retry f SUCCESS, a RUNNING
        """,
    )


# ---------------------------------------------------------------------- lists of values


def test_a_controller_with_a_list_runs_its_flow_once_for_each_value() -> None:
    tell(
        flow("f", task("a"), retry={"for_each": ["x", "y"]}),
        """
        start     -> run RUNNING, retry f RUNNING, retry f SUCCESS, a RUNNING
        a fails   -> a FAILURE, a REVERTING
        undo a ok -> a REVERTED, retry f RETRYING, a PENDING, retry f RUNNING, retry f SUCCESS, a RUNNING
        a fails   -> a FAILURE, run FAILURE, run REVERTING, a REVERTING
        """,
    )


def test_a_controller_with_a_list_to_be_evaluated_asks_once_for_all_its_rounds() -> None:
    told = tell(
        flow("f", task("a"), retry={"for_each": "inputs.mirrors"}),
        """
        start        -> run RUNNING | list f
        list f has 2 -> retry f RUNNING, retry f SUCCESS, a RUNNING
        a fails      -> a FAILURE, a REVERTING
        undo a ok    -> a REVERTED, retry f RETRYING, a PENDING, retry f RUNNING, retry f SUCCESS, a RUNNING | do a 2
        a fails      -> a FAILURE, run FAILURE, run REVERTING, a REVERTING
        """,
    )
    assert told.machine.record.counts == {0: 2}


def test_the_list_of_an_inner_controller_is_evaluated_anew_in_each_round_of_the_outer_one() -> None:
    tell(
        flow("f", flow("g", task("a"), retry={"for_each": "x"}), retry={"attempts": 2}),
        """
        start        -> run RUNNING, retry f RUNNING, retry f SUCCESS | list g
        list g has 1 -> retry g RUNNING, retry g SUCCESS, a RUNNING
        a fails      -> a FAILURE, a REVERTING
        undo a ok    -> a REVERTED, retry g REVERTING, retry g REVERTED, retry f RETRYING, retry g PENDING, a PENDING, retry f RUNNING, retry f SUCCESS | list g
        """,
    )


def test_a_controller_without_values_fails_its_flow_before_it_starts() -> None:
    for words in ({"for_each": []}, {"for_each": "x"}):
        line = "list g has 0 ->" if words["for_each"] else "start -> run RUNNING,"
        before = "start -> run RUNNING | list g" if words["for_each"] else ""
        told = tell(
            flow("f", flow("g", task("a"), retry=words)),
            f"""
            {before}
            {line} retry g RUNNING, retry g FAILURE, run FAILURE, run REVERTING, run REVERTED |
            """,
        )
        assert told.data("g", "FAILURE")["failure"]["type"] == "NothingToTry"


def test_a_list_that_cannot_be_evaluated_is_for_the_outer_controller() -> None:
    tell(
        flow("f", task("z"), flow("g", task("a"), retry={"for_each": "x"}), retry={"attempts": 2}),
        """
        start            -> run RUNNING, retry f RUNNING, retry f SUCCESS, z RUNNING
        z ok             -> z SUCCESS | list g
        list g has wrong -> retry g RUNNING, retry g FAILURE, z REVERTING
        undo z ok        -> z REVERTED, retry f RETRYING, z PENDING, retry g PENDING, retry f RUNNING, retry f SUCCESS, z RUNNING
        """,
    )


def test_a_stopped_run_asks_for_the_list_again() -> None:
    tell(
        flow("f", flow("g", task("a"), retry={"for_each": "x"}), on_failure="stop"),
        """
        start            -> run RUNNING | list g
        list g has wrong -> retry g RUNNING, retry g FAILURE, run FAILURE, run SUSPENDED
        resume           -> run RESUMING, run RUNNING, retry g PENDING | list g
        list g has 1     -> retry g RUNNING, retry g SUCCESS, a RUNNING
        """,
    )


def test_a_list_that_arrives_in_a_suspended_run_is_asked_for_again() -> None:
    tell(
        flow("f", task("a"), retry={"for_each": "x"}),
        """
        start        -> run RUNNING | list f
        suspend      -> run SUSPENDING |
        list f has 2 -> run SUSPENDED |
        resume       -> run RESUMING, run RUNNING | list f
        """,
        restore=False,
    )
