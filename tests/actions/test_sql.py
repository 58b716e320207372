import sqlite3
import threading
import time

import pytest

from taskrun.actions import sql
from taskrun.actions.sql_statements import server_statements, sqlite_statements
from taskrun.errors import ActionError
from tests.spec import workflows


def query(here, text, params=None, **fields):
    given = {"database": "sqlite:app.db", "query": text, **fields}
    return sql.do(given | ({} if params is None else {"params": params}), here).values


def script(here, tmp_path, text, **context):
    (tmp_path / "s.sql").write_text(text)
    return sql.do({"database": "sqlite:app.db", "script": "s.sql"}, here._replace(**context)).values


def rows(tmp_path, text):
    database = sqlite3.connect(tmp_path / "app.db")
    try:
        return database.execute(text).fetchall()
    finally:
        database.close()


def failure(call, *args, **more):
    with pytest.raises(ActionError) as raised:
        call(*args, **more)
    return raised.value


def test_a_script_runs_all_its_statements(here, tmp_path):
    text = """
    -- a trigger has semicolons inside; this comment has one too;
    create table t (id integer primary key, note text);
    create table log (id integer);
    create trigger keep after insert on t begin insert into log values (new.id); insert into log values (-new.id); end;
    insert into t (note) values ('a;b'), ('c');
    """
    assert script(here, tmp_path, text)["rowcount"] == 2
    assert rows(tmp_path, "select id from log order by id") == [(-2,), (-1,), (1,), (2,)]


def test_a_script_that_fails_leaves_nothing_not_even_a_table(here, tmp_path):
    failed = failure(
        script,
        here,
        tmp_path,
        "create table t (id); insert into t values (1); insert into nowhere values (1);",
    )
    assert failed.type == "SQLError"
    assert "no such table: nowhere: in insert into nowhere values (1);" in failed.message
    assert rows(tmp_path, "select count(*) from sqlite_master") == [(0,)]


def test_the_same_key_acts_once_and_gives_the_same_result(here, tmp_path):
    query(here._replace(idempotency_key="r/make/1"), "create table t (id integer primary key, v)")
    text = "insert into t (v) values (:v) returning id, v"
    first = query(here, text, {"v": "x"})
    assert first == {"rows": [{"id": 1, "v": "x"}], "rowcount": 1, "already": False}
    assert query(here, text, {"v": "x"}) == {**first, "already": True}
    assert query(here._replace(idempotency_key="r/again/1"), text, {"v": "x"})["rows"] == [
        {"id": 2, "v": "x"}
    ]
    assert rows(tmp_path, "select count(*) from t") == [(2,)]


def test_that_it_was_done_is_kept_in_the_same_transaction(here, tmp_path):
    failure(query, here, "create table t (id); select * from nowhere")
    assert query(here, "create table t (id)")["already"] is False, "what was rolled back was not done"
    (kept,) = rows(tmp_path, "select key, at, result from taskrun_applied")
    assert kept[0] == "r1/build/1"
    assert kept[1].endswith("Z")


def test_an_undo_has_a_key_of_its_own(here, tmp_path):
    query(here, "create table t (id)")
    undoing = here._replace(idempotency_key="r1/build/1/revert", undoes="r1/build/1", reverting=True)
    assert query(undoing, "drop table t")["already"] is False
    assert query(undoing, "drop table t")["already"] is True
    assert rows(tmp_path, "select name from sqlite_master") == []  # it is as if it had never been done


def test_what_was_never_committed_is_not_undone(here, tmp_path, talking, log):
    undoing = talking._replace(idempotency_key="r1/build/1/revert", undoes="r1/build/1", reverting=True)
    assert query(undoing, "drop table t")["already"] is True
    assert not (tmp_path / "app.db").exists()
    query(here._replace(idempotency_key="other"), "create table t (id)")
    assert query(undoing, "drop table t")["already"] is True
    assert rows(tmp_path, "select count(*) from t") == [(0,)]
    assert "never committed" in log[-1]


def test_a_select_leaves_no_trace(here, tmp_path):
    sqlite3.connect(tmp_path / "app.db").close()
    assert query(here, "select 1 as one, 'a' as a")["rows"] == [{"one": 1, "a": "a"}]
    assert rows(tmp_path, "select count(*) from sqlite_master") == [(0,)]


def test_a_select_makes_no_database(here, tmp_path):
    failed = failure(query, here, "select 1")
    assert (failed.type, failed.details) == ("ConnectionError", {"code": "SQLITE_CANTOPEN"})
    assert not (tmp_path / "app.db").exists()


@pytest.mark.parametrize(
    ("text", "params"),
    [("select :a as a, :b as b", {"a": 1, "b": "x'; drop--"}), ("select ? as a, ? as b", [1, "x'; drop--"])],
)
def test_values_are_bound(here, tmp_path, text, params):
    sqlite3.connect(tmp_path / "app.db").close()
    assert query(here, text, params)["rows"] == [{"a": 1, "b": "x'; drop--"}]


