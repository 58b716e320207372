"""Every page of the catalog that a file alone can show: its bad example gets the finding, its good one nothing."""

import re
from pathlib import Path

import pytest

from taskrun.errors import WorkflowError
from taskrun.spec.catalog import CATALOG, actions, expressions, files, graph, names, schema
from taskrun.spec.compiler import compile_text

OWN = {
    **schema.ENTRIES,
    **names.ENTRIES,
    **expressions.ENTRIES,
    **graph.ENTRIES,
    **actions.ENTRIES,
    **files.ENTRIES,
}
TASKS = "tasks: [{name: say, echo: hi}]\n"
BESIDE = {
    "database.yaml": "name: database\n" + TASKS,
    "circle.yaml": "name: circle\ntasks: [{name: again, workflow: circle.yaml}]\n",
    "locked.yaml": "name: locked\nlock: one\n" + TASKS,
    "patient.yaml": "name: patient\ntimeout: 5h\n" + TASKS,
    "deep.yaml": "name: deep\ntasks: [{name: again, workflow: deep/deep.yaml}]\n",
}


def diagnostics(text, folder):
    for name, content in BESIDE.items():
        (folder / name).write_text(content)
    below = folder
    for _ in range(20):
        below /= "deep"
        below.mkdir()
        (below / "deep.yaml").write_text(BESIDE["deep.yaml"])
    (folder.parent / "database.yaml").write_text(BESIDE["database.yaml"])
    try:
        return compile_text(text.encode(), str(folder / "flow.yaml")).diagnostics
    except WorkflowError as error:
        return error.diagnostics


@pytest.mark.parametrize("id_", OWN)
def test_the_bad_example_of_a_page_gets_its_finding_and_no_other(id_, tmp_path):
    folder = tmp_path / "w"
    folder.mkdir()
    found = diagnostics(OWN[id_].bad, folder)
    assert {one.id for one in found} == {id_}


@pytest.mark.parametrize("id_", OWN)
def test_the_good_example_of_a_page_gets_nothing(id_, tmp_path):
    folder = tmp_path / "w"
    folder.mkdir()
    assert list(diagnostics(OWN[id_].good, folder)) == []


def test_every_id_in_the_source_of_the_compiler_has_a_page():
    compiling = Path(__file__).parents[2] / "taskrun" / "spec" / "compiling"
    used = {id_ for path in compiling.glob("*.py") for id_ in re.findall(r"\bTR\d{3}\b", path.read_text())}
    assert used <= CATALOG.keys()
    assert OWN.keys() <= used


@pytest.mark.parametrize("id_", OWN)
def test_a_page_says_something(id_):
    page = OWN[id_]
    assert page.title[0].islower() or page.title[0] == "`"
    assert page.explanation.endswith((".", "`"))
