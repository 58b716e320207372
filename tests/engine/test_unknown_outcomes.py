"""A crash took the outcome: the probe is asked, then `on_lost` decides, then a person."""

import pytest

from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.engine.flow import compile_flow
from taskrun.engine.machine import Machine
from taskrun.errors import RefusedError
from tests.engine.building import definition, flow, task
from tests.engine.telling import Told, tell

PROBE = {"kind": "run", "fields": {}}


# ---------------------------------------------------------------------- on_lost


def test_a_lost_attempt_is_repeated_where_the_file_says_it_may_be() -> None:
    tell(
        flow("f", task("a", on_lost="rerun")),
        """
        start     -> run RUNNING, a RUNNING
        a is lost -> a UNKNOWN, a RUNNING | do a 2
        a ok      -> a SUCCESS, run SUCCESS
        """,
    )


def test_a_lost_attempt_counts_as_a_try() -> None:
    tell(
        flow("f", task("a", on_lost="rerun", retry={"attempts": 2})),
        """
        start     -> run RUNNING, a RUNNING
        a is lost -> a UNKNOWN, a RUNNING
        a fails   -> a FAILURE, run FAILURE, run REVERTING, a REVERTING
        """,
    )


def test_a_lost_attempt_is_undone_and_then_made_again() -> None:
    told = tell(
        flow("f", task("a"), task("b")),
        """
        start     -> run RUNNING, a RUNNING
        a is lost -> a UNKNOWN, a REVERTING | undo a 1
        undo a ok -> a REVERTED, a PENDING, a RUNNING | do a 2
        a ok      -> a SUCCESS, b RUNNING
        """,
    )
    assert told.machine.record.rounds == {told.nodes["a"]: 1}  # what is done anew needs a key of its own


def test_tries_that_a_crash_took_still_count_after_an_undo() -> None:
    tell(
        flow("f", task("a", retry={"attempts": 2})),
        """
        start     -> run RUNNING, a RUNNING
        a is lost -> a UNKNOWN, a REVERTING
        undo a ok -> a REVERTED, a PENDING, a RUNNING | do a 2
        a fails   -> a FAILURE, run FAILURE, run REVERTING, a REVERTING | undo a 2
        """,
    )


def test_a_lost_attempt_with_nothing_to_undo_is_just_made_again() -> None:
    tell(
        flow("f", task("a", undo="none", on_lost="revert")),
        """
        start     -> run RUNNING, a RUNNING
        a is lost -> a UNKNOWN, a REVERTING, a REVERTED, a PENDING, a RUNNING | do a 2
        """,
    )


def test_an_undo_of_a_lost_attempt_that_fails_fails_the_run() -> None:
    tell(
        flow("f", task("a"), task("b", undo={"retry": {"attempts": 1}})),
        """
        start        -> run RUNNING, a RUNNING
        a ok         -> a SUCCESS, b RUNNING
        b is lost    -> b UNKNOWN, b REVERTING
        undo b fails -> b REVERT_FAILURE, run FAILURE, run REVERTING, run FAILURE
        """,
    )


def test_an_undo_of_a_lost_attempt_that_fails_during_a_suspension_fails_the_run_after_it() -> None:
    tell(
        flow("f", task("a"), task("b", undo={"retry": {"attempts": 1}})),
        """
        start        -> run RUNNING, a RUNNING
        a ok         -> a SUCCESS, b RUNNING
        b is lost    -> b UNKNOWN, b REVERTING
        suspend      -> run SUSPENDING
        undo b fails -> b REVERT_FAILURE, run SUSPENDED
        resume       -> run RESUMING, run RUNNING, run FAILURE, run REVERTING, b REVERTING | undo b 2
        undo b ok    -> b REVERTED, a REVERTING
        """,
    )


def test_a_lost_attempt_that_cannot_be_undone_fails_the_run() -> None:
    tell(
        flow("f", task("a"), task("b", undo="impossible", on_lost="revert")),
        """
        start     -> run RUNNING, a RUNNING
        a ok      -> a SUCCESS, b RUNNING
        b is lost -> b UNKNOWN, b REVERTING, b REVERT_FAILURE, run FAILURE, run REVERTING, a REVERTING
        undo a ok -> a REVERTED, run FAILURE
        """,
    )


