import pytest

from taskrun.actions.base import matches

REFUSED = {"type": "ConnectionError", "message": "refused"}
SLOW = {"type": "Timeout", "message": "60 s"}
BUSY = {"type": "HTTPStatus", "message": "503", "status": 503}
EXIT = {"type": "ExitCode", "message": "exit code 75", "exit_code": 75}


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (REFUSED, ["connection"]),
        (REFUSED, ["timeout", "connection"]),
        (REFUSED, ["ConnectionError"]),
        (SLOW, ["timeout"]),
        ({"type": "TimeoutError", "message": ""}, ["timeout"]),
        (BUSY, ["5xx"]),
        (BUSY, ["5XX"]),
        (BUSY, [503]),
        (BUSY, ["503"]),
        (BUSY, ["HTTPStatus"]),
        (EXIT, ["exit 75"]),
        (EXIT, [75]),
        (EXIT, ["ExitCode"]),
        (EXIT, []),
    ],
)
def test_a_word_means_a_failure(failure, words):
    assert matches(failure, words)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (REFUSED, ["timeout", "5xx", "exit 75", 503]),
        (SLOW, ["connection"]),
        (BUSY, ["4xx", 500, "exit 503", "connection"]),
        (EXIT, ["exit 7", "exit", 7, "5xx", "exit x"]),
        ({"type": "Failed"}, ["failed"]),
    ],
)
def test_other_words_do_not(failure, words):
    assert not matches(failure, words)
