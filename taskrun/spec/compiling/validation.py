"""Checks a loaded document against the schema, and gets a valid remainder out of one that is not.

What is wrong is reported and taken out, and the rest is checked again, so that one mistake does not hide the others:
the compiler goes on with what is left.
"""

from functools import cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from taskrun.spec.compiling.problems import START, Problems, settle_words
from taskrun.spec.compiling.rewording import Finding, reword
from taskrun.spec.marks import Map, Mark, Seq
from taskrun.spec.schema import adapter

_ROUNDS = 20


class Valid(NamedTuple):
    """``document`` is plain data, in step with ``tree``. ``removed``: values taken out, by the id of their map."""

    document: dict[str, Any] | None
    tree: Map
    removed: dict[int, dict[str, Any]]
    lost_tasks: bool = False


@cache
def _adapter() -> TypeAdapter[Any]:
    return adapter()


def validate(root: Any, problems: Problems) -> Valid:
    if not isinstance(root, Map):
        problems.error(
            "TR203",
            "a workflow file is a map with `name:` and `tasks:`",
            root.mark if isinstance(root, Seq) else START,
            help_="name: hello\ntasks:\n  - name: make_dir\n    run: mkdir demo\n    revert: rmdir demo",
        )
        return Valid(None, Map(START), {})
    settle_words(root)
    removed: dict[int, dict[str, Any]] = {}
    touched: set[int] = set()
    lost_tasks = False
    for _ in range(_ROUNDS):
        try:
            document = _adapter().validate_python(root)
        except ValidationError as errors:
            lost_tasks |= _repair(root, errors, problems, removed, touched)
        else:
            return Valid(document, root, removed, lost_tasks)
    return Valid(None, root, removed)


def _repair(
    root: Map,
    errors: ValidationError,
    problems: Problems,
    removed: dict[int, dict[str, Any]],
    touched: set[int],
) -> bool:
    """Report each finding once, and change the tree so that it is not found again; True when tasks went with it."""
    lost_tasks = False
    dropped_items: dict[int, tuple[Seq, set[int]]] = {}
    for error in errors.errors(include_url=False):
        place = _find(root, error["loc"])
        if place.key is None:
            continue
        if error["type"] == "missing":
            _fill(place, problems, error, removed)
            continue
        value = place.value
        lost_tasks |= place.key == "tasks"
        if not (error["type"] == "too_short" and id(value) in touched):
            reword(Finding(error, place.path, place.holder, place.key, place.is_key), problems)
        if isinstance(place.holder, Seq):
            dropped_items.setdefault(id(place.holder), (place.holder, set()))[1].add(int(place.key))
            touched.add(id(place.holder))
        elif place.key in place.holder:
            key = str(place.key)
            removed.setdefault(id(place.holder), {})[key] = place.holder.pop(key)
    for seq, indices in dropped_items.values():
        _drop_items(seq, indices)
    return lost_tasks


class _Place(NamedTuple):
    holder: Map | Seq
    key: str | int | None
    path: tuple[str | int, ...]
    is_key: bool
    value: Any


def _find(root: Map, loc: tuple[str | int, ...]) -> _Place:
    """Follow a location through the tree, past the validator's own words for alternatives."""
    holder: Map | Seq = root
    key: str | int | None = None
    value: Any = root
    path: list[str | int] = []
    is_key = False
    for part in loc:
        if part == "[key]":
            is_key = True
        elif isinstance(part, str) and part.startswith("<"):
            continue
        elif isinstance(value, Map | Seq):
            holder, key = value, part
            path.append(part)
            value = _child(value, part)
    return _Place(holder, key, tuple(path), is_key, value)


def _child(value: Map | Seq, part: str | int) -> Any:
    if isinstance(value, Map):
        return value.get(str(part))
    return value[int(part)] if int(part) < len(value) else None


def _fill(place: _Place, problems: Problems, error: Any, removed: dict[int, dict[str, Any]]) -> None:
    """Put something harmless where a required key is missing, and say so unless it was just taken out."""
    holder, key = place.holder, place.key
    assert isinstance(holder, Map)
    assert key is not None
    if str(key) not in removed.get(id(holder), ()):
        reword(Finding(error, place.path, holder, key, is_key=False), problems)
    holder[str(key)] = _placeholder(str(key), holder.mark)
    removed.setdefault(id(holder), {}).setdefault(str(key), None)


def _placeholder(key: str, mark: Mark) -> Any:
    if key == "tasks":
        task = Map(mark)
        task["name"], task["echo"] = "_", ""
        tasks = Seq(mark)
        tasks.append(task)
        tasks.item_marks.append(mark)
        return tasks
    if key == "argv":
        return Seq(mark)
    return {"name": "_", "for": "0s"}.get(key, "")


def _drop_items(seq: Seq, indices: set[int]) -> None:
    kept = [i for i in range(len(seq)) if i not in indices]
    items, marks = [seq[i] for i in kept], [seq.item_marks[i] for i in kept]
    seq[:] = items
    seq.item_marks[:] = marks
