"""Whatever the bytes: a value, or a WorkflowError whose positions are in the text and whose words are printable."""

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from taskrun.errors import WorkflowError
from taskrun.spec.diagnostics import render_plain
from taskrun.spec.loader import Map, Plain, Seq, examine, load_text, to_json
from taskrun.spec.loading import parser
from taskrun.spec.scalars import is_string

FRAGMENTS = [
    "name: hello\n", "tasks:\n", "  - name: a\n", "    run: |\n", "      echo ${{ inputs.x }}\n", "- ", ": ", "? ",
    "[", "]", "{", "}", ", ", "\n", "  ", "\t", "&a ", "*a", "!!str ", "!t ", '"', "'", "|", ">", "#", "%", "---\n",
    "...\n", "<<: ", "\r", "\r\n", "\0", "\ufeff", "\\", "\u202e", "\u2028", "0x", "999", "1.5", "~", "yes",
    "%TAG ! x\n", "%YAML 1.1\n", "@", "`", "\U0001f680", "\x85", '"\\ud800"', '"\\UFFFFFFFF"', "a", "b: c\n", "[*a]",
    "{<<: *a}", "&b {x: 1}", "*b",
]  # fmt: skip
BYTES = (
    st.binary(max_size=60)
    | st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(lambda parts: "".join(parts).encode())
    | st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=12).map(
        lambda parts: "".join(parts).encode("utf-8", "surrogatepass")
    )
)
QUICK = settings(max_examples=200, deadline=None)


@pytest.fixture(params=["libyaml", "pure"], scope="module")
def backend(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "pure":
            patch.setattr(parser, "c_events", lambda text: None)
        yield request.param


def check_diagnostics(diagnostics, sources):
    for found in diagnostics:
        lines = sources["f.yaml"].split("\n")
        assert found.line <= len(lines)
        assert found.length >= 1
        if found.line:
            assert 1 <= found.column <= len(lines[found.line - 1]) + 1
    shown = render_plain(diagnostics, sources)
    assert all(char == "\n" or char.isprintable() for char in shown)


def check_values(value):
    if type(value) is Map:
        assert value.keys() == value.key_marks.keys() == value.value_marks.keys()
        assert all(type(key) is str for key in value)
        for item in value.values():
            check_values(item)
    elif type(value) is Seq:
        assert len(value) == len(value.item_marks)
        for item in value:
            check_values(item)
    else:
        assert type(value) in (str, Plain)
        value.encode()


@QUICK
@given(data=BYTES)
def test_only_workflow_errors_escape(backend, data):
    try:
        loaded = load_text(data, "f.yaml")
    except WorkflowError as error:
        assert error.diagnostics
        check_diagnostics(error.diagnostics, error.sources)
    else:
        check_values(loaded.root)
        json.dumps(to_json(loaded.root))
        check_diagnostics(loaded.diagnostics, {"f.yaml": loaded.text})


@QUICK
@given(data=BYTES)
def test_an_examined_file_has_the_same_mistakes(backend, data):
    try:
        examined = examine(data, "f.yaml").diagnostics
    except WorkflowError as error:
        examined = list(error.diagnostics)
    try:
        loaded = load_text(data, "f.yaml").diagnostics
    except WorkflowError as error:
        loaded = list(error.diagnostics)
    assert examined == loaded


WORDS = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp", "Co", "Cn"]), max_size=12
).filter(is_string)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@QUICK
@given(value=st.dictionaries(WORDS, VALUES, min_size=1, max_size=4), flow=st.booleans())
def test_what_another_program_writes_is_read_back(backend, value, flow):
    """PyYAML quotes what YAML 1.1 takes for no string; words that only YAML 1.2 takes for none are left out."""
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=flow, sort_keys=False)
    loaded = to_json(load_text(text.encode(), "f.yaml").root)
    assert json.dumps(loaded) == json.dumps(value)


@QUICK
@given(value=st.dictionaries(WORDS, VALUES, min_size=1, max_size=4))
def test_json_is_read_as_what_it_says(backend, value):
    text = json.dumps(value, ensure_ascii=False, indent=1)
    assert json.dumps(to_json(load_text(text.encode(), "f.yaml").root)) == json.dumps(value)
