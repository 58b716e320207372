"""The tables of moves: a move that is in none of them is a bug, and is never made."""

import itertools

import pytest

from taskrun.engine import states
from taskrun.engine.core import Core
from taskrun.engine.flow import compile_flow
from taskrun.engine.states import FLOW_MOVES, RETRY_MOVES, TASK_MOVES
from taskrun.errors import InvalidTransition
from tests.engine.building import definition, flow, task

STATES = sorted(word for word in vars(states) if getattr(states, word) == word)
TASK_STATES = sorted({state for move in TASK_MOVES for state in move})
RETRY_STATES = sorted({state for move in RETRY_MOVES for state in move})
FLOW_STATES = sorted({state for move in FLOW_MOVES for state in move})
FORBIDDEN = [
    (kind, old, new)
    for kind, words, table in (
        ("task", TASK_STATES, TASK_MOVES),
        ("retry", RETRY_STATES, RETRY_MOVES),
        ("flow", FLOW_STATES, FLOW_MOVES),
    )
    for old, new in itertools.product(words, STATES)
    if (old, new) not in table
]


def test_every_state_is_in_some_table() -> None:
    assert sorted({*TASK_STATES, *RETRY_STATES, *FLOW_STATES}) == STATES


@pytest.mark.parametrize("kind", ["task", "retry", "flow"])
def test_a_move_that_is_in_no_table_is_refused_before_anything_changes(kind: str) -> None:
    core = Core(compile_flow(definition(flow("f", task("a"), retry={"attempts": 2}))), 1, 0)
    for _, old, new in (each for each in FORBIDDEN if each[0] == kind):
        core.record.run = old
        core.record.state = [old] * len(core.flow)
        with pytest.raises(InvalidTransition, match=f"{old} -> {new}"):
            if kind == "flow":
                core.move_flow(new)
            else:
                (core.move_task if kind == "task" else core.move_retry)(int(kind == "task"), new)
    assert core.transitions == []
    assert core.record.moves == 0
