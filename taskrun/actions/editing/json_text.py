"""A value in a JSON text, found and replaced where it stands."""

import re
from typing import Any

from taskrun.actions.editing.keys import Keys, index_of
from taskrun.errors import ActionError

_BLANK = re.compile(r"[ \t\r\n]*")
_INDENT = re.compile(r"\n([ \t]+)")


def load(text: str) -> Any:
    import json  # noqa: PLC0415 - only for tasks that edit JSON

    text = text.removeprefix("\ufeff")
    if not text.strip():
        return {}
    try:
        return json.loads(text)
    except ValueError as error:
        raise ActionError("InvalidFile", f"it is not JSON: {error}") from error


def put(text: str, keys: Keys, value: Any) -> str:
    """The text, in which everything but this value stays; it must be JSON that :func:`load` takes."""
    if not text.removeprefix("\ufeff").strip():
        text += "{}\n"
    return _Editor(text).put(keys, value)


class _Editor:
    def __init__(self, text: str) -> None:
        from json import JSONDecoder, dumps  # noqa: PLC0415 - only for tasks that edit JSON

        self._text = text
        self._decode = JSONDecoder().raw_decode
        self._dumps = dumps
        indent = _INDENT.search(text)
        self._unit = indent[1] if indent else "  "
        self._in_lines = indent is not None or "{" not in text.replace("{}", "")

    def put(self, keys: Keys, value: Any) -> str:
        start = self._skip(1 if self._text.startswith("\ufeff") else 0)
        for depth, key in enumerate(keys):
            rest = keys[depth + 1 :]
            if self._text[start] == "{":
                members = self._members(start)
                found = next((m for m in reversed(members) if m[1] == key), None)
                if found is None:
                    return self._insert(start, members, key, _wrapped(rest, value))
                start = found[2]
            elif self._text[start] == "[":
                items = self._items(start)
                start = items[index_of(items, keys[depth:])]
            else:
                return self._replace(start, _wrapped(keys[depth:], value))
        return self._replace(start, value)

    def _skip(self, position: int) -> int:
        found = _BLANK.match(self._text, position)
        assert found is not None
        return found.end()

    def _end(self, start: int) -> int:
        return int(self._decode(self._text, start)[1])

    def _members(self, start: int) -> list[tuple[int, str, int, int]]:
        """Of an object: where each key starts, the key, where its value starts and ends."""
        members = []
        position = self._skip(start + 1)
        while self._text[position] != "}":
            key, after = self._decode(self._text, position)
            begin = self._skip(self._skip(after) + 1)
            end = self._end(begin)
            members.append((position, key, begin, end))
            position = self._skip(end)
            if self._text[position] == ",":
                position = self._skip(position + 1)
        return members

    def _items(self, start: int) -> list[int]:
        items = []
        position = self._skip(start + 1)
        while self._text[position] != "]":
            items.append(position)
            position = self._skip(self._end(position))
            if self._text[position] == ",":
                position = self._skip(position + 1)
        return items

    def _replace(self, start: int, value: Any) -> str:
        return self._text[:start] + self._dump(value, self._indent_at(start)) + self._text[self._end(start) :]

    def _insert(self, start: int, members: list[tuple[int, str, int, int]], key: str, value: Any) -> str:
        text, name = self._text, self._dumps(key, ensure_ascii=False)
        if members:
            first, _, begin, _ = members[0]
            colon = text[self._end(first) : begin]
            gap = text[start + 1 : first] if "\n" in text[start + 1 : first] or len(members) == 1 else " "
            if len(members) > 1 and "\n" not in gap:
                gap = text[text.index(",", members[0][3]) + 1 : members[1][0]]
            elif "\n" not in gap:
                gap = " " if colon != ":" else ""
            at = members[-1][3]
            return f"{text[:at]},{gap}{name}{colon}{self._dump(value, self._indent_at(first))}{text[at:]}"
        indent = self._indent_at(start)
        if not self._in_lines:
            return f"{text[: start + 1]}{name}: {self._dump(value, indent)}{text[self._end(start) - 1 :]}"
        inner = indent + self._unit
        body = f"\n{inner}{name}: {self._dump(value, inner)}\n{indent}"
        return f"{text[: start + 1]}{body}{text[self._end(start) - 1 :]}"

    def _indent_at(self, position: int) -> str:
        line = self._text[self._text.rfind("\n", 0, position) + 1 : position]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _dump(self, value: Any, indent: str) -> str:
        if not isinstance(value, dict | list) or not self._in_lines:
            return self._dumps(value, ensure_ascii=False)
        return self._dumps(value, ensure_ascii=False, indent=self._unit).replace("\n", f"\n{indent}")


def _wrapped(keys: Keys, value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value
