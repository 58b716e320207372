"""The forms of `sql` that undo themselves, on both databases: what was there is there again, whatever it was."""

import pathlib
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from taskrun.actions import sql
from taskrun.errors import ActionError
from tests.actions.postgresql import execute

TABLES = """
create table users (id integer primary key, login text unique, plan text, quota numeric(10, 2), photo {bytes}, note text);
insert into users values (1, 'ann', 'basic', 1.50, {photo}, null), (2, 'bob', 'basic', 20, null, 'it''s "quoted"; :x');
insert into users values (3, 'cyd', 'pro', -3.14, null, '');
create table seats (area text, number integer, holder text, primary key (area, number));
insert into seats values ('a', 1, 'ann'), ('a', 2, null), ('b', 1, 'bob');
"""


class Place:
    """A database with two tables, what is in them, and the action on it."""

    def __init__(self, name: str, url: str, look: Callable[[str], list[Any]], here: Any) -> None:
        self.name = name
        self.look = look
        self.here = here._replace(idempotency_key="r/t/1")
        self._url = url

    @property
    def world(self) -> list[Any]:
        return [self.look(f"select * from {table} order by 1, 2") for table in ("users", "seats")]

    def marks(self) -> list[Any]:
        return self.look("select key from taskrun_applied order by 1")

    def do(self, **fields: Any) -> dict[str, Any]:
        return sql.do({"database": self._url, **fields}, self.here).values

    def undo(self, policy: str = "stop", log: list[str] | None = None) -> dict[str, Any]:
        here = self.here._replace(idempotency_key="r/t/1/revert", undoes="r/t/1", reverting=True)
        here = here._replace(log=(log if log is not None else []).append)
        return sql.do({"database": self._url, "undo": policy}, here).values


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, here: Any, tmp_path: pathlib.Path) -> Place:
    if request.param == "sqlite":
        path = tmp_path / "app.db"

        def look(text: str) -> list[Any]:
            opened = sqlite3.connect(path)
            try:
                found = opened.execute(text).fetchall()
                opened.commit()
                return found
            finally:
                opened.close()

        made = sqlite3.connect(path)
        made.executescript(TABLES.format(bytes="blob", photo="x'00ff10'"))
        made.close()
        return Place("sqlite", "sqlite:app.db", look, here)
    pytest.importorskip("sqlalchemy", reason="the extra `sql` is not installed")
    pytest.importorskip("psycopg", reason="the extra `sql` is not installed")
    url = request.getfixturevalue("database")
    execute(url, TABLES.format(bytes="bytea", photo=r"'\\x00ff10'"))
    return Place("postgresql", url, lambda text: [tuple(row) for row in execute(url, text) or []], here)