def test_a_lost_attempt_pauses_the_run_where_a_person_is_to_decide() -> None:
    told = tell(
        flow("f", task("a", on_lost="ask"), task("b")),
        """
        start     -> run RUNNING, a RUNNING
        a is lost -> a UNKNOWN, run SUSPENDING, run SUSPENDED
        resume    -> run RESUMING, run RUNNING, run SUSPENDING, run SUSPENDED
        """,
    )
    assert told.data("f", "SUSPENDING")["reason"] == "the outcome of a is unknown"


RESOLVED = [
    ("done", "a SUCCESS", "run RESUMING, run RUNNING, b RUNNING", "do b 1"),
    ("not-done", "a PENDING", "run RESUMING, run RUNNING, a RUNNING", "do a 2"),
    ("undone", "a REVERTED, a PENDING", "run RESUMING, run RUNNING, a RUNNING", "do a 2"),
]


@pytest.mark.parametrize(("word", "then", "resumed", "command"), RESOLVED, ids=[r[0] for r in RESOLVED])
def test_a_person_decides_and_the_run_goes_on(word: str, then: str, resumed: str, command: str) -> None:
    tell(
        flow("f", task("a", on_lost="ask"), task("b")),
        f"""
        start            -> run RUNNING, a RUNNING
        a is lost        -> a UNKNOWN, run SUSPENDING, run SUSPENDED
        resolve a {word} -> {then} |
        resume           -> {resumed} | {command}
        """,
    )


REVERTED = [
    ("done", "a SUCCESS", "run REVERTING, a REVERTING", "undo a 1"),
    ("not-done", "a PENDING", "run REVERTING, z REVERTING", "undo z 1"),
    ("undone", "a REVERTED, a PENDING", "run REVERTING, z REVERTING", "undo z 1"),
]


@pytest.mark.parametrize(("word", "then", "reverted", "command"), REVERTED, ids=[r[0] for r in REVERTED])
def test_a_person_decides_and_the_run_is_reverted(word: str, then: str, reverted: str, command: str) -> None:
    tell(
        flow("f", task("z"), task("a", on_lost="ask")),
        f"""
        start            -> run RUNNING, z RUNNING
        z ok             -> z SUCCESS, a RUNNING
        a is lost        -> a UNKNOWN, run SUSPENDING, run SUSPENDED
        resolve a {word} -> {then}
        revert           -> {reverted} | {command}
        """,
    )


def test_a_rollback_holds_before_an_outcome_that_a_person_has_to_decide() -> None:
    tell(
        flow("f", task("z"), task("a", "z", on_lost="ask"), task("b"), pattern="graph"),
        """
        start            -> run RUNNING, z RUNNING, b RUNNING
        z ok             -> z SUCCESS, a RUNNING
        b fails          -> b FAILURE, run FAILURE
        a is lost        -> a UNKNOWN, run REVERTING, b REVERTING
        undo b ok        -> b REVERTED, run FAILURE
        resolve a undone -> a REVERTED
        revert           -> run RESUMING, run REVERTING, z REVERTING
        undo z ok        -> z REVERTED, run REVERTED
        """,
        jobs=2,
    )


@pytest.mark.parametrize(
    ("word", "then"),
    [
        ("done", "a SUCCESS, a REVERTING"),
        ("not-done", "a PENDING, z REVERTING"),
        ("undone", "a REVERTED, z REVERTING"),
    ],
)
def test_a_rollback_under_way_goes_on_at_once_when_a_person_decides(word: str, then: str) -> None:
    graph = [task("z"), task("a", "z", on_lost="ask"), task("b"), task("c")]
    tell(
        flow("f", *graph, pattern="graph"),
        f"""
        start            -> run RUNNING, z RUNNING, b RUNNING
        z ok             -> z SUCCESS, a RUNNING
        b ok             -> b SUCCESS, c RUNNING
        c fails          -> c FAILURE, run FAILURE
        a is lost        -> a UNKNOWN, run REVERTING, c REVERTING, b REVERTING
        undo c ok        -> c REVERTED
        resolve a {word} -> {then}
        """,
        jobs=2,
    )


