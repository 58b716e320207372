import os
import shutil
import subprocess

import pytest

from taskrun.journal.memory import MemoryJournal, Store
from taskrun.journal.sqlite import SqliteJournal


@pytest.fixture
def home(tmp_path):
    return str(tmp_path / "home")


@pytest.fixture(params=["sqlite", "memory"])
def connect(request, home):
    """Opens one more connection to the same journal, of either kind."""
    opened = []
    store = Store()

    def connect():
        journal = SqliteJournal.open(home) if request.param == "sqlite" else MemoryJournal(store)
        opened.append(journal)
        return journal

    yield connect
    for journal in opened:
        journal.close()


@pytest.fixture
def journal(connect):
    return connect()


@pytest.fixture
def sqlite_journal(home):
    journal = SqliteJournal.open(home)
    yield journal
    journal.close()


@pytest.fixture
def mounts(tmp_path):
    """Mounts for the test's time, where that is allowed."""
    mounted = set()

    def mount(*arguments):
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mount is not possible here: {done.stderr.strip()}")
        mounted.add(arguments[-1])

    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount")
    yield mount
    for point in mounted:
        subprocess.run(["umount", "--lazy", point], check=True)


@pytest.fixture
def read_only_mount(mounts, tmp_path):
    """Shows a directory at another path, where it cannot be written to."""

    def show(directory):
        point = str(tmp_path / "read-only")
        os.mkdir(point)
        mounts("--bind", directory, point)
        mounts("-o", "remount,bind,ro", point)
        return point

    return show


@pytest.fixture
def small_disk(mounts, tmp_path):
    """A disk of so many KiB."""

    def make(kib):
        point = str(tmp_path / "small")
        os.mkdir(point, 0o700)
        mounts("-t", "tmpfs", "-o", f"size={kib}k,mode=0700", "tmpfs", point)
        return point

    return make
