"""The forms ``insert``, ``update`` and ``delete`` of ``sql``: what they change, and how their rows are put back.

The rows as they were and as they have become go into ``taskrun_applied`` with the row that says it was done, in the same
transaction: a crash leaves all of it or nothing. The undo compares each row with what it has become, and touches none that
somebody has changed since. Written once for all databases; what differs between them is a ``Session``.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from taskrun.actions.kinds import ROW_FORMS
from taskrun.actions.values import text_of
from taskrun.errors import ActionError

UNDO: Final = "undo"
"""The field of an action that takes back what one of the forms has done. Nobody writes it: see the compiler."""
MOST_ROWS = 10_000
_SHOWN = 5

Row = dict[str, Any]
Log = Callable[[str], None]


class Column(NamedTuple):
    name: str
    read: str  # SQL that gives its value exactly
    write: str  # SQL that takes a value so given, `{}` standing for its placeholder


class Table(NamedTuple):
    name: str  # quoted
    columns: tuple[Column, ...]
    key: tuple[Column, ...]


class Session(Protocol):
    """A transaction of a database that has rows. Parameters are by name, ``:name`` in the SQL."""

    lock: str  # what stands behind a SELECT so that the rows stay as they are
    overriding: str  # what stands before VALUES so that every column can be given

    def table(self, name: str) -> Table: ...
    def rows(self, sql: str, params: Mapping[str, Any]) -> list[Sequence[Any]]: ...
    def cascades(self, name: str) -> list[str]:
        """The tables whose rows a deletion in this one changes too."""

    def value(self, value: Any) -> Any:
        """What is handed to a placeholder for a value from the workflow, or from an image."""


class Form(NamedTuple):
    do: str
    table: str
    rows: Sequence[Row] = ()
    values: Mapping[str, Any] = {}
    where: Mapping[str, Any] = {}


class Changed(NamedTuple):
    """``rowcount`` and ``rows`` are for the workflow, ``image`` for the undo."""

    keys: list[Row]
    image: dict[str, Any]


def form_of(fields: Mapping[str, Any]) -> Form | None:
    """What the fields ask for; None if they ask for a script or a query."""
    found = [name for name in ROW_FORMS if name in fields]
    if not found:
        return None
    do, where = found[0], fields.get("where", {})
    rows, values = fields.get("rows", ()), fields.get("set", {})
    for name, given in (("where", where), ("set", values)):
        if not isinstance(given, dict):
            raise ActionError("InvalidField", f"{name} must be a map of columns, not {text_of(given)}")
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list | tuple) or not all(isinstance(row, dict) and row for row in rows):
        raise ActionError("InvalidField", "rows must be a map of columns, or a list of such maps")
    if do != "insert" and not where:
        raise ActionError("InvalidField", f"{do} without where would change every row: say which")
    if do == "update" and not values:
        raise ActionError("InvalidField", "update needs set")
    return Form(do, text_of(fields[do]), rows, values, where)


def carry_out(session: Session, form: Form) -> Changed:
    """Change the rows. ActionError, and nothing is changed, where they could not be put back."""
    table = session.table(form.table)
    work = _Work(session, table)
    pairs: list[tuple[Row | None, Row | None]]
    if form.do == "insert":
        pairs = [(None, work.insert(row)) for row in form.rows]
    elif form.do == "update":
        pairs = work.update(form.values, form.where)
    else:
        if session.cascades(form.table):
            raise ActionError(
                "Irreversible",
                f"rows of {', '.join(session.cascades(form.table))} would change with those of {form.table} (ON DELETE), "
                "and would not be put back: change them first, or write a query and its revert",
            )
        pairs = [(row, None) for row in work.delete(form.where)]
    keys = [work.key_of(after or before or {}) for before, after in pairs]
    return Changed(keys, {"table": form.table, "pairs": pairs})


def take_back(session: Session, image: Mapping[str, Any], policy: str, log: Log) -> int:
    """Put the rows back, the last first; how many. Drift is an ActionError unless the policy says otherwise."""
    work = _Work(session, session.table(image["table"]))
    drifts: list[str] = []
    planned: list[tuple[Row | None, Row | None, Row | None]] = []
    for before, after in reversed(image["pairs"]):
        now = work.find(after or before)
        drift = work.drift(now, after, before)
        if drift:
            drifts.append(drift)
        if not drift or policy == "force":
            planned.append((before, after, now))
    if drifts:
        said = "; ".join(drifts[:_SHOWN]) + (
            f"; and {len(drifts) - _SHOWN} more" if len(drifts) > _SHOWN else ""
        )
        if policy == "stop":
            help_ = "put that right and say `taskrun revert`, or settle it with `taskrun resolve`"
            raise ActionError("Drift", f"not undone, for rows were changed since: {said}\n{help_}")
        log(
            f"{'left as they are' if policy == 'skip' else 'undone all the same'}, though changed since: {said}"
        )
    for before, after, now in planned:
        work.put_back(before, after, now)
    return len(planned)


class _Work:
    """What is done to the rows of one table."""

    def __init__(self, session: Session, table: Table) -> None:
        self._session = session
        self._table = table
        self._columns = {column.name: column for column in table.columns}
        self._all = ", ".join(column.read for column in table.columns)

    def insert(self, row: Mapping[str, Any], *, exactly: bool = False) -> Row:
        columns = [self._column(name) for name in row]
        names = ", ".join(quoted(column.name) for column in columns)
        values = ", ".join(column.write.format(f":v{n}") for n, column in enumerate(columns))
        overriding = self._session.overriding if exactly else ""
        found = self._session.rows(
            f"INSERT INTO {self._table.name} ({names}) {overriding}VALUES ({values}) RETURNING {self._keys}",
            {f"v{n}": self._session.value(value) for n, value in enumerate(row.values())},
        )
        if not found:
            raise ActionError(
                "SQLError", f"the row was not inserted: a trigger of {self._table.name} has refused it"
            )
        made = self.find(dict(zip((column.name for column in self._table.key), found[0], strict=True)))
        return made or {}

    def update(
        self, values: Mapping[str, Any], where: Mapping[str, Any]
    ) -> list[tuple[Row | None, Row | None]]:
        for column in self._table.key:
            if column.name in values:
                raise ActionError(
                    "InvalidField",
                    f"set: {column.name} tells the rows apart, so an undo would not find them again",
                )
        befores = self._select(where)
        columns = [(self._column(name), value) for name, value in values.items()]
        changes = ", ".join(
            f"{quoted(c.name)} = {c.write.format(f':v{n}')}" for n, (c, _) in enumerate(columns)
        )
        params = {f"v{n}": self._session.value(value) for n, (_, value) in enumerate(columns)}
        for before in befores:
            condition, more = self._is(before)
            self._change(changes, condition, {**params, **more})
        return [(before, self.find(before)) for before in befores]

    def delete(self, where: Mapping[str, Any]) -> list[Row]:
        befores = self._select(where)
        for before in befores:
            self._remove(before)
        return befores

    def key_of(self, row: Mapping[str, Any]) -> Row:
        return {column.name: row.get(column.name) for column in self._table.key}

    def find(self, row: Mapping[str, Any]) -> Row | None:
        condition, params = self._is(row)
        found = list(self._rows(condition, params))
        return found[0] if found else None

    def drift(self, now: Row | None, after: Row | None, before: Row | None) -> str:
        """In words what is different from what was left; nothing if it is that, or what was there before."""
        if now in (after, before):
            return ""
        named = ", ".join(f"{name} = {value}" for name, value in self.key_of(after or before or {}).items())
        if now is None:
            return f"{named} is gone"
        if after is None:
            return f"{named} is there again"
        names = [name for name in now if now[name] != after.get(name)]
        return f"{named} has another {', '.join(names)}"

    def put_back(self, before: Row | None, after: Row | None, now: Row | None) -> None:
        if now == before:
            return
        if before is None:
            self._remove(after or {})
        elif now is None:
            self.insert(before, exactly=True)
        else:
            names = [name for name in before if before[name] != now[name]]
            changes = ", ".join(
                f"{quoted(name)} = {self._column(name).write.format(f':v{n}')}"
                for n, name in enumerate(names)
            )
            condition, params = self._is(before)
            params |= {f"v{n}": self._session.value(before[name]) for n, name in enumerate(names)}
            self._change(changes, condition, params)

    def _change(self, changes: str, condition: str, params: Mapping[str, Any]) -> None:
        self._session.rows(f"UPDATE {self._table.name} SET {changes} WHERE {condition}", params)  # noqa: S608 - no value is in it

    def _remove(self, row: Mapping[str, Any]) -> None:
        condition, params = self._is(row)
        self._session.rows(f"DELETE FROM {self._table.name} WHERE {condition}", params)  # noqa: S608 - as above

    def _select(self, where: Mapping[str, Any]) -> list[Row]:
        """The rows that are meant, and that stay as they are until the transaction ends."""
        conditions: list[str] = []
        params: dict[str, Any] = {}
        for number, (name, value) in enumerate(where.items()):
            condition, more = self._condition(self._column(name), value, f"w{number}")
            conditions.append(condition)
            params |= more
        found = list(self._rows(" AND ".join(conditions), params))
        if len(found) > MOST_ROWS:
            raise ActionError(
                "TooLarge",
                f"more than {MOST_ROWS:,} rows would be changed, too many to keep as they were",
                hint="write a script, and another that undoes it",
            )
        return found

    def _condition(self, column: Column, value: Any, name: str) -> tuple[str, dict[str, Any]]:
        if value is None:
            return f"{quoted(column.name)} IS NULL", {}
        values = value if isinstance(value, list) else [value]
        places = [column.write.format(f":{name}_{n}") for n in range(len(values))]
        params = {f"{name}_{n}": self._session.value(each) for n, each in enumerate(values)}
        return f"{quoted(column.name)} IN ({', '.join(places)})", params

    def _rows(self, condition: str, params: Mapping[str, Any]) -> Iterator[Row]:
        lock = self._session.lock
        sql = f"SELECT {self._all} FROM {self._table.name} WHERE {condition} LIMIT {MOST_ROWS + 1}{lock}"  # noqa: S608 - as above
        names = list(self._columns)
        for row in self._session.rows(sql, params):
            yield dict(zip(names, row, strict=True))

    def _is(self, row: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """A condition that only this row meets."""
        conditions, params = [], {}
        for number, column in enumerate(self._table.key):
            conditions.append(f"{quoted(column.name)} = {column.write.format(f':k{number}')}")
            params[f"k{number}"] = self._session.value(row[column.name])
        return " AND ".join(conditions), params

    @property
    def _keys(self) -> str:
        return ", ".join(column.read for column in self._table.key)

    def _column(self, name: str) -> Column:
        column = self._columns.get(name)
        if column is None:
            listed = ", ".join(self._columns)
            raise ActionError("InvalidField", f"{self._table.name} has no column {name}; it has {listed}")
        return column


def quoted(name: str) -> str:
    """A name as SQL has it."""
    if not name or any(character in '"\0:\\' for character in name):
        raise ActionError("InvalidField", f"{name!r} is no name that could be used here")
    return f'"{name}"'


def plain(value: Any) -> Any:
    """A value of a workflow as a column takes it: maps and lists become JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