def test_a_lost_attempt_in_a_failing_run_is_undone_with_the_rest() -> None:
    tell(
        flow("f", task("a", on_lost="rerun"), task("b"), pattern="unordered"),
        """
        start     -> run RUNNING, a RUNNING, b RUNNING
        b fails   -> b FAILURE, run FAILURE
        a is lost -> a UNKNOWN, run REVERTING, b REVERTING, a REVERTING
        """,
        jobs=2,
    )


def test_a_lost_attempt_in_a_flow_that_is_to_run_again_is_undone_with_it() -> None:
    tell(
        flow("f", task("a", on_lost="rerun"), task("b"), pattern="unordered", retry={"attempts": 2}),
        """
        start     -> run RUNNING, retry f RUNNING, retry f SUCCESS, a RUNNING, b RUNNING
        b fails   -> b FAILURE
        a is lost -> a UNKNOWN, b REVERTING, a REVERTING | undo b 1, undo a 1
        """,
        jobs=2,
    )


def test_a_flow_that_is_to_run_again_waits_for_a_person_to_decide() -> None:
    tell(
        flow(
            "f",
            task("z"),
            flow("g", task("a", on_lost="ask"), task("b"), pattern="unordered"),
            retry={"attempts": 2},
        ),
        """
        start            -> run RUNNING, retry f RUNNING, retry f SUCCESS, z RUNNING
        z ok             -> z SUCCESS, a RUNNING, b RUNNING
        b fails          -> b FAILURE
        a is lost        -> a UNKNOWN, run SUSPENDING, run SUSPENDED
        resume           -> run RESUMING, run RUNNING, run SUSPENDING, run SUSPENDED
        resolve a undone -> a REVERTED
        resume           -> run RESUMING, run RUNNING, b REVERTING
        undo b ok        -> b REVERTED, z REVERTING
        """,
        jobs=2,
    )


def test_an_outcome_lost_during_a_suspension_is_settled_after_it() -> None:
    tell(
        flow("f", task("a"), task("b", on_lost="rerun"), pattern="unordered"),
        """
        start     -> run RUNNING, a RUNNING, b RUNNING
        suspend   -> run SUSPENDING
        a is lost -> a UNKNOWN
        b is lost -> b UNKNOWN, run SUSPENDED |
        resume    -> run RESUMING, run RUNNING, a REVERTING, b RUNNING | undo a 1, do b 2
        """,
        jobs=2,
    )


# ---------------------------------------------------------------------- probes


def test_a_probe_that_says_yes_makes_it_a_success() -> None:
    tell(
        flow("f", task("a", probe=PROBE), task("b")),
        """
        start            -> run RUNNING, a RUNNING
        a is lost        -> a UNKNOWN | probe a
        probe a says yes -> a SUCCESS, b RUNNING | do b 1
        """,
    )


def test_a_probe_that_says_no_lets_it_start_with_the_same_key() -> None:
    told = tell(
        flow("f", task("a", probe=PROBE)),
        """
        start           -> run RUNNING, a RUNNING
        a is lost       -> a UNKNOWN | probe a
        probe a says no -> a PENDING, a RUNNING | do a 2
        """,
    )
    assert told.machine.record.rounds == {}


@pytest.mark.parametrize(
    ("policy", "then"),
    [
        ("rerun", "a (log), a RUNNING | do a 2"),
        ("revert", "a (log), a REVERTING | undo a 1"),
        ("ask", "a (log), run SUSPENDING, run SUSPENDED |"),
    ],
)
def test_a_probe_that_cannot_tell_leaves_it_to_the_policy(policy: str, then: str) -> None:
    tell(
        flow("f", task("a", probe=PROBE, on_lost=policy)),
        f"""
        start                -> run RUNNING, a RUNNING
        a is lost            -> a UNKNOWN | probe a
        probe a says nothing -> {then}
        """,
    )


