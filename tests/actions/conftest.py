import pytest

from tests.actions import attempts
from tests.actions.postgresql import database, server  # noqa: F401 - fixtures
from tests.loopback import loopback, serve

__all__ = ["loopback"]


@pytest.fixture
def here(tmp_path):
    return attempts.context(tmp_path)


@pytest.fixture(scope="session")
def shared_site():
    """One server for all tests that only ask it and do not look at its state."""
    with serve() as state:
        yield state


@pytest.fixture
def log():
    return []


@pytest.fixture
def talking(here, log):
    return here._replace(log=log.append)
