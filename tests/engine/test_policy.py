"""How long to wait before another try."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrun.engine.policy import UNDO_RETRY, Retry, wait_before

RETRIES = st.builds(
    Retry,
    attempts=st.integers(1, 1000),
    delay=st.floats(0, 1e6),
    backoff=st.floats(0, 1e3),
    max_delay=st.floats(0, 1e9),
    jitter=st.booleans(),
)


@pytest.mark.parametrize(
    ("spec", "waits"),
    [
        ({}, [0.0, 0.0, 0.0]),
        ({"delay": 2.0}, [2.0, 2.0, 2.0]),
        ({"delay": 1.0, "backoff": 2.0}, [1.0, 2.0, 4.0]),
        ({"delay": 1.0, "backoff": 3.0, "max_delay": 5.0}, [1.0, 3.0, 5.0]),
        ({"delay": 9.0, "max_delay": 5.0}, [5.0, 5.0, 5.0]),
        ({"delay": 4.0, "backoff": 0.5}, [4.0, 2.0, 1.0]),
    ],
)
def test_the_wait_grows_by_its_factor_up_to_its_limit(spec: dict[str, float], waits: list[float]) -> None:
    retry = Retry.from_spec({"attempts": 4, **spec})
    assert [wait_before(retry, tries, 0) for tries in (1, 2, 3)] == waits


def test_a_patient_workflow_does_not_overflow() -> None:
    retry = Retry(attempts=10**6, delay=1.0, backoff=2.0, max_delay=60.0)
    assert wait_before(retry, 10**6, 0) == 60.0


@given(RETRIES, st.integers(1, 200), st.integers(0, 10**6))
def test_a_wait_is_never_negative_nor_above_its_limit(retry: Retry, tries: int, seed: int) -> None:
    assert 0 <= wait_before(retry, tries, seed) <= retry.max_delay


@given(st.integers(1, 50), st.integers(0, 10**6))
def test_jitter_takes_off_at_most_half_and_is_the_same_each_time(tries: int, seed: int) -> None:
    retry = Retry(delay=10.0, jitter=True)
    wait = wait_before(retry, tries, seed)
    assert 5.0 <= wait <= 10.0
    assert wait == wait_before(retry, tries, seed)


def test_jitter_spreads_the_waits_of_neighbouring_tasks() -> None:
    retry = Retry(delay=100.0, jitter=True)
    waits = sorted(wait_before(retry, 1, seed) for seed in range(50))
    gaps = [b - a for a, b in zip(waits, waits[1:], strict=False)]
    assert len(set(waits)) == 50
    assert max(gaps) < 10.0


def test_an_undo_is_tried_three_times_unless_the_file_says_otherwise() -> None:
    assert UNDO_RETRY.attempts == 3
