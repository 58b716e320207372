import pytest

from tests.actions import attempts


@pytest.fixture
def here(tmp_path):
    return attempts.context(tmp_path)
