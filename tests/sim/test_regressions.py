"""Schedules that have found a bug in the machine, by what the bug was. Each was one in ten or a hundred thousand."""

import pytest

from tests.sim.schedules import play

FOUND = {
    "a flow that was undone when the run failed kept the rollback from going on": (10028734,),
    "of items that waited for room in a flow that ran again, the leftover of the last time took it": (
        10262996,
        10163365,
    ),
    "an outcome to be settled in a free place was forgotten when a list became known": (10090102, 10154622),
    "an undo whose wait was over, but had no place, waited for ever when a list became known": (10161103,),
    "with one job a later task began before a flow that failed without having done a thing ran again": (
        10010833,
        10069734,
    ),
    "an outcome only a person knows, in a flow that came down before it was asked for, was waited for in vain": (
        10122944,
    ),
    "the checker forgot that a rollback behind a pivot was forced, when it ended in the same step": (
        30757501,
    ),
    "a run was called SUCCESS when all was undone that was to run again, as a second answer had completed it": (
        50368391,
    ),
    "a restored machine waited with the undo of a flow for a probe that this undo had asked": (10113751,),
}


@pytest.mark.parametrize("bug", FOUND)
def test_what_a_schedule_has_found_once_does_not_come_back(bug: str) -> None:
    for seed in FOUND[bug]:
        play(seed)
