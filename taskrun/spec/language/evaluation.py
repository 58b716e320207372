"""Turns the tree of an expression into closures over (scope, budget), so that evaluating walks no tree."""

from collections.abc import Callable, Mapping
from typing import Any

from taskrun.errors import ExpressionError
from taskrun.spec.language.functions import FUNCTIONS
from taskrun.spec.language.nodes import (
    Access,
    Call,
    Chain,
    Conditional,
    Index,
    Key,
    ListOf,
    Literal,
    MapOf,
    Name,
    Node,
    Slice,
    Unary,
)
from taskrun.spec.language.operators import arithmetic, compare, signed
from taskrun.spec.language.paths import key_of, lookup
from taskrun.spec.values import Budget, MissingError, a_kind

Scope = Mapping[str, Any]
Evaluator = Callable[[Scope, Budget], Any]
Step = Callable[[Any, Scope, Budget], Any]


def compile_node(node: Node) -> Evaluator:
    return _COMPILERS[type(node)](node)


def _at(error: ExpressionError, offset: int) -> ExpressionError:
    if error.offset is None:
        error.offset = offset
    return error


def _literal(node: Literal) -> Evaluator:
    value = node.value
    return lambda _scope, _budget: value


def _name(node: Name) -> Evaluator:
    name, offset = node
    return lambda scope, _budget: lookup(scope, name, offset)


def _access(node: Access) -> Evaluator:
    base = compile_node(node.base)
    if all(isinstance(step, Key) for step in node.steps):
        return _keys(base, [(step.name, step.offset) for step in node.steps if isinstance(step, Key)])
    steps = [_step(step) for step in node.steps]

    def evaluate(scope: Scope, budget: Budget) -> Any:
        value = base(scope, budget)
        for step in steps:
            value = step(value, scope, budget)
        return value

    return evaluate


def _keys(base: Evaluator, keys: list[tuple[str, int]]) -> Evaluator:
    def evaluate(scope: Scope, budget: Budget) -> Any:
        value = base(scope, budget)
        for key, offset in keys:
            value = key_of(value, key, offset)
        return value

    return evaluate


def _step(step: Key | Index | Slice) -> Step:
    if isinstance(step, Key):
        name, offset = step
        return lambda value, _scope, _budget: key_of(value, name, offset)
    if isinstance(step, Index):
        return _index(step)
    return _slice(step)


def _index(step: Index) -> Step:
    position_of, offset = compile_node(step.node), step.offset

    def evaluate(value: Any, scope: Scope, budget: Budget) -> Any:
        position = position_of(scope, budget)
        if isinstance(position, str):
            return key_of(value, position, offset)
        if not isinstance(value, list | str):
            if value is None:
                raise MissingError(
                    "null has no positions", offset=offset, hint="default(x, ...) where it may be null"
                )
            raise ExpressionError(f"{a_kind(value)} is not indexed by {a_kind(position)}", offset=offset)
        if not isinstance(position, int) or isinstance(position, bool):
            raise ExpressionError(f"a position is an integer, not {a_kind(position)}", offset=offset)
        if not -len(value) <= position < len(value):
            raise MissingError(f"there is no position {position}: the length is {len(value)}", offset=offset)
        return value[position]

    return evaluate


def _slice(step: Slice) -> Step:
    bounds = [None if bound is None else compile_node(bound) for bound in step.bounds]
    offset = step.offset

    def evaluate(value: Any, scope: Scope, budget: Budget) -> Any:
        if not isinstance(value, list | str):
            raise ExpressionError(f"only lists and strings have parts, not {a_kind(value)}", offset=offset)
        ends = [None if bound is None else bound(scope, budget) for bound in bounds]
        for end in ends:
            if end is not None and (not isinstance(end, int) or isinstance(end, bool)):
                raise ExpressionError(f"a position is an integer, not {a_kind(end)}", offset=offset)
        if ends[2] == 0:
            raise ExpressionError("a slice cannot go in steps of 0", offset=offset)
        budget.spend(len(value) >> (4 if isinstance(value, str) else 2))
        return value[slice(*ends)]

    return evaluate