def test_a_probe_that_could_not_tell_is_asked_again_when_somebody_goes_on() -> None:
    tell(
        flow("f", task("a", probe=PROBE, on_lost="ask"), task("b")),
        """
        start                -> run RUNNING, a RUNNING
        a is lost            -> a UNKNOWN
        probe a says nothing -> a (log), run SUSPENDING, run SUSPENDED
        resume               -> run RESUMING, run RUNNING, a (log) | probe a
        probe a says nothing -> a (log), run SUSPENDING, run SUSPENDED
        resume               -> run RESUMING, run RUNNING, a (log) | probe a
        probe a says yes     -> a SUCCESS, b RUNNING
        """,
    )


def test_a_probe_is_asked_again_before_a_rollback_holds() -> None:
    tell(
        flow("f", task("z"), task("a", probe=PROBE, on_lost="ask")),
        """
        start                -> run RUNNING, z RUNNING
        z ok                 -> z SUCCESS, a RUNNING
        a is lost            -> a UNKNOWN
        probe a says nothing -> a (log), run SUSPENDING, run SUSPENDED
        revert               -> run REVERTING, a (log) | probe a
        probe a says nothing -> a (log), run FAILURE
        revert               -> run RESUMING, run REVERTING, a (log) | probe a
        probe a says yes     -> a SUCCESS, a REVERTING | undo a 1
        undo a ok            -> a REVERTED, z REVERTING
        """,
    )


def test_a_probe_that_says_no_in_a_rollback_lets_it_pass() -> None:
    tell(
        flow("f", task("z"), task("a", probe=PROBE, on_lost="ask")),
        """
        start                -> run RUNNING, z RUNNING
        z ok                 -> z SUCCESS, a RUNNING
        a is lost            -> a UNKNOWN
        probe a says nothing -> a (log), run SUSPENDING, run SUSPENDED
        revert               -> run REVERTING, a (log) | probe a
        probe a says no      -> a PENDING, z REVERTING | undo z 1
        """,
    )


def test_a_probe_asked_again_in_a_flow_that_is_to_run_again_lets_its_undo_go_on() -> None:
    tell(
        flow(
            "f",
            task("a", probe=PROBE, on_lost="ask"),
            task("b"),
            pattern="unordered",
            retry={"attempts": 2},
        ),
        """
        start                -> run RUNNING, retry f RUNNING, retry f SUCCESS, a RUNNING, b RUNNING
        b fails              -> b FAILURE
        a is lost            -> a UNKNOWN | probe a
        probe a says nothing -> a (log), run SUSPENDING, run SUSPENDED
        resume               -> run RESUMING, run RUNNING, b REVERTING, a (log) | undo b 1, probe a
        probe a says yes     -> a SUCCESS, a REVERTING | undo a 1
        """,
        jobs=2,
    )


def test_a_person_decides_what_waits_for_its_probe_to_be_asked_again() -> None:
    """It is passed when its turn comes, and only then: what it depended on waits for all that depends on it."""
    graph = [task("z"), task("a", "z", probe=PROBE, on_lost="ask"), task("b", "z"), task("c", "z")]
    tell(
        flow("f", *graph, pattern="graph"),
        """
        start                -> run RUNNING, z RUNNING
        z ok                 -> z SUCCESS, a RUNNING, b RUNNING
        b ok                 -> b SUCCESS, c RUNNING
        a is lost            -> a UNKNOWN
        probe a says nothing -> a (log), run SUSPENDING
        c ok                 -> c SUCCESS, run SUSPENDED
        revert               -> run REVERTING, c REVERTING, b REVERTING | undo c 1, undo b 1
        resolve a undone     -> a REVERTED |
        undo c ok            -> c REVERTED |
        undo b ok            -> b REVERTED, z REVERTING | undo z 1
        """,
        jobs=2,
    )


