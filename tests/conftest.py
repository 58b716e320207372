"""What tests of more than one folder share."""

import pathlib

import pytest

from tests.command import Taskrun


@pytest.fixture
def taskrun(tmp_path: pathlib.Path) -> Taskrun:
    """The real command in an empty folder ``work``, with its state in ``home`` beside it."""
    (tmp_path / "work").mkdir()
    return Taskrun(tmp_path / "work", tmp_path / "home")
