"""The machine against the rules of order written a second time, slowly, by rescanning everything before each move."""

import pytest

from tests.cases import CASES
from tests.cases.chance import workflow
from tests.cases.oracle import Oracle
from tests.engine.test_transitions import play

BLOCK = 250


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_slow_rules_give_what_the_cases_say(case: dict) -> None:
    assert Oracle(case["workflow"]).events == case["events"]


@pytest.mark.parametrize("first", range(0, 2000, BLOCK))
def test_the_machine_does_what_the_slow_rules_say_on_random_flows(first: int) -> None:
    for seed in range(first, first + BLOCK):
        seen, machine = play(workflow(seed))
        assert machine.over, seed
        assert seen == Oracle(workflow(seed)).events, seed
