"""Every test here runs real processes; each gets a run directory, and must leave no process behind."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taskrun.executors.client import CRASH_NAME
from tests.executors.house import Client, House, houses


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[[], House]]:
    yield from houses(tmp_path)


@pytest.fixture
def house(build: Callable[[], House]) -> House:
    return build()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[[str], Client]]:
    """Starts a process that plays taskrun; given the body of its script."""
    started: list[Client] = []
    numbers = itertools.count()

    def start(body: str) -> Client:
        started.append(Client(tmp_path / f"run{next(numbers)}{time.monotonic_ns():x}", body))
        return started[-1]

    yield start
    for one in started:
        one.close()
        assert not (one.dir / CRASH_NAME).exists()
