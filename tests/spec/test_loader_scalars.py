"""What unquoted words mean: the core schema of YAML 1.2."""

import math

import pytest

from taskrun.errors import WorkflowError
from taskrun.spec.loader import Plain, load_text, to_json

VALUES = {
    "null": None,
    "Null": None,
    "NULL": None,
    "~": None,
    "": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "0": 0,
    "-0": 0,
    "12": 12,
    "+12": 12,
    "-12": -12,
    "010": 10,
    "0644": 644,
    "0o10": 8,
    "0o644": 420,
    "0x1F": 31,
    "0xdeadbeef": 0xDEADBEEF,
    "12345678901234567890": 12345678901234567890,
    "1.5": 1.5,
    "1.10": 1.1,
    "-1.5": -1.5,
    "+.5": 0.5,
    ".5": 0.5,
    "1.": 1.0,
    "1e3": 1000.0,
    "1E3": 1000.0,
    "1e-3": 0.001,
    "-1.5e+3": -1500.0,
    "1e999": math.inf,
    ".inf": math.inf,
    ".Inf": math.inf,
    "+.INF": math.inf,
    "-.inf": -math.inf,
}
STRINGS = [
    "NO",
    "no",
    "yes",
    "on",
    "off",
    "y",
    "n",
    "nULL",
    "tRUE",
    "None",
    "nil",
    "22:30:00",
    "12:30",
    "2026-01-02",
    "2026-01-02T03:04:05Z",
    "1.2.3",
    "1_000",
    "0b101",
    "0o8",
    "0xg",
    "-0x1f",
    "+0o7",
    "1,000",
    "12 kB",
    "30s",
    "1e",
    "e3",
    ".",
    "-",
    "+",
    "..",
    "1.5.",
    "--1",
    "inf",
    "nan",
    ".infinity",
    "=",
    "<<",
    "-.nan",
    "12e4567x",
    "\u0661\u0662",
    "a: b".replace(": ", ":"),
    "${{ inputs.x }}",
    "$x",
]


@pytest.mark.parametrize("text", VALUES)
def test_a_word_of_the_core_schema_has_a_value_and_keeps_its_text(text):
    value = load_text(f"key: {text}\n".encode(), "f.yaml").root["key"]
    assert type(value) is Plain
    assert value == text
    assert value.value == VALUES[text]
    assert type(value.value) is type(VALUES[text])
    assert to_json([value]) == [value]
    assert to_json(value) == VALUES[text]


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_no_number_is_not_a_number(text):
    assert math.isnan(load_text(text.encode(), "f.yaml").root.value)


@pytest.mark.parametrize("text", [text for text in STRINGS if text != "-"])
def test_every_other_word_is_a_string(text):
    value = load_text(f"key: {text}\n".encode(), "f.yaml").root["key"]
    assert type(value) is str
    assert value == text


@pytest.mark.parametrize("text", [text for text in VALUES if text])
@pytest.mark.parametrize("form", ['"{}"', "'{}'", "|-\n  {}", ">-\n  {}"])
def test_quotes_and_blocks_make_strings(text, form):
    value = load_text(f"key: {form.format(text)}\n".encode(), "f.yaml").root["key"]
    assert type(value) is str
    assert value == text


@pytest.mark.parametrize("text", [text for text in VALUES if text != "+12"])
def test_no_such_word_can_be_a_key(text):
    with pytest.raises(WorkflowError) as caught:
        load_text(f"? {text}\n: x\n".encode(), "f.yaml")
    assert [found.id for found in caught.value.diagnostics] == ["TR131"]


@pytest.mark.parametrize("text", [text for text in STRINGS if text not in ("-", "<<")])
def test_every_other_word_can_be_a_key(text):
    assert load_text(f"? {text}\n: x\n".encode(), "f.yaml").root == {text: "x"}


def test_quoted_words_can_be_keys_even_after_each_other():
    assert load_text(b'"1": a\n"null": b\n', "f.yaml").root == {"1": "a", "null": "b"}
    with pytest.raises(WorkflowError):
        load_text(b'- "1": a\n- 1: b\n', "f.yaml")


@pytest.mark.parametrize("text", ["yes", "No", "ON", "off"])
def test_a_word_that_once_was_a_boolean_is_pointed_out(text):
    (found,) = load_text(f"key: {text}\n".encode(), "f.yaml").diagnostics
    assert (found.id, found.severity, found.column, found.length) == ("TR151", "warning", 6, len(text))


def test_a_quoted_word_or_a_key_is_not_pointed_out():
    assert load_text(b"on: 'yes'\n", "f.yaml").diagnostics == []


def test_a_number_may_be_long_but_not_endless():
    assert load_text(b"9" * 4000, "f.yaml").root.value == int("9" * 4000)
    with pytest.raises(WorkflowError) as caught:
        load_text(b"a: " + b"9" * 4001, "f.yaml")
    assert caught.value.diagnostics[0].id == "TR143"
    with pytest.raises(WorkflowError) as caught:
        load_text(b"? " + b"9" * 100_000 + b"\n: x", "f.yaml")
    assert caught.value.diagnostics[0].id == "TR131"


def test_text_that_is_no_plain_value_has_none():
    with pytest.raises(ValueError, match="no null, boolean or number"):
        Plain("text").value
