"""One fork server for each test process, with the two C programs compiled."""

import sys
from collections.abc import Iterator

import pytest

from tests.crash.fork_server import ForkServer
from tests.crash.native import NoCompiler


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    if not sys.platform.startswith("linux"):
        pytest.skip("preloading and /proc are of Linux")
    try:
        started = ForkServer()
    except NoCompiler as reason:
        pytest.skip(str(reason))
    yield started
    started.close()
