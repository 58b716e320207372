"""What the compiler has to know about each kind of action, beside its fields."""

from typing import NamedTuple


class Traits(NamedTuple):
    """What the compiler knows of a kind. ``main``: the field a plain value stands for, "" if none can."""

    main: str = ""
    writes: bool = False  # has effects it cannot undo by itself: a missing `revert` is worth a warning
    auto: bool = False  # undoes itself
    dynamic: bool = False  # may give outputs the file does not declare ($TASKRUN_OUTPUT)
    expressions: frozenset[str] = frozenset()  # fields that are bare expressions
    scripts: frozenset[str] = frozenset()  # fields in which expressions become shell variables
    one_of: tuple[str, ...] = ()  # exactly one of these fields is given


_SCRIPT, _RUN, _THAT = frozenset({"script"}), frozenset({"run"}), frozenset({"that"})

TRAITS: dict[str, Traits] = {
    "run": Traits("script", writes=True, dynamic=True, scripts=_SCRIPT),
    "exec": Traits("argv", writes=True, dynamic=True),
    "http": Traits("url", writes=True, one_of=("url",)),
    "python": Traits("call", writes=True, dynamic=True, one_of=("call", "code")),
    "file": Traits(auto=True, one_of=("content", "source")),
    "template": Traits(auto=True),
    "copy": Traits(auto=True),
    "move": Traits(auto=True),
    "mkdir": Traits("path", auto=True),
    "delete": Traits("path", auto=True),
    "symlink": Traits(auto=True),
    "edit": Traits(auto=True, one_of=("line", "block", "set")),
    "sql": Traits(writes=True, one_of=("script", "query", "insert", "update", "delete")),
    "wait_for": Traits("port", one_of=("port", "url", "path", "run"), scripts=_RUN),
    "approve": Traits("message"),
    "echo": Traits("message"),
    "fail": Traits("message"),
    "sleep": Traits("for"),
    "assert": Traits("that", expressions=_THAT),
    "workflow": Traits("file"),
}
HTTP_FORMS = ("get", "post", "put", "patch", "delete", "head")
ROW_FORMS = ("insert", "update", "delete")
"""The fields of `sql` that change rows, and undo themselves."""
