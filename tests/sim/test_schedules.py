"""Random flows under random luck: whatever happens, in whatever order, the invariants of `checker` hold."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sim.schedules import play


@pytest.mark.parametrize("block", range(8))
def test_every_invariant_holds_at_every_step_of_many_schedules(block: int) -> None:
    for seed in range(block * 250, (block + 1) * 250):
        try:
            play(seed)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_every_invariant_holds_and_what_breaks_one_is_made_small(rng: random.Random) -> None:
    play(rng, most=6, shadows=1.0)
