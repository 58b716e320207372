"""Rows changed by a run are put back when it fails, and by `taskrun revert`, whenever it is killed."""

import sqlite3
from contextlib import closing

import pytest

from tests.command import Taskrun

FILE = """name: tenant
tasks:
  - {name: add, sql: {database: "sqlite:app.db", insert: users, rows: {login: eve, plan: pro}}}
  - {name: change, sql: {database: "sqlite:app.db", update: users, set: {plan: gone}, where: {plan: basic}}, outputs: {n: result.rowcount}}
  - {name: drop, sql: {database: "sqlite:app.db", delete: users, where: {login: [ann]}}}
  - {name: last, run: "exit %s", revert: none}
"""


@pytest.fixture
def tenant(taskrun: Taskrun) -> Taskrun:
    with closing(sqlite3.connect(taskrun.folder / "app.db")) as made:
        made.executescript(
            "create table users (id integer primary key, login text, plan text);"
            "insert into users (login, plan) values ('ann', 'basic'), ('bob', 'basic'), ('cyd', 'pro');"
        )
    return taskrun


def dump(taskrun: Taskrun) -> list[str]:
    with closing(sqlite3.connect(taskrun.folder / "app.db")) as opened:
        return list(opened.iterdump())


def test_a_run_that_fails_leaves_the_database_as_it_was(tenant: Taskrun) -> None:
    before = dump(tenant)
    tenant.file(FILE % 1)
    assert tenant("run", "w.yaml").code == 1
    assert dump(tenant) == before


def test_revert_puts_the_rows_back_and_stops_where_they_were_changed(tenant: Taskrun) -> None:
    before = dump(tenant)
    tenant.file(FILE % 0)
    assert tenant("validate", "--strict", "w.yaml").code == 0
    assert tenant("run", "w.yaml").code == 0
    with closing(sqlite3.connect(tenant.folder / "app.db")) as opened:
        assert opened.execute("select login, plan from users order by id").fetchall() == [
            ("bob", "gone"),
            ("cyd", "pro"),
            ("eve", "pro"),
        ]
        opened.execute("update users set plan = 'mine' where login = 'bob'")
        opened.commit()
    plan = tenant("plan", "--revert", "latest")
    assert "itself" in plan.out
    failed = tenant("revert")
    assert failed.code == 3
    assert "id = 2 has another plan" in failed.err + failed.out
    with closing(sqlite3.connect(tenant.folder / "app.db")) as opened:
        opened.execute("update users set plan = 'gone' where login = 'bob'")
        opened.commit()
    assert tenant("revert").code == 0
    assert dump(tenant) == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("insert: users", "`insert` needs `rows`"),
        ("update: users, set: {a: 1}", "`update` needs `where`"),
        ("delete: users, where: {}", "`where` is a map by column, with something in it"),
        ("delete: users, where: 'id = 1'", "`where` is a map by column"),
        ("insert: users, rows: [1]", "or a list of such maps"),
        ("insert: users, rows: {a: 1}, where: {b: 1}", "`where` goes with `update` or `delete`"),
        ("insert: users, rows: {a: 1}, delete: users, where: {a: 1}", "takes only one of"),
        ("script: x.sql, params: {a: 1}", "`params` goes with `query`"),
        ("query: select 1, on_drift: skip", "`on_drift` goes with"),
        ("insert: '', rows: {a: 1}", "`insert` names no table"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(fields: str, said: str, tenant: Taskrun) -> None:
    tenant.file(
        f"name: a\ntasks:\n  - {{name: b, revert: none, sql: {{database: 'sqlite:app.db', {fields}}}}}\n"
    )
    done = tenant("validate", "w.yaml")
    assert done.code == 2
    assert said in done.out