def test_a_probe_in_flight_is_waited_for_when_its_flow_is_to_run_again_after_a_crash() -> None:
    tell(
        flow(
            "f", task("a", probe=PROBE, on_lost="ask"), task("b"), pattern="unordered", retry={"attempts": 2}
        ),
        """
        start           -> run RUNNING, retry f RUNNING, retry f SUCCESS, a RUNNING, b RUNNING
        b fails         -> b FAILURE
        a is lost       -> a UNKNOWN | probe a
        resume          -> run RESUMING, run RUNNING |
        probe a says no -> a PENDING, b REVERTING
        """,
        jobs=2,
    )


def test_what_a_probe_found_done_is_undone_when_its_flow_has_drained_and_not_before() -> None:
    tell(
        flow("f", task("a", probe=PROBE), task("b"), task("c"), pattern="unordered", retry={"attempts": 2}),
        """
        start            -> run RUNNING, retry f RUNNING, retry f SUCCESS, a RUNNING, b RUNNING, c RUNNING
        b fails          -> b FAILURE
        a is lost        -> a UNKNOWN | probe a
        probe a says yes -> a SUCCESS |
        c ok             -> c SUCCESS, c REVERTING, b REVERTING, a REVERTING
        """,
        jobs=3,
    )


def test_an_answer_of_an_earlier_probe_is_not_taken_for_one_of_this() -> None:
    told = tell(
        flow("f", task("a", probe=PROBE, on_lost="ask")),
        """
        start                -> run RUNNING, a RUNNING
        a is lost            -> a UNKNOWN
        probe a says nothing -> a (log), run SUSPENDING, run SUSPENDED
        resume               -> run RESUMING, run RUNNING, a (log)
        """,
    )
    probe, node = told.step.commands[0], told.nodes["a"]
    assert isinstance(probe, c.StartProbe)
    assert told.machine.receive(e.ProbeAnswered(0.0, node, 1, done=True, asked=probe.asked - 1)) == ([], [])
    assert told.machine.receive(e.ProbeAnswered(0.0, node, 1, done=True, asked=probe.asked)).transitions


def test_the_rollback_waits_for_a_probe() -> None:
    tell(
        flow("f", task("a", probe=PROBE), task("b"), pattern="unordered"),
        """
        start           -> run RUNNING, a RUNNING, b RUNNING
        b fails         -> b FAILURE, run FAILURE
        a is lost       -> a UNKNOWN | probe a
        probe a says no -> a PENDING, run REVERTING, b REVERTING
        undo b ok       -> b REVERTED, run REVERTED
        """,
        jobs=2,
    )


def test_a_probe_in_flight_is_pending_and_one_that_was_answered_is_not() -> None:
    told = tell(
        flow("f", task("a", probe=PROBE, on_lost="ask")),
        """
        start     -> run RUNNING, a RUNNING
        a is lost -> a UNKNOWN
        """,
    )
    assert told.pending() == "probe a"
    told.receive("probe a says nothing")
    assert told.pending() == ""
    assert Machine.restore(told.flow, told.journal).pending() == ()


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("verdict", ["done", "not-done", "undone", "else"])
def test_what_is_not_open_cannot_be_resolved(verdict: str) -> None:
    told = Told(Machine(compile_flow(definition(flow("f", task("a"))))))
    told.receive("start")
    with pytest.raises(RefusedError, match="a is RUNNING"):
        told.receive(f"resolve a {verdict}")


def test_a_failed_undo_cannot_be_called_done() -> None:
    told = Told(Machine(compile_flow(definition(flow("f", task("a", undo={"retry": {"attempts": 1}}))))))
    for what in ("start", "a fails", "undo a fails"):
        told.receive(what)
    with pytest.raises(RefusedError, match="cannot be done"):
        told.receive("resolve a done")


def test_what_a_probe_is_being_asked_about_is_not_for_a_person_to_decide() -> None:
    told = Told(Machine(compile_flow(definition(flow("f", task("a", probe=PROBE))))))
    for what in ("start", "a is lost"):
        told.receive(what)
    with pytest.raises(RefusedError, match="probe of a"):
        told.receive("resolve a undone")
    told.all("probe a says no -> a PENDING, a RUNNING")
