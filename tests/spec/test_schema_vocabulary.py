"""The stored extract of the schema: fresh, equal to what pydantic builds, and all a compilation loads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic_core import SchemaError, ValidationError

from taskrun.actions import registry
from taskrun.actions.kinds import TRAITS
from taskrun.actions.models import FIELDS
from taskrun.spec import vocabulary
from taskrun.spec.compiling.problems import settle_words
from taskrun.spec.loader import load_text
from taskrun.spec.schema import adapter

ROOT = Path(__file__).parents[2]


def test_the_stored_extract_is_that_of_the_schema():
    """If this fails: python -m taskrun.spec.vocabulary."""
    assert Path(vocabulary.STORED).read_text() == vocabulary.extract()


def errors(validator, text):
    root = load_text(text.encode(), "x.yaml").root
    settle_words(root)
    try:
        return validator.validate_python(root)
    except ValidationError as found:
        return [(one["type"], one["loc"], one["msg"]) for one in found.errors(include_url=False)]


@pytest.mark.parametrize(
    "text",
    [
        "name: f\ntasks: [{name: a, run: x, revert: none}]",
        "nam: f\ntasks: [{name: a b, run: [x], retry: {attempts: 0, backoff: 0.5}, timeout: 5}]",
        "name: 5\ntasks: [{name: a, http: {get: http://u, expect: ok, json: [1], x: y}, if: true, needs: {}}]",
        "name: f\npattern: x\ninputs: {a-b: 1, c: {type: int}}\nsecrets: {s: []}\nnotify: [{flow: true}]\ntasks: []",
    ],
)
def test_it_judges_as_pydantics_own_validator_does(text):
    assert errors(vocabulary.validator(), text) == errors(adapter(), text)


def test_a_version_of_pydantic_that_refuses_it_builds_its_own(tmp_path, monkeypatch):
    stored = tmp_path / "vocabulary.json"
    stored.write_text(json.dumps({"type": "of another version"}))
    with pytest.raises(SchemaError):
        vocabulary.SchemaValidator({"type": "of another version"})
    monkeypatch.setattr(vocabulary, "STORED", str(stored))
    vocabulary._core.cache_clear()
    vocabulary.validator.cache_clear()
    try:
        assert isinstance(errors(vocabulary.validator(), "name: f\ntasks: [{name: a, echo: x}]"), dict)
    finally:
        vocabulary._core.cache_clear()
        vocabulary.validator.cache_clear()


def run(program):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    return done.stdout.split()


def test_compiling_does_not_load_pydantic():
    loaded = run(
        "import sys; from taskrun.spec.compiler import compile_text\n"
        "compile_text(b'name: f\\ntasks: [{name: a, echo: x}]', 'x.yaml'); print(*sys.modules)"
    )
    assert "taskrun.spec.compiler" in loaded
    assert not {"pydantic", "requests", "rich", "click", "asyncio", "taskrun.spec.schema"} & set(loaded)


def test_a_plain_file_does_not_wait_for_what_addresses_and_databases_need():
    loaded = run(
        "import sys; from taskrun.spec.compiler import compile_text\n"
        "compile_text(b'name: f\\ntasks: [{name: a, run: x}]', 'x.yaml'); print(*sys.modules)"
    )
    assert "taskrun.spec.compiling.field_values" in loaded
    assert not {"urllib.parse", "ipaddress", "sqlite3", "_sqlite3"} & set(loaded)


def test_reading_inputs_loads_neither_yaml_nor_a_validator():
    loaded = run("import sys; import taskrun.spec.inputs; print(*sys.modules)")
    assert not {"yaml", "pydantic", "pydantic_core", "json", "typing_extensions"} & set(loaded)


def test_every_kind_has_fields_and_traits():
    assert FIELDS.keys() == TRAITS.keys()
    for kind, traits in TRAITS.items():
        fields = vocabulary.fields_of(kind)
        assert {traits.main, *traits.expressions, *traits.scripts, *traits.one_of} <= {"", *fields}
        assert set(vocabulary.required_of(kind)) <= set(fields)


@pytest.mark.parametrize("kind", [kind for kind in registry.MODULES if kind in TRAITS])
def test_traits_are_those_the_action_itself_declares(kind):
    action, traits = registry.get(kind), TRAITS[kind]
    declared = (action.MAIN, action.WRITES, action.AUTO, action.EXPRESSIONS, action.SCRIPTS)
    if kind in registry.MODULES and traits.main:
        assert declared[0] == traits.main
    assert declared[1:] == (traits.writes, traits.auto, traits.expressions, traits.scripts)
