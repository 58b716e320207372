"""The log is read back as it was written, and what is damaged counts as never written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrun.executors.attempts_log import (
    AttemptsLog,
    Keeper,
    began_line,
    ended_line,
    keeper_line,
    mark_of,
    quote,
    read_log,
    starting_line,
    unquote,
)
from taskrun.executors.protocol import Ended, Unpacker, pack

KEEPER = Keeper(100, 5000, "boot-id/4026531836")
ENDED = Ended("a/1", "exited", 12, True, False, "left running: 7 (sleep 60)", 1700000000.25)
TEXT = st.text(st.characters(codec="utf-8"))


def read(data):
    log = AttemptsLog()
    log.feed(data)
    return log


def lines():
    return [
        keeper_line(KEEPER),
        starting_line("a/1", "run run/a/1", 5001),
        began_line("a/1", 101, 5001, 5002),
        ended_line(ENDED),
    ]


def test_a_whole_story_is_read_back():
    log = read(b"".join(lines()))
    trace = log.traces["a/1"]
    assert log.keepers == [KEEPER]
    assert (trace.mark, trace.pid, trace.earliest, trace.latest) == ("run run/a/1", 101, 5001, 5002)
    assert trace.ended == ENDED
    assert trace.keeper == KEEPER


@given(TEXT)
def test_any_text_becomes_one_word_and_comes_back(text):
    word = quote(text).encode()
    assert not set(word) & set(b" \n\t\0")
    assert word
    assert unquote(word) == text


@given(key=TEXT, message=TEXT, code=st.integers(0, 255), timed_out=st.booleans(), stopped=st.booleans())
def test_any_end_is_read_back(key, message, code, timed_out, stopped):
    ended = Ended(key, "signaled", code, timed_out, stopped, message, 1.5)
    log = AttemptsLog()
    assert log.feed(starting_line(key, "", 1) + ended_line(ended)) == [ended]


@pytest.mark.parametrize("missing", range(1, 60))
def test_a_torn_last_line_was_never_written(missing):
    data = b"".join(lines())
    whole = len(data) - len(ended_line(ENDED))
    log = read(data[: max(whole, len(data) - missing)])
    assert log.traces["a/1"].ended is None
    assert log.traces["a/1"].pid == 101


def test_a_torn_line_stays_torn_when_the_next_supervisor_writes_behind_it():
    torn = ended_line(ENDED)[:-30]
    other = Keeper(200, 9000, KEEPER.machine)
    log = read(b"".join(lines()[:3]) + torn + b"\n" + keeper_line(other))
    assert log.traces["a/1"].ended is None
    assert log.keepers == [KEEPER, other]


def test_a_line_cut_in_two_readings_is_put_together():
    data = b"".join(lines())
    for cut in range(len(data)):
        log = AttemptsLog()
        ended = log.feed(data[:cut]) + log.feed(data[cut:])
        assert ended == [ENDED]


@given(st.binary(max_size=300))
def test_garbage_is_never_believed_and_never_an_error(garbage):
    log = read(b"".join(lines()[:3]) + b"\n" + garbage + b"\n" + ended_line(ENDED))
    assert log.traces["a/1"].ended == ENDED


@pytest.mark.parametrize(
    "line",
    [
        b"supervisor x y z .",
        b"supervisor .",
        b"began a/1 12 .",
        b"began a/1 x 1 2 .",
        b"ended a/1 exited 0 - .",
        b"ended a/1 exited zero - 1.0 % .",
        b"starting .",
        b".",
        b" .",
        b"\0\0\0\0 .",
        b"ended other/1 exited 0 - 1.0 % .",
    ],
)
def test_a_line_with_a_dot_but_without_sense_is_passed_over(line):
    log = read(b"".join(lines()[:3]) + line + b"\n")
    assert (log.traces["a/1"].ended, log.traces["a/1"].pid) == (None, 101)
    assert list(log.traces) == ["a/1"]


def test_a_new_start_of_the_same_key_forgets_the_old_one():
    log = read(b"".join(lines()) + starting_line("a/1", "", 6000))
    assert (log.traces["a/1"].ended, log.traces["a/1"].pid) == (None, 0)


def test_a_run_without_a_log_has_no_attempts(tmp_path):
    assert read_log(str(tmp_path)).traces == {}


def test_a_mark_needs_both_the_run_and_the_key():
    assert mark_of({"TASKRUN_RUN_ID": "r", "TASKRUN_IDEMPOTENCY_KEY": "r/a/1"}) == "r r/a/1"
    assert mark_of({"TASKRUN_RUN_ID": "r"}) == ""
    assert mark_of({"TASKRUN_IDEMPOTENCY_KEY": "r/a/1"}) == ""


@given(st.lists(st.tuples(st.sampled_from(["spawn", "stop"]), TEXT, st.none() | st.floats(allow_nan=False))))
def test_messages_survive_their_way_through_datagrams(messages):
    unpacker = Unpacker()
    received = [message for datagram in pack(messages) for message in unpacker.feed(datagram)]
    assert received == messages


@pytest.mark.parametrize("size", [32_000, 32_768, 65_536, 1_000_000])
def test_messages_larger_than_a_datagram_are_cut_and_joined(size):
    unpacker = Unpacker()
    datagrams = pack([("spawn", "x" * size)])
    assert all(len(datagram) <= 32 * 1024 + 1 for datagram in datagrams)
    received = [message for datagram in datagrams for message in unpacker.feed(datagram)]
    assert received == [("spawn", "x" * size)]
    assert unpacker.feed(pack([("stop", "a/1")])[0]) == [("stop", "a/1")]
