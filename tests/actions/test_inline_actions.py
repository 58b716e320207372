import pytest

from taskrun.actions import assert_, echo, fail, sleep
from taskrun.errors import ActionError


@pytest.mark.parametrize(
    ("message", "text"), [("hi", "hi"), (3, "3"), (True, "true"), (None, ""), ({"ä": [1]}, '{"ä": [1]}')]
)
def test_echo_writes_its_message_to_the_log(talking, log, message, text):
    assert echo.do({"message": message}, talking).values == {"message": text}
    assert log == [text]


def test_echo_needs_no_log(here):
    assert echo.do({"message": "x"}, here).values == {"message": "x"}


def test_fail_fails_with_its_message(talking, log):
    with pytest.raises(ActionError) as caught:
        fail.do({"message": "disk is full"}, talking)
    assert caught.value.as_failure() == {"type": "Failed", "message": "disk is full"}
    assert log == ["disk is full"]


def test_fail_without_a_message_says_so(here):
    with pytest.raises(ActionError, match="failed on purpose"):
        fail.do({}, here)


def test_an_assertion_that_holds_gives_nothing(here):
    assert assert_.do({"that": True}, here).values == {}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"that": False, "that.source": "inputs.n > 3"}, "inputs.n > 3 is false"),
        ({"that": False, "that.source": "inputs.n > 3", "message": "too few"}, "too few"),
        ({"that": False}, "the assertion is false"),
        ({"that": [1], "that.source": "inputs.list"}, "inputs.list must be true or false, it is [1]"),
        ({"that": None}, "the assertion must be true or false, it is null"),
        ({"that": 1}, "the assertion must be true or false, it is 1"),
    ],
)
def test_an_assertion_that_does_not_hold_fails(talking, fields, message):
    with pytest.raises(ActionError) as caught:
        assert_.do(fields, talking)
    assert (caught.value.type, caught.value.message) == ("AssertionError", message)


@pytest.mark.parametrize(("value", "expected"), [(2.5, 2.5), (0, 0), ("1m30s", 90), ("500ms", 0.5)])
def test_sleep_tells_how_long(value, expected):
    assert sleep.duration({"for": value}) == expected


@pytest.mark.parametrize("value", ["5", "", "soon", None, True, -1, float("nan"), float("inf"), [1]])
def test_sleep_refuses_what_is_no_duration(value):
    with pytest.raises(ActionError, match="^sleep: "):
        sleep.duration({"for": value})


def test_sleep_gives_the_seconds_it_took(here):
    assert sleep.do({"for": "2s"}, here).values == {"seconds": 2}