def _list(node: ListOf) -> Evaluator:
    items = [compile_node(item) for item in node.items]
    return lambda scope, budget: [item(scope, budget) for item in items]


def _map(node: MapOf) -> Evaluator:
    pairs = [(compile_node(key), compile_node(value)) for key, value in node.pairs]
    offset = node.offset

    def evaluate(scope: Scope, budget: Budget) -> Any:
        made: dict[str, Any] = {}
        for key_of_pair, value_of_pair in pairs:
            key = key_of_pair(scope, budget)
            if not isinstance(key, str):
                raise ExpressionError(f"a map's keys are strings, not {a_kind(key)}", offset=offset)
            made[key] = value_of_pair(scope, budget)
        return made

    return evaluate


def _unary(node: Unary) -> Evaluator:
    operator, offset = node.operator, node.offset
    operand = compile_node(node.operand)
    if operator == "not":
        return lambda scope, budget: not operand(scope, budget)

    def evaluate(scope: Scope, budget: Budget) -> Any:
        value = operand(scope, budget)
        try:
            return signed(operator, value)
        except ExpressionError as error:
            raise _at(error, offset) from None

    return evaluate


def _chain(node: Chain) -> Evaluator:
    first = compile_node(node.first)
    rest = [(operator, offset, compile_node(operand)) for operator, offset, operand in node.rest]
    if node.kind in ("and", "or"):
        return _logic(node.kind == "or", first, [operand for _, _, operand in rest])
    if node.kind == "compare":
        return _comparison(first, rest)

    def evaluate(scope: Scope, budget: Budget) -> Any:
        value = first(scope, budget)
        for operator, offset, operand in rest:
            right = operand(scope, budget)
            try:
                value = arithmetic(operator, value, right, budget)
            except ExpressionError as error:
                raise _at(error, offset) from None
        return value

    return evaluate


def _logic(stop: bool, first: Evaluator, rest: list[Evaluator]) -> Evaluator:
    """``or`` stops at the first value that is true, ``and`` at the first that is not; as in Python it gives it."""

    def evaluate(scope: Scope, budget: Budget) -> Any:
        value = first(scope, budget)
        for operand in rest:
            if bool(value) is stop:
                return value
            value = operand(scope, budget)
        return value

    return evaluate


def _comparison(first: Evaluator, rest: list[tuple[str, int, Evaluator]]) -> Evaluator:
    def evaluate(scope: Scope, budget: Budget) -> Any:
        left = first(scope, budget)
        for operator, offset, operand in rest:
            right = operand(scope, budget)
            try:
                if not compare(operator, left, right, budget):
                    return False
            except ExpressionError as error:
                raise _at(error, offset) from None
            left = right
        return True

    return evaluate


def _conditional(node: Conditional) -> Evaluator:
    test, then, otherwise = map(compile_node, node)
    return lambda scope, budget: then(scope, budget) if test(scope, budget) else otherwise(scope, budget)


def _call(node: Call) -> Evaluator:
    arguments = [compile_node(argument) for argument in node.arguments]
    if node.name == "default":
        return _default(arguments)
    function, offset = FUNCTIONS[node.name], node.offset

    def evaluate(scope: Scope, budget: Budget) -> Any:
        values = [argument(scope, budget) for argument in arguments]
        try:
            return function.call(budget, values)
        except ExpressionError as error:
            raise _at(error, offset) from None

    return evaluate


def _default(arguments: list[Evaluator]) -> Evaluator:
    value_of = arguments[0]

    def evaluate(scope: Scope, budget: Budget) -> Any:
        try:
            value = value_of(scope, budget)
        except MissingError:
            value = None
        if value is None and len(arguments) > 1:
            return arguments[1](scope, budget)
        return value

    return evaluate


_COMPILERS: dict[type, Callable[[Any], Evaluator]] = {
    Literal: _literal,
    Name: _name,
    Access: _access,
    ListOf: _list,
    MapOf: _map,
    Unary: _unary,
    Chain: _chain,
    Conditional: _conditional,
    Call: _call,
}
