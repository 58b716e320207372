"""What the machine asks of expressions: does a condition hold, over which list is to be gone."""

from collections.abc import Callable
from typing import Any

from taskrun.drivers.clock import Clock
from taskrun.drivers.failures import failure_of
from taskrun.drivers.values import Values
from taskrun.engine import commands as c
from taskrun.engine import events as e
from taskrun.errors import ExpressionError
from taskrun.spec.expressions import check_condition

Receive = Callable[[e.Event], None]


def evaluate_condition(command: c.EvaluateCondition, values: Values, clock: Clock, receive: Receive) -> None:
    now, (node, asked) = clock.now(), command
    try:
        holds = check_condition(values.condition(node))
    except ExpressionError as error:
        receive(e.ConditionDecided(now, node, False, failure_of(error), asked))
    else:
        receive(e.ConditionDecided(now, node, holds, None, asked))


def evaluate_items(
    command: c.EvaluateItems,
    values: Values,
    clock: Clock,
    receive: Receive,
    fan_out: Callable[[int, Any], None],
) -> None:
    """The list of a controller goes to the machine, that of a fan-out to ``fan_out``, unless it is the one it has already."""
    now, (node, asked) = clock.now(), command
    fans_out = values.flow.expands[node] or values.flow.relists[node]
    try:
        items = values.list_of(node)
        if not isinstance(items, list) or not (items or fans_out):
            what = "an empty list" if isinstance(items, list) else f"a {type(items).__name__}"
            raise ExpressionError(f"for_each must give a list with something in it, it gave {what}")
    except ExpressionError as error:
        receive(e.ItemsEvaluated(now, node, 0, None, failure_of(error), asked))
    else:
        name = values.flow.names[node]
        if values.flow.relists[node] and items == values.items.get(name):
            receive(e.ItemsEvaluated(now, node, len(items), None, None, asked))
        elif fans_out:
            fan_out(node, items)
        else:
            receive(e.ItemsEvaluated(now, node, len(items), {"values": items}, None, asked))
