"""What tests of more than one folder share."""

import pathlib
import signal
from collections.abc import Iterator

import pytest

from tests.command import Taskrun


@pytest.fixture
def taskrun(tmp_path: pathlib.Path) -> Iterator[Taskrun]:
    """The real command in an empty folder ``work``, with its state in ``home`` beside it."""
    (tmp_path / "work").mkdir()
    taskrun = Taskrun(tmp_path / "work", tmp_path / "home")
    yield taskrun
    taskrun.end_all()


@pytest.fixture(scope="session", autouse=True)
def signals_that_are_heard() -> None:
    """What a shell ignores for its jobs in the background, or `nohup`, the commands under test would ignore too."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
