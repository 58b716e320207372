"""The action sql on a PostgreSQL server."""

import threading

import pytest

from taskrun.actions import sql
from taskrun.errors import ActionError
from tests.actions.postgresql import execute

sa = pytest.importorskip("sqlalchemy", reason="the extra `sql` is not installed")
pytest.importorskip("psycopg", reason="the extra `sql` is not installed")


def query(database, here, text, params=None, **fields):
    given = {"database": database, "query": text, **fields}
    return sql.do(given | ({} if params is None else {"params": params}), here).values


def failure(*args, **more):
    with pytest.raises(ActionError) as raised:
        query(*args, **more)
    return raised.value


def test_a_script_with_every_kind_of_quoting_is_one_transaction(database, here, tmp_path):
    (tmp_path / "s.sql").write_text(
        "create table t (id serial primary key, note text);\n"
        "create function f() returns int language plpgsql as $body$ begin return 1; end; $body$;\n"
        "insert into t (note) values ('a;b %s %% :x'), (E'it''s; ok'); -- done; really\n"
    )
    found = sql.do({"database": database, "script": "s.sql"}, here).values
    assert found["rowcount"] == 2
    assert execute(database, "select note from t order by id") == [("a;b %s %% :x",), ("it's; ok",)]


def test_a_failure_takes_back_tables_too(database, here):
    failed = failure(database, here, "create table t (id int); insert into nowhere values (1)")
    assert (failed.type, failed.details) == ("SQLError", {"code": "42P01"})
    assert 'relation "nowhere" does not exist' in failed.message
    assert execute(database, "select to_regclass('t')") == [(None,)]
    assert execute(database, "select * from taskrun_applied") == []


def test_the_same_key_acts_once_and_gives_the_same_result(database, here):
    query(database, here._replace(idempotency_key="make"), "create table t (id serial, v text)")
    text = "insert into t (v) values (:v) returning id, v, 1.5::numeric as n, '{\"a\": [1]}'::jsonb as j"
    first = query(database, here, text, {"v": "x'; drop table t; --"})
    assert first["rows"] == [{"id": 1, "v": "x'; drop table t; --", "n": 1.5, "j": {"a": [1]}}]
    assert query(database, here, text, {"v": "other"}) == {**first, "already": True}
    assert execute(database, "select count(*) from t") == [(1,)]


def test_what_was_never_committed_is_not_undone(database, here):
    undoing = here._replace(idempotency_key="k/revert", undoes="k", reverting=True)
    assert query(database, undoing, "drop table t")["already"] is True
    query(database, here._replace(idempotency_key="k"), "create table t (id int)")
    assert query(database, undoing, "drop table t")["already"] is False
    assert execute(database, "select to_regclass('t')") == [(None,)]


def test_an_attempt_whose_connection_was_lost_is_waited_for_and_then_done(database, here):
    """The server still holds the transaction of a client that has died; its key is taken until that has ended."""
    query(database, here._replace(idempotency_key="make"), "create table t (id int)")
    engine = sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with engine.connect() as other:
        other.exec_driver_sql("insert into taskrun_applied (key) values ('r1/build/1')")
        done = []
        thread = threading.Thread(
            target=lambda: done.append(query(database, here, "insert into t values (1)"))
        )
        thread.start()
        thread.join(0.3)
        assert not done
        other.rollback()
        thread.join(10)
    assert done[0]["already"] is False
    assert execute(database, "select count(*) from t") == [(1,)]


def test_many_that_come_first_at_once_all_find_the_table(database, here):
    failures = []

    def add(number):
        try:
            query(database, here._replace(idempotency_key=f"k{number}"), f"create table t{number} (id int)")
        except ActionError as error:
            failures.append(error.message)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert execute(database, "select count(*) from taskrun_applied") == [(6,)]


def test_a_script_that_changes_the_search_path_loses_nothing(database, here):
    query(database, here, "create table t (id int); select set_config('search_path', '', false)")
    assert execute(database, "select key from taskrun_applied") == [("r1/build/1",)]


def test_a_statement_without_end_is_ended_by_the_limit(database, here):
    failed = failure(database, here._replace(timeout=0.3), "select pg_sleep(60)")
    assert failed.type == "Timeout"


def test_a_statement_without_end_is_ended_when_the_driver_says_so(database, here):
    aborts = []
    said = threading.Event()

    def end():
        said.wait(10)
        while aborts and not over.wait(0.05):
            for abort in list(aborts):
                abort()

    over = threading.Event()
    thread = threading.Thread(target=end)
    thread.start()
    log = lambda line: said.set() if "pg_sleep" in line else None
    failed = failure(database, here._replace(aborts=aborts, log=log), "select pg_sleep(60)")
    over.set()
    thread.join(10)
    assert failed.type == "Cancelled"


def test_a_lock_that_is_not_to_be_had_is_a_timeout(database, here):
    query(database, here._replace(idempotency_key="make"), "create table t (id int)")
    engine = sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with engine.connect() as other:
        other.exec_driver_sql("lock table t")
        failed = failure(database, here, "insert into t values (1)", timeout=0.1)
        other.rollback()
    assert (failed.type, failed.details) == ("Timeout", {"code": "55P03"})


def test_a_server_that_is_not_there_is_no_connection_and_the_password_stays_ours(here):
    failed = failure("postgresql://me:hunter2@/x?host=/no/such/folder", here, "select 1; select 2")
    assert failed.type == "ConnectionError"
    assert "hunter2" not in failed.message


def test_placeholders_need_names(database, here):
    assert "as :name" in failure(database, here, "select 1", [1]).message
    assert failure(database, here, "select :gone", {}).type == "SQLError"


@pytest.mark.parametrize("url", ["nonsense://x", "://"])
def test_a_url_that_names_no_database_is_said_so(here, url):
    assert failure(url, here, "select 1; select 2").type == "InvalidField"
