import json
import os

import pytest

from taskrun.actions.process_result import VALUE_LIMIT, ProcessValues, exit_message, signal_message
from taskrun.errors import ExpressionError


@pytest.fixture
def left(tmp_path):
    """The values of a program that exited with 0 and left this output."""

    def make(out, err=None):
        (tmp_path / "out").write_bytes(out)
        if err is not None:
            (tmp_path / "err").write_bytes(err)
        return ProcessValues(0, str(tmp_path / "out"), None if err is None else str(tmp_path / "err"))

    return make


def test_trailing_newlines_are_dropped_as_the_shell_does(left):
    assert left(b"  42 \n\n")["stdout"] == "  42 "


@pytest.mark.parametrize(
    ("out", "lines"),
    [
        (b"", []),
        (b"\n", []),
        (b"a\nb", ["a", "b"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
        (b"a\x0bb\n", ["a\x0bb"]),
    ],
)
def test_lines_end_at_newlines_only(left, out, lines):
    assert left(out)["lines"] == lines


def test_bytes_that_are_not_utf8_become_replacement_characters(left):
    assert left(b"a\xffb")["stdout"] == "a\ufffdb"


def test_stderr_is_its_own_file_or_empty(left):
    assert left(b"x", b"oh\n")["stderr"] == "oh"
    assert left(b"x")["stderr"] == ""


@pytest.mark.parametrize(
    ("out", "value"),
    [
        (b'{"a": [1, 2.5, null]}\n', {"a": [1, 2.5, None]}),
        (b"17", 17),
        (b"", None),
        (b"not json", None),
        (b'{"a": 1} trailing', None),
        (b"NaN", None),
        (b"-Infinity", None),
        (b"1e999", None),
        (b"[" * 100_000, None),
        (b"9" * 5000, None),
        (rb'{"\ud800k": "\ud83d\ude00 \udc00"}', {"\ufffdk": "\U0001f600 \ufffd"}),
    ],
)
def test_json_is_the_value_or_none(left, out, value):
    assert left(out)["json"] == value


def test_nothing_is_read_before_it_is_asked_for(left):
    values = left(b"first")
    os.unlink(values.paths["stdout"])
    assert values["exit_code"] == 0
    with pytest.raises(ExpressionError, match=r"result\.stdout cannot be read: No such file"):
        values["stdout"]


def test_a_value_is_read_once(left, tmp_path):
    values = left(b"first")
    assert values["stdout"] == "first"
    (tmp_path / "out").write_bytes(b"second")
    assert values["lines"] == ["first"]


def test_the_largest_value_is_read_and_one_byte_more_is_refused(left):
    assert len(left(b"x" * VALUE_LIMIT)["stdout"]) == VALUE_LIMIT
    for key in ("stdout", "lines", "json"):
        with pytest.raises(ExpressionError, match=r"the output is 1,048,577 bytes"):
            left(b"x" * (VALUE_LIMIT + 1))[key]


def test_a_large_log_does_no_harm_where_only_the_exit_code_counts(left):
    values = left(b"x" * (VALUE_LIMIT * 3))
    assert values["exit_code"] == 0
    with pytest.raises(ExpressionError, match=r"the output is 3,145,728 bytes"):
        values["stdout"]


def test_it_looks_like_the_dict_it_stands_for(left):
    values = left(b"[1]", b"e")
    whole = {"exit_code": 0, "stdout": "[1]", "stderr": "e", "json": [1], "lines": ["[1]"]}
    assert values == whole
    assert dict(values) == whole
    assert {**values} == whole
    assert json.loads(json.dumps(values)) == whole
    assert sorted(values.keys()) == sorted(whole)
    assert len(values) == 5
    assert values.copy() == whole
    assert "stdout" in values
    assert "nothing" not in values
    assert values.get("stdout") == "[1]"
    assert values.get("nothing", 1) == 1
    assert values != {}
    with pytest.raises(KeyError):
        values["nothing"]


def test_its_repr_reads_nothing(left):
    values = left(b"a")
    assert repr(values) == "{'exit_code': 0, 'stdout': …, 'stderr': …, 'json': …, 'lines': …}"
    values["stdout"]
    assert repr(values) == "{'exit_code': 0, 'stdout': 'a', 'stderr': …, 'json': …, 'lines': …}"


def test_signals_have_their_names():
    assert signal_message(9) == "killed by signal 9 (SIGKILL)"
    assert signal_message(63) == "killed by signal 63"
    assert exit_message(128 + 120) == "exit code 248"
