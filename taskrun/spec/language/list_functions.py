"""The functions of expressions that work on lists and maps."""

from typing import Any

from taskrun.errors import ExpressionError
from taskrun.spec.language.numbers import comparable
from taskrun.spec.language.signatures import Table, pure
from taskrun.spec.values import Budget, MissingError, a_kind, dumps, equal, holds, kind

TABLE: Table = {}


@pure(TABLE, "list", "string?")
def sorted_(budget: Budget, items: list[Any], key: str | None = None) -> list[Any]:
    """Numbers or strings in order; a list of maps by one of their keys."""
    by = items if key is None else pluck(budget, items, key)
    comparable("sorted", by, budget)
    budget.spend(len(items) * max(1, len(items).bit_length()) // 2)
    if key is None:
        return sorted(items)
    budget.spend(8 * len(items))
    return [items[position] for position in sorted(range(len(items)), key=by.__getitem__)]


@pure(TABLE, "any")
def reversed_(budget: Budget, value: Any) -> Any:
    if not isinstance(value, str | list):
        raise ExpressionError(f"reversed() needs a list or string, not {a_kind(value)}")
    budget.spend(len(value))
    return value[::-1]


@pure(TABLE, "any", "any")
def contains(budget: Budget, container: Any, item: Any) -> bool:
    """Is the item in the list, the text in the text, the key in the map?"""
    if isinstance(container, str):
        if not isinstance(item, str):
            raise ExpressionError(f"only a string can be in a string, not {a_kind(item)}")
        budget.spend(len(container) >> 1)
        return item in container
    if isinstance(container, list):
        return holds(container, item, budget)
    if isinstance(container, dict):
        if not isinstance(item, str):
            raise ExpressionError(f"a map's keys are strings, not {a_kind(item)}")
        return item in container
    raise ExpressionError(f"nothing can be in {a_kind(container)}", hint="it needs a list, string or map")


@pure(TABLE, "map")
def keys(budget: Budget, mapping: dict[str, Any]) -> list[str]:
    budget.spend(len(mapping))
    return list(mapping)


@pure(TABLE, "map")
def values(budget: Budget, mapping: dict[str, Any]) -> list[Any]:
    budget.spend(len(mapping))
    return list(mapping.values())


@pure(TABLE, "map")
def items(budget: Budget, mapping: dict[str, Any]) -> list[Any]:
    """A list of maps with ``key`` and ``value``, to go over a map with ``for_each``."""
    budget.spend(24 * len(mapping))
    return [{"key": key, "value": value} for key, value in mapping.items()]


@pure(TABLE, "any")
def first(_budget: Budget, value: Any) -> Any:
    return _end("first", value, 0)


@pure(TABLE, "any")
def last(_budget: Budget, value: Any) -> Any:
    return _end("last", value, -1)


def _end(name: str, value: Any, position: int) -> Any:
    if not isinstance(value, str | list):
        raise ExpressionError(f"{name}() needs a list or string, not {a_kind(value)}")
    if not value:
        raise MissingError(f"{name}() of an empty {kind(value)}", hint=f"default({name}(x), ...)")
    return value[position]


@pure(TABLE, "list")
def unique(budget: Budget, items: list[Any]) -> list[Any]:
    """Each value once, in the order they first come."""
    budget.spend(16 * len(items))
    seen: dict[Any, Any] = {}
    for item in items:
        seen.setdefault(_mark(item, budget), item)
    return list(seen.values())


def _mark(item: Any, budget: Budget) -> Any:
    """Something hashable that is equal for equal values."""
    if isinstance(item, bool):
        return (item,)
    if not isinstance(item, list | dict):
        return item
    budget.spend(300)
    return (dumps(item, budget, sort_keys=True),)


@pure(TABLE, "list")
def flatten(budget: Budget, items: list[Any]) -> list[Any]:
    """The lists in the list opened, one level."""
    flat: list[Any] = []
    for item in items:
        budget.allow(8 * (len(flat) + (len(item) if isinstance(item, list) else 1)))
        if isinstance(item, list):
            flat.extend(item)
        else:
            flat.append(item)
    return flat


@pure(TABLE, "map", "map*")
def merge(budget: Budget, *mappings: dict[str, Any]) -> dict[str, Any]:
    """One map of all; of equal keys the last counts."""
    merged: dict[str, Any] = {}
    for mapping in mappings:
        budget.spend(8 * len(mapping))
        merged.update(mapping)
    return merged


@pure(TABLE, "list", "string")
def pluck(budget: Budget, items: list[Any], key: str) -> list[Any]:
    """The value of that key of each map in the list."""
    budget.spend(12 * len(items))
    return [_field("pluck", item, key) for item in items]


@pure(TABLE, "list", "string", "any")
def where(budget: Budget, items: list[Any], key: str, wanted: Any) -> list[Any]:
    """The maps in the list whose key has that value."""
    budget.spend(12 * len(items))
    return [item for item in items if _has("where", item, key) and equal(item[key], wanted, budget)]


def _has(name: str, item: Any, key: str) -> bool:
    if not isinstance(item, dict):
        raise ExpressionError(f"{name}() needs a list of maps; here is {a_kind(item)}")
    return key in item


def _field(name: str, item: Any, key: str) -> Any:
    if not _has(name, item, key):
        raise MissingError(f"{name}(): a map in the list has no key {key!r}")
    return item[key]


@pure(TABLE, "list")
def all_(budget: Budget, items: list[Any]) -> bool:
    budget.spend(len(items))
    return all(items)


@pure(TABLE, "list")
def any_(budget: Budget, items: list[Any]) -> bool:
    budget.spend(len(items))
    return any(items)
