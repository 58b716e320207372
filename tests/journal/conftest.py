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
