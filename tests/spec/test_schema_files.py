"""The JSON Schema beside the program itself: what may run is accepted, what is structurally wrong is refused."""

import pathlib
import re

import jsonschema
import pytest

from taskrun.cli.init import FOLDER
from taskrun.spec.catalog import CATALOG
from taskrun.spec.compiler import compile_text
from taskrun.spec.json_schema import STORED, json_schema, text
from taskrun.spec.loader import load_text, to_json
from tests.command import ROOT

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
FILES = sorted([*(ROOT / "workflows").glob("*.yaml"), *pathlib.Path(FOLDER).glob("*.yaml")])
PAGES = [id_ for id_ in CATALOG if id_[2] in "2345678"]
# What a schema can see at all: the shape of the file. All else takes a look at names, order, text or other files.
SHAPE = {
    "TR201", "TR202", "TR203", "TR204", "TR205", "TR206", "TR207", "TR208", "TR209", "TR210", "TR213",
    "TR216", "TR701", "TR702", "TR703", "TR711",
}  # fmt: skip
BAD = {
    "an unknown key of the file": "nam: x\nname: a\ntasks: [{name: b, echo: c}]\n",
    "no tasks": "name: a\n",
    "no name": "tasks: [{name: b, echo: c}]\n",
    "an unknown key of a task": "name: a\ntasks: [{name: b, run: c, revret: d}]\n",
    "an unknown key of a task of a nested flow": "name: a\ntasks: [{name: b, tasks: [{name: c, echo: d, nedds: [e]}]}]\n",
    "two actions": "name: a\ntasks: [{name: b, echo: c, run: d}]\n",
    "no action": "name: a\ntasks: [{name: b, timeout: 3s}]\n",
    "a task that is text": "name: a\ntasks: [hello]\n",
    "an unknown field of an action": "name: a\ntasks: [{name: b, http: {ulr: x}}]\n",
    "an action without what it needs": "name: a\ntasks: [{name: b, copy: {from: x}}]\n",
    "a choice that is none": "name: a\non_failure: retry\ntasks: [{name: b, echo: c}]\n",
    "a duration without a unit": "name: a\ntasks: [{name: b, echo: c, timeout: 30}]\n",
    "an unknown key of an undo": "name: a\ntasks: [{name: b, run: c, revert: {rnu: d}}]\n",
    "no attempts": "name: a\ntasks: [{name: b, run: c, revert: none, retry: {attempts: 0}}]\n",
}


def refused(source: str) -> list[str]:
    data = to_json(load_text(source.encode(), "x.yaml").root)
    return [error.message for error in VALIDATOR.iter_errors(data)]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_one_in_the_package_is_fresh() -> None:
    with open(STORED, encoding="utf-8") as file:
        assert file.read() == text(), "run: python -m taskrun.spec.json_schema"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_workflow_that_runs_is_accepted(path: pathlib.Path) -> None:
    assert refused(path.read_text()) == []


@pytest.mark.parametrize("id_", PAGES)
def test_the_good_example_of_every_diagnostic_is_accepted(id_: str) -> None:
    assert refused(CATALOG[id_].good) == []


@pytest.mark.parametrize("id_", PAGES)
def test_the_bad_example_is_refused_where_its_shape_is_wrong(id_: str) -> None:
    assert bool(refused(CATALOG[id_].bad)) is (id_ in SHAPE)


@pytest.mark.parametrize("about", BAD)
def test_a_file_of_a_wrong_shape_is_refused_by_the_schema_and_by_the_program(about: str) -> None:
    assert refused(BAD[about])
    with pytest.raises(Exception, match=r"x\.yaml"):
        compile_text(BAD[about].encode(), "x.yaml")


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_every_whole_workflow_in_the_documents_is_accepted(page: pathlib.Path) -> None:
    if page.name == "errors.md":
        return  # shows what is wrong; its examples are those of the catalog above
    for source in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.M | re.S):
        if re.search(r"^name:", source, re.M) and re.search(r"^tasks:", source, re.M):
            assert refused(source) == []


def test_actions_of_the_file_and_of_plugins_may_stand_in_a_task() -> None:
    own = "name: a\nactions: {greet: {run: echo}}\ntasks: [{name: b, greet: {}}]\n"
    assert refused(own) == []
    plugged = "name: a\ntasks: [{name: b, mail: {to: x}}]\n"
    assert refused(plugged)
    with_plugin = jsonschema.Draft202012Validator(json_schema(("mail",)))
    assert with_plugin.is_valid(to_json(load_text(plugged.encode(), "x.yaml").root))


def test_every_default_is_a_value_that_its_field_takes() -> None:
    def defaults(node: object) -> list[tuple[str, dict]]:
        if isinstance(node, list):
            return [found for each in node for found in defaults(each)]
        if not isinstance(node, dict):
            return []
        own = [("", node)] if "default" in node and "description" in node and "examples" in node else []
        return own + [found for each in node.values() for found in defaults(each)]

    found = [about for _, about in defaults(SCHEMA) if not isinstance(about["default"], dict)]
    assert len(found) > 20
    for about in found:
        jsonschema.Draft202012Validator({**about, "$defs": SCHEMA["$defs"]}).validate(about["default"])
        assert str(about["default"]).lower() in about["description"].lower() or about["default"] in (
            "linear",
            "revert",
        )


def test_every_field_of_every_action_has_a_description_for_people() -> None:
    task = SCHEMA["$defs"]["Task"]["properties"]
    assert task["http"]["markdownDescription"].startswith("Send an HTTP request.\n\n```yaml\nhttp: ")
    assert SCHEMA["$defs"]["Http"]["properties"]["method"]["default"] == "GET"
    assert SCHEMA["$defs"]["File"]["properties"]["on_drift"]["enum"] == ["stop", "skip", "force"]