CHANGES: list[dict[str, Any]] = [
    {"insert": "users", "rows": {"login": "dan", "plan": "pro", "quota": 7, "id": 9}},
    {"insert": "seats", "rows": [{"area": "c", "number": n, "holder": None} for n in range(3)]},
    {
        "update": "users",
        "set": {"plan": "gone", "quota": 0, "photo": None, "note": "x"},
        "where": {"plan": "basic"},
    },
    {"update": "users", "set": {"note": {"a": [1, True]}}, "where": {"note": None}},
    {"update": "users", "set": {"note": "x"}, "where": {"login": ["ann", "cyd", "nobody"]}},
    {"update": "seats", "set": {"holder": "zoe"}, "where": {"area": "a", "number": 2}},
    {"delete": "users", "where": {"id": [1, 2, 3]}},
    {"delete": "seats", "where": {"area": "a"}},
    {"delete": "seats", "where": {"area": "nowhere"}},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_done_and_undone_it_is_as_it_was(change: dict[str, Any], place: Place) -> None:
    before = place.world
    done = place.do(**change)
    assert (place.world != before) == (done["rowcount"] > 0)
    assert place.undo()["rowcount"] == done["rowcount"]
    assert place.world == before


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_done_twice_or_undone_twice_it_acts_once(change: dict[str, Any], place: Place) -> None:
    before = place.world
    first = place.do(**change)
    after = place.world
    again = place.do(**change)
    assert {**again, "already": False} == first
    assert again["already"]
    assert place.world == after
    place.undo()
    assert place.undo()["already"]
    assert place.world == before


def test_the_keys_of_what_was_changed_are_the_result(place: Place) -> None:
    assert place.do(update="seats", set={"holder": "x"}, where={"area": "a"})["rows"] == [
        {"area": "a", "number": 1 if place.name == "sqlite" else "1"},
        {"area": "a", "number": 2 if place.name == "sqlite" else "2"},
    ]


@pytest.mark.parametrize(
    ("change", "meanwhile", "said"),
    [
        (CHANGES[0], "update users set plan = 'other' where id = 9", "id = 9 has another plan"),
        (CHANGES[2], "update users set login = 'ann2' where id = 1", "id = 1 has another login"),
        (CHANGES[3], "delete from users where id = 1", "id = 1 is gone"),
        (CHANGES[6], "insert into users values (2, 'new', 'x', 0, null, null)", "id = 2 is there again"),
    ],
)
def test_rows_that_were_changed_since_are_not_touched_unless_told_so(
    change: dict[str, Any], meanwhile: str, said: str, place: Place
) -> None:
    before = place.world
    place.do(**change)
    place.look(meanwhile) if place.name == "sqlite" else execute(place._url, meanwhile)
    drifted = place.world
    with pytest.raises(ActionError) as raised:
        place.undo()
    assert raised.value.type == "Drift"
    assert said in raised.value.message
    assert place.world == drifted
    log: list[str] = []
    place.undo("force", log)
    assert place.world == before
    assert any(said in line for line in log)


def test_what_somebody_has_undone_already_is_no_drift(place: Place) -> None:
    before = place.world
    place.do(**CHANGES[0])
    gone = "delete from users where id = 9"
    place.look(gone) if place.name == "sqlite" else execute(place._url, gone)
    place.undo()
    assert place.world == before


def test_skip_leaves_what_was_changed_and_puts_the_rest_back(place: Place) -> None:
    place.do(**CHANGES[2])
    change = "update users set note = 'mine' where id = 1"
    place.look(change) if place.name == "sqlite" else execute(place._url, change)
    assert place.undo("skip")["rowcount"] == 1
    assert [row[2] for row in place.world[0]] == ["gone", "basic", "pro"]


@pytest.mark.parametrize(
    ("change", "type_", "said"),
    [
        ({"update": "users", "set": {"id": 5}, "where": {"id": 1}}, "InvalidField", "id tells the rows apart"),
        ({"update": "users", "set": {"nope": 5}, "where": {"id": 1}}, "InvalidField", "has no column nope; it has id, login"),
        ({"delete": "nowhere", "where": {"id": 1}}, "SQLError", "there is no table nowhere"),
        ({"delete": "users", "where": {}}, "InvalidField", "delete without where would change every row"),
        ({"insert": "users", "rows": [{"id": 8, "login": "x"}, {"id": 1}]}, "SQLError", "insert"),
        ({"insert": 'users" --', "rows": {"id": 8}}, "InvalidField", "is no name that could be used here"),
        ({"update": "users", "set": {"plan": "x"}, "where": "id = 1"}, "InvalidField", "where must be a map"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_or_undone_changes_nothing(
    change: dict[str, Any], type_: str, said: str, place: Place
) -> None:
    before = place.world
    with pytest.raises(ActionError) as raised:
        place.do(**change)
    assert raised.value.type == type_
    assert said in raised.value.message
    assert place.world == before


def test_of_a_sqlite_database_nothing_else_is_left(here: Any, tmp_path: pathlib.Path) -> None:
    def dump() -> list[str]:
        opened = sqlite3.connect(tmp_path / "app.db")
        try:
            return list(opened.iterdump())
        finally:
            opened.close()

    made = sqlite3.connect(tmp_path / "app.db")
    made.executescript(
        "create table t (a, b); insert into t values (1, 2.5), ('x', x'00'); create index i on t (a)"
    )
    made.close()
    before = dump()
    mine = here._replace(idempotency_key="k")
    sql.do({"database": "sqlite:app.db", "delete": "t", "where": {"a": ["x", 1]}}, mine)
    assert "taskrun_applied" in str(dump())
    sql.do(
        {"database": "sqlite:app.db", "undo": "stop"}, here._replace(idempotency_key="k/revert", undoes="k")
    )
    assert dump() == before


def test_what_a_deletion_takes_along_elsewhere_is_refused(place: Place) -> None:
    if place.name == "sqlite":
        pytest.skip("foreign keys act only where a script turns them on")
    execute(
        place._url, "create table posts (id int primary key, author int references users on delete cascade)"
    )
    with pytest.raises(ActionError) as raised:
        place.do(delete="users", where={"id": 1})
    assert "rows of posts would change with those of users" in raised.value.message


def test_columns_that_the_server_fills_itself_come_back(place: Place) -> None:
    if place.name == "sqlite":
        pytest.skip("of PostgreSQL")
    execute(
        place._url,
        "create table full_ (id bigint generated always as identity primary key, at timestamptz default now(), day date,"
        " tags text[], facts jsonb, f double precision, twice int generated always as (length(c)) stored, c char(5), ok bool);"
        "insert into full_ (day, tags, facts, f, c, ok) values ('2026-01-02', '{a,\"b c\"}', '{\"a\": [1.10]}', 0.1, 'x', true),"
        " (null, '{}', null, 'NaN', 'abcde', false)",
    )
    before = place.look("select * from full_")
    place.do(delete="full_", where={"ok": [True, False]})
    assert place.look("select * from full_") == []
    place.undo()
    assert str(place.look("select * from full_ order by id")) == str(before)
