"""A PostgreSQL server of its own for tests: a cluster in a temporary folder, reached through a Unix socket."""

import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

import pytest


def programs() -> pathlib.Path | None:
    """The folder of the newest server that is installed."""
    found = shutil.which("initdb")
    places = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    found = places[-1] if places else found
    return pathlib.Path(found).resolve().parent if found else None


def owner() -> dict:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    pytest.skip("there is no user that PostgreSQL could run as")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of its database; the cluster lives as long as this module's tests."""
    bin_ = programs()
    if bin_ is None:
        pytest.skip("PostgreSQL is not installed")
    who = owner()
    folder = tempfile.mkdtemp(prefix="trpg", dir="/tmp")  # short: the path of a socket has 107 bytes at most
    try:
        if who:
            os.chown(folder, who["user"], who["group"])

        def run(*argv: str) -> None:
            with open(f"{os.path.dirname(folder)}/{os.path.basename(folder)}.log", "ab") as log:
                subprocess.run(argv, check=True, cwd=folder, stdout=log, stderr=log, timeout=60, **who)

        run(str(bin_ / "initdb"), "-D", f"{folder}/data", "-U", "tester", "-A", "trust", "-N", "-E", "UTF8")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c shared_buffers=8MB -c max_connections=20"
        run(str(bin_ / "pg_ctl"), "-D", f"{folder}/data", "-w", "-t", "30", "-o", options, "start")
        try:
            yield f"postgresql://tester@/postgres?host={folder}"
        finally:
            run(str(bin_ / "pg_ctl"), "-D", f"{folder}/data", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        pathlib.Path(f"{folder}.log").unlink(missing_ok=True)


@pytest.fixture
def database(server, request):
    """A schema of its own for each test."""
    schema = f"s{abs(hash(request.node.name))}"
    execute(server, f"create schema {schema}")
    yield f"{server}&options=-csearch_path%3D{schema}"
    execute(server, f"drop schema {schema} cascade")


def execute(url, text):
    import sqlalchemy as sa

    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        answer = connection.exec_driver_sql(text)
        return [tuple(row) for row in answer] if answer.returns_rows else []
