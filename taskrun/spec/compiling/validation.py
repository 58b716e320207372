"""Checks a loaded document against the schema, and gets a valid remainder out of one that is not.

What is wrong is reported and taken out, and the rest is checked again, so that one mistake does not hide the others:
the compiler goes on with what is left.
"""

from typing import Any, NamedTuple

from taskrun.actions.validators import ValidationError
from taskrun.spec.compiling.problems import START, Problems, settle_words
from taskrun.spec.compiling.rewording import Finding, reword
from taskrun.spec.marks import Map, Mark, Seq
from taskrun.spec.vocabulary import validator

_ROUNDS = 20


class Valid(NamedTuple):
    """``document`` is plain data, in step with ``tree``. ``removed``: values taken out, by the id of their map."""

    document: dict[str, Any] | None
    tree: Map
    removed: dict[int, dict[str, Any]]
    lost_tasks: bool = False


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
    repair = _Repair(root, problems)
    for _ in range(_ROUNDS):
        try:
            document = validator().validate_python(root)
        except ValidationError as errors:
            repair.settle(errors)
        else:
            return Valid(document, root, repair.removed, repair.lost_tasks)
    return Valid(None, root, repair.removed)


class _Repair:
    """Takes what is wrong out of a tree. ``lost_tasks``: whole lists of tasks went with it."""

    def __init__(self, root: Map, problems: Problems) -> None:
        self.root = root
        self.problems = problems
        self.removed: dict[int, dict[str, Any]] = {}
        self.lost_tasks = False
        self._shortened: set[int] = set()  # lists that lost items, and may be too short by that

    def settle(self, errors: ValidationError) -> None:
        """Report each finding, and change the tree so that it is not found again."""
        places = []
        for error in errors.errors(include_url=False):
            place = _find(self.root, error["loc"])
            if error["type"] == "missing":
                self._fill(place, error)
            elif place.key is not None:
                self._report(place, error)
                places.append(place)
        self._drop(places)

    def _report(self, place: "_Place", error: Any) -> None:
        if not (error["type"] == "too_short" and id(place.value) in self._shortened):
            assert place.key is not None
            reword(Finding(error, place.path, place.holder, place.key, place.is_key), self.problems)

    def _fill(self, place: "_Place", error: Any) -> None:
        """Put something harmless where a required key is missing, and say so unless it was just taken out."""
        holder, key = place.holder, str(place.key)
        assert isinstance(holder, Map)
        gone = self.removed.setdefault(id(holder), {})
        if key not in gone:
            reword(Finding(error, place.path, holder, key, is_key=False), self.problems)
        holder[key] = _placeholder(key, holder.mark)
        gone.setdefault(key, None)

    def _drop(self, places: "list[_Place]") -> None:
        items: dict[int, tuple[Seq, set[int]]] = {}
        for place in places:
            holder, key = place.holder, place.key
            self.lost_tasks |= key == "tasks"
            if isinstance(holder, Seq):
                items.setdefault(id(holder), (holder, set()))[1].add(int(key or 0))
            elif str(key) in holder:
                self.removed.setdefault(id(holder), {})[str(key)] = holder.pop(str(key))
        for seq, indices in items.values():
            self._shortened.add(id(seq))
            _drop_items(seq, indices)


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
