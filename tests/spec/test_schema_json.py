"""The JSON Schema for editors: everything described, every example valid, and the types of YAML editors."""

import json
from typing import get_type_hints

import pytest
from pydantic import TypeAdapter

from taskrun.actions import models
from taskrun.spec import schema
from taskrun.spec.compiling.problems import settle_words
from taskrun.spec.json_schema import json_schema
from taskrun.spec.loader import load_text

SCHEMA = json_schema()
TYPES = list(models.FIELDS.values()) + [
    schema.Document,
    schema.Task,
    schema.Action,
    schema.Revert,
    schema.Probe,
    schema.Notify,
    schema.Retry,
    schema.InputFields,
    schema.Secret,
    schema.Defaults,
]
FIELDS = [
    (type_.__name__, name, hint)
    for type_ in TYPES
    for name, hint in get_type_hints(type_, include_extras=True).items()
]


def examples(hint):
    return [
        example
        for part in getattr(hint, "__metadata__", ())
        for example in getattr(part, "examples", None) or ()
    ]


def properties(node):
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            if value is not False:  # a key that must not stand here
                yield name, value
        for value in node.values():
            yield from properties(value)
    elif isinstance(node, list):
        for value in node:
            yield from properties(value)


def test_it_is_json_and_names_its_draft():
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"].endswith("2020-12/schema")


def test_every_key_of_the_language_has_a_description():
    assert [name for name, value in properties(SCHEMA) if not value.get("description")] == []


def test_every_definition_has_a_description():
    assert [name for name, value in SCHEMA["$defs"].items() if not value.get("description")] == []


def test_every_kind_of_action_is_a_key_of_a_task():
    assert models.FIELDS.keys() <= SCHEMA["$defs"]["Task"]["properties"].keys()


def test_text_may_be_written_as_a_number():
    assert SCHEMA["properties"]["description"]["type"] == ["string", "number"]


def test_unknown_keys_are_refused_where_no_reusable_action_can_stand():
    assert SCHEMA["additionalProperties"] is False
    assert SCHEMA["$defs"]["Http"]["additionalProperties"] is False
    assert "additionalProperties" not in SCHEMA["$defs"]["Task"]


def test_an_entry_has_a_name_or_is_a_savepoint():
    assert SCHEMA["$defs"]["Task"]["anyOf"] == [{"required": ["name"]}, {"required": ["savepoint"]}]


@pytest.mark.parametrize(("owner", "name", "hint"), FIELDS, ids=[f"{o}.{n}" for o, n, _ in FIELDS])
def test_every_example_is_valid(owner, name, hint):
    for example in examples(hint):
        value = load_text(json.dumps({"value": example}).encode(), "x.yaml").root
        settle_words(value)
        TypeAdapter(dict[str, hint]).validate_python(value)


def test_the_keys_of_a_task_begin_with_its_name_and_none_is_lost():
    keys = list(SCHEMA["$defs"]["Task"]["properties"])
    assert keys[:3] == ["name", "description", "run"]
    assert set(keys) == set(get_type_hints(schema.Task))