def test_an_expression_in_sql_text_is_refused_when_the_file_is_read():
    text = "name: a\ntasks:\n  - {name: b, sql: {database: 'sqlite:a', query: \"select '${{ run.id }}'\"}}\n"
    (found,) = workflows.found(text)
    assert (found.id, found.line) == ("TR706", 3)
    assert found.message == "`query` takes no expression: a value must never become SQL"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"query": "select :a", "params": {"a": [1]}}, "params: a is a list, which is no SQL value"),
        ({"query": "select 1", "params": "x"}, "params must be a map or a list"),
        ({"script": "gone.sql"}, "No such file or directory"),
        ({"script": "s.sql", "params": {}}, "params are for a query"),
        ({}, "needs either script or query"),
    ],
)
def test_fields_that_cannot_be_used_are_named(here, fields, message):
    failed = failure(sql.do, {"database": "sqlite:app.db", **fields}, here)
    assert failed.type == "InvalidField"
    assert message in failed.message


@pytest.mark.parametrize(
    "statement",
    ["begin", "COMMIT", "/* x */ end transaction", "rollback", "-- x\nStart  Transaction", "rollback work;"],
)
def test_a_script_that_would_end_the_transaction_is_refused_before_anything_runs(here, tmp_path, statement):
    failed = failure(script, here, tmp_path, f"create table t (id);\n{statement};")
    assert failed.type == "SQLError"
    assert "all of it is one transaction" in failed.message
    assert not (tmp_path / "app.db").exists()


def test_savepoints_within_a_script_are_its_own(here, tmp_path):
    script(
        here,
        tmp_path,
        "create table t (id); savepoint a; insert into t values (1); rollback to a; insert into t values (2);",
    )
    assert rows(tmp_path, "select id from t") == [(2,)]


def test_a_locked_database_is_waited_for_and_then_a_timeout(here, tmp_path):
    holder = sqlite3.connect(tmp_path / "app.db", isolation_level=None)
    holder.execute("begin immediate")
    failed = failure(query, here, "create table t (id)", timeout=0.05)
    holder.close()
    assert failed.type == "Timeout"
    assert "was in use for 0.05 s" in failed.message


LONG = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"


def test_a_statement_without_end_is_ended_by_the_limit(here):
    begin = time.monotonic()
    failed = failure(query, here._replace(timeout=0.1), f"create table t (id); {LONG}")
    assert failed.type == "Timeout"
    assert time.monotonic() - begin < 10


def test_a_statement_without_end_is_ended_when_the_driver_says_so(here):
    aborts = []
    said = threading.Event()

    def log(line):
        if "recursive" in line:
            said.set()

    def end():
        said.wait(10)
        while not over.wait(0.01):
            for abort in list(aborts):
                abort()

    over = threading.Event()
    other = threading.Thread(target=end)
    other.start()
    failed = failure(query, here._replace(aborts=aborts, log=log), f"create table t (id); {LONG}")
    over.set()
    other.join(10)
    assert failed.type == "Cancelled"
    assert aborts == []


def test_no_more_rows_are_handed_on_than_can_be_used(here, tmp_path):
    sqlite3.connect(tmp_path / "app.db").close()
    many = "select i from (with recursive n(i) as (select 1 union all select i + 1 from n limit 1500) select i from n)"
    found = query(here, many)
    assert (len(found["rows"]), found["rowcount"], found["truncated"]) == (1000, 1500, True)


def test_values_without_json_get_a_form_of_their_own(here, tmp_path):
    sqlite3.connect(tmp_path / "app.db").close()
    assert query(here, "select x'00ff' as b, 1e999 as big, null as n")["rows"] == [
        {"b": "AP8=", "big": None, "n": None}
    ]


def test_a_file_that_is_no_database_is_no_connection(here, tmp_path):
    (tmp_path / "app.db").write_text("not a database at all, but long enough to be looked at " * 4)
    assert failure(query, here, "create table t (id)").type == "ConnectionError"


def test_a_name_with_special_characters_is_a_name(here, tmp_path):
    sql.do({"database": "sqlite:a?mode=memory#%41.db", "query": "create table t (id)"}, here)
    assert (tmp_path / "a?mode=memory#%41.db").exists()


@pytest.mark.parametrize(
    "text",
    [
        "select ';'; select 2",
        'select 1 as ";"; select 2;',
        "select 1 -- ; no\n; select 2 /* ; */;",
        "do $$ begin; end; $$; select $a$ $$ ; $a$;",
        "create function f() returns int begin atomic select 1; select 2; end; select f();",
        "select '''; '; select 2",
    ],
)
def test_a_server_s_script_is_cut_where_statements_end(text):
    assert len(list(server_statements(text))) == 2


def test_blank_pieces_are_no_statements():
    assert (
        list(server_statements(" ;; -- x\n ; /* y */"))
        == list(sqlite_statements(" ;; -- x\n ; /* y */"))
        == []
    )


def test_a_repetition_counts_as_begun_before_the_database_is_touched(here, tmp_path):
    query(here._replace(images=str(tmp_path / "images")), "create table t (id)")
    assert (tmp_path / "images").is_dir(), "a check must not be asked again: it would find the deed done"


@pytest.mark.parametrize(
    "fields", [{"query": "select :a", "params": {"a": 1 << 63}}, {"insert": "t", "rows": {"a": 1 << 63}}]
)
def test_a_number_larger_than_those_of_sqlite_fails_the_task_and_not_taskrun(here, tmp_path, fields):
    query(here._replace(idempotency_key="r/make/1"), "create table t (a)")
    failed = failure(sql.do, {"database": "sqlite:app.db", **fields}, here)
    assert (failed.type, "larger than SQLite's" in failed.message) == ("InvalidField", True)
    assert rows(tmp_path, "select count(*) from t") == [(0,)]
