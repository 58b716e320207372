"""Pages that are ended with their test."""

from collections.abc import Callable, Iterator

import pytest

from tests.command import Taskrun
from tests.web.page import Page


@pytest.fixture
def serve(taskrun: Taskrun) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def start(*options: str) -> Page:
        pages.append(Page(taskrun, *options))
        return pages[-1].sign_in()

    yield start
    for page in pages:
        if page.process.poll() is None:
            page.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taskrun]:
    """For the tests of a file that only look: one state directory for all of them."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "work").mkdir()
    taskrun = Taskrun(folder / "work", folder / "home")
    yield taskrun
    taskrun.end_all()


@pytest.fixture(scope="module")
def page(shared: Taskrun) -> Page:
    return Page(shared).sign_in()
