"""The documents: generated ones are fresh, links lead somewhere, commands that are named exist."""

import pathlib
import re
import sys

import pytest

from docs.generate import pages
from taskrun.cli.main import COMMANDS
from taskrun.spec.compiler import compile_text
from tests.command import ROOT

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]


@pytest.mark.parametrize(
    "name", ["language.md", "actions.md", "functions.md", "states.md", "errors.md", "commands.md"]
)
def test_the_reference_is_what_the_program_says(name: str) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text()
    assert written == pages()[name], "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_documents_leads_to_one(page: pathlib.Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_named_in_a_document_exists(page: pathlib.Path) -> None:
    for command in re.findall(
        r"(?<!: )taskrun ([a-z]+)\b", "\n".join(re.findall(r"^    .*|`[^`\n]+`", page.read_text(), re.M))
    ):
        assert command in COMMANDS, command


def test_the_readme_has_the_test_command_where_ci_looks_for_it() -> None:
    found = re.search(r"<!-- tests -->\n\n    (.+)\n\n<!-- /tests -->", (ROOT / "README.md").read_text())
    assert found is not None
    assert "pytest" in found[1]
    assert sys.version_info >= (3, 11)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_whole_workflow_in_a_document_can_be_run(page: pathlib.Path) -> None:
    for text in re.findall(r"^```yaml\n(name: .*?)^```", page.read_text(), re.M | re.S):
        found = compile_text(text.encode(), str(page.with_suffix(".yaml")))
        assert not found.diagnostics, text
