"""Links and sessions: what is good once, for how long, and for whom."""

import pathlib
import time

import pytest

from taskrun.web.sessions import LASTS, Sessions


@pytest.fixture
def home(tmp_path: pathlib.Path) -> str:
    return str(tmp_path)


def test_a_token_is_good_once_and_others_stay_good(home: str) -> None:
    sessions = Sessions(home, 8765)
    one, other = sessions.new_token(), sessions.new_token()
    assert sessions.is_valid(sessions.exchange(one) or "")
    assert sessions.exchange(one) is None
    assert sessions.exchange(other)


def test_a_session_outlives_the_server_but_is_for_its_port_and_its_state_directory(
    home: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sessions = Sessions(home, 8765)
    session = sessions.exchange(sessions.new_token()) or ""
    assert Sessions(home, 8765).is_valid(session)
    assert not Sessions(home, 8766).is_valid(session)
    assert not Sessions(str(tmp_path_factory.mktemp("other")), 8765).is_valid(session)


def test_a_session_ends_after_a_week(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(home, 8765)
    session = sessions.exchange(sessions.new_token()) or ""
    now = time.time()
    monkeypatch.setattr("taskrun.web.sessions.time.time", lambda: now + LASTS - 60)
    assert sessions.is_valid(session)
    monkeypatch.setattr("taskrun.web.sessions.time.time", lambda: now + LASTS + 60)
    assert not sessions.is_valid(session)


@pytest.mark.parametrize(
    "made_up", ["", ".", "x", "9999999999.", "9999999999.0", "٣.x", "\ud800", "1e9." + "0" * 64]
)
def test_what_nobody_has_signed_is_no_session(home: str, made_up: str) -> None:
    sessions = Sessions(home, 8765)
    assert not sessions.is_valid(made_up)
    assert sessions.exchange(made_up) is None


def test_an_end_that_was_put_off_is_noticed(home: str) -> None:
    sessions = Sessions(home, 8765)
    expires, _, signature = (sessions.exchange(sessions.new_token()) or "").partition(".")
    assert not sessions.is_valid(f"{int(expires) + 1}.{signature}")


def test_the_key_is_for_its_owner_alone(home: str) -> None:
    Sessions(home, 8765)
    key = pathlib.Path(home, "web.key")
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_bytes()) == 32
