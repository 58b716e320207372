"""Collects what is wrong with one file while its parts are looked at; nothing here stops at the first mistake."""

from typing import Any

from taskrun.spec.diagnostics import Diagnostic
from taskrun.spec.marks import Map, Mark, Seq
from taskrun.spec.scalars import Plain

START = Mark(1, 1)


class Problems:
    """``found`` grows; ``strict`` makes every warning an error."""

    def __init__(self, path: str, text: str, *, strict: bool = False) -> None:
        self.path = path
        self.text = text
        self.strict = strict
        self.found: list[Diagnostic] = []
        self._lines: list[str] | None = None

    def take(self, found: list[Diagnostic]) -> None:
        """What others found in the same file."""
        self.found += [one._replace(severity="error") for one in found] if self.strict else found

    def error(self, id_: str, message: str, mark: Mark, length: int = 1, help_: str | None = None) -> None:
        self.found.append(
            Diagnostic(id_, "error", message, self.path, mark.line, mark.column, help_, max(length, 1))
        )

    def warning(self, id_: str, message: str, mark: Mark, length: int = 1, help_: str | None = None) -> None:
        severity = "error" if self.strict else "warning"
        self.found.append(
            Diagnostic(id_, severity, message, self.path, mark.line, mark.column, help_, max(length, 1))
        )

    def at_key(self, id_: str, message: str, holder: Map, key: str, help_: str | None = None) -> None:
        """About a key, or about its map when the key is not there."""
        mark = holder.key_marks.get(key)
        if mark is None:
            self.error(id_, message, holder.mark, self.length_at(holder.mark), help_)
        else:
            self.error(id_, message, mark, len(key), help_)

    def at_value(
        self, id_: str, message: str, holder: Map | Seq, key: str | int, help_: str | None = None
    ) -> None:
        mark = value_mark(holder, key)
        self.error(id_, message, mark, self.length_at(mark, holder[key]), help_)  # type: ignore[index]

    def length_at(self, mark: Mark, value: Any = None) -> int:
        """How many characters the scalar that starts at ``mark`` has in its first line."""
        if isinstance(value, Map | Seq):
            return 1
        line = self._line(mark.line)[mark.column - 1 :]
        if line[:1] in ("'", '"'):
            end = line.find(line[0], 1)
            return end + 1 if end > 0 else len(line.rstrip())
        if line[:1] in ("|", ">", "{", "["):
            return 1
        if isinstance(value, str) and value and "\n" not in value and line.startswith(value):
            return len(value)
        return _plain_length(line)

    def _line(self, number: int) -> str:
        if self._lines is None:
            self._lines = self.text.split("\n")
        return self._lines[number - 1] if 1 <= number <= len(self._lines) else ""

    def typed_at(self, mark: Mark) -> str:
        """The word as the file has it, for values that are no longer text."""
        line = self._line(mark.line)[mark.column - 1 :]
        return line[: _plain_length(line)]


def _plain_length(line: str) -> int:
    end = len(line)
    for stop in (": ", " #", ",", "}", "]"):
        found = line.find(stop, 0, end)
        if found >= 0:
            end = found
    return max(len(line[:end].rstrip().rstrip(":")), 1)


def value_mark(holder: Map | Seq, key: str | int) -> Mark:
    if isinstance(holder, Map):
        return holder.value_marks.get(str(key), holder.mark)
    marks = holder.item_marks
    return marks[int(key)] if int(key) < len(marks) else holder.mark


def settle_words(root: Any) -> None:
    """Replace ``true``, ``false`` and ``null`` in a loaded document by what they mean, in place.

    Numbers stay what was typed: only the field knows whether ``1.10`` is a version or a number.
    """
    stack = [root]
    while stack:
        node = stack.pop()
        pairs = node.items() if type(node) is Map else enumerate(node)
        changes = None
        for key, value in pairs:
            kind = type(value)
            if kind is Map or kind is Seq:
                stack.append(value)
            elif kind is Plain and ((meaning := value.value) is None or isinstance(meaning, bool)):
                changes = changes or []
                changes.append((key, meaning))
        for key, meaning in changes or ():
            node[key] = meaning
