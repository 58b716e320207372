"""What statements gave, as JSON values: rows as maps, no more of them than an expression can use."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any

from taskrun.actions.base import Result
from taskrun.actions.json_values import parse_json

ROWS = 1000
_IMAGE = "image"
SIZE = 512 * 1024  # bytes of JSON of all rows


class Tally:
    """Of several statements: the rows of the last one that gave any, the number of rows that all have changed."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] | None = None
        self._truncated = False
        self._given = 0
        self._changed = 0

    def changed(self, count: int) -> None:
        self._changed += max(count, 0)  # -1: the driver does not know, as for DDL

    def gave(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """The keys of rows that a form has changed."""
        rows = list(rows)
        names = list(rows[0]) if rows else []
        self.take(names, [tuple(row.values()) for row in rows])

    def take(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        self._rows, self._given, self._truncated = [], 0, False
        size = 0
        for row in rows:
            self._given += 1
            if self._truncated:
                continue
            named = {name: value_of(value) for name, value in zip(columns, row, strict=True)}
            size += len(json.dumps(named))
            if len(self._rows) == ROWS or size > SIZE:
                self._truncated = True
            else:
                self._rows.append(named)

    def result(self) -> dict[str, Any]:
        """``rowcount``: of a statement that gave rows how many it gave, also those cut off; else how many changed."""
        values: dict[str, Any] = {
            "rows": self._rows or [],
            "rowcount": self._changed if self._rows is None else self._given,
            "already": False,
        }
        if self._truncated:
            values["truncated"] = True
        return values


def value_of(value: Any) -> Any:
    """A column's value in JSON: exact numbers stay numbers, bytes are base64, dates as the database writes them."""
    if isinstance(value, dict):
        return {str(key): value_of(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [value_of(item) for item in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return b64encode(bytes(value)).decode()
    if isinstance(value, float | Decimal):
        return _number(value)
    return value if value is None or isinstance(value, str | bool | int) else str(value)


def _number(value: float | Decimal) -> int | float | None:
    if not isfinite(value):
        return None
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return float(value)


def kept(values: dict[str, Any], image: Mapping[str, Any] | None = None) -> str:
    """What goes into the row that says it was done, and how it can be undone where that is known."""
    return json.dumps(values if image is None else {**values, _IMAGE: image}, ensure_ascii=False)


def image_in(text: str | None) -> dict[str, Any] | None:
    """What `kept` has put there."""
    values = json.loads(text) if text else None
    image = values.get(_IMAGE) if isinstance(values, dict) else None
    return image if isinstance(image, dict) else None


def found_done(text: str | None) -> Result:
    """The result of what was done before, as it was kept then."""
    values = parse_json(text) if text else None
    values = values if isinstance(values, dict) else {"rows": [], "rowcount": 0}
    values.pop(_IMAGE, None)
    return Result({**values, "already": True})


def nothing_to_undo() -> Result:
    return Result({"rows": [], "rowcount": 0, "already": True})
