import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrun.actions import outputs
from taskrun.errors import ActionError


def test_a_line_is_a_name_and_a_string(tmp_path):
    path = tmp_path / "output"
    path.write_text("version=1.4.2\nempty=\nurl=http://x/?a=b<<c\n\n  \nwith-dash_1= spaced \r\n")
    assert outputs.parse(str(path)) == {
        "version": "1.4.2",
        "empty": "",
        "url": "http://x/?a=b<<c",
        "with-dash_1": " spaced ",
    }


def test_a_block_holds_several_lines_up_to_its_word():
    data = b"notes<<END\nfirst\n\n  x=1 << y\nEND \nEND\nafter=1\nnone<<E=F\nE=F\n"
    assert outputs.parse_text(data) == {"notes": "first\n\n  x=1 << y\nEND ", "after": "1", "none": ""}


def test_a_json_line_keeps_types():
    data = b'{"id": 42, "ok": true, "tags": ["a"]}\n {"none": null}\n'
    assert outputs.parse_text(data) == {"id": 42, "ok": True, "tags": ["a"], "none": None}


def test_the_last_of_two_values_counts():
    assert outputs.parse_text(b'a=1\n{"a": 2}\n') == {"a": 2}


def test_no_file_means_no_outputs(tmp_path):
    assert outputs.parse(str(tmp_path / "nothing")) == {}
    assert outputs.parse_text(b"") == {}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a=1\ngarbage\n", "line 2: expected name=value, name<<END or a JSON object, found 'garbage'"),
        (b"a=1\nb=\xff\n", "line 2: it is not UTF-8"),
        (b"=1", "line 1: '' cannot be the name of an output"),
        (b"\n\na = 1", "line 3: 'a ' cannot be the name of an output; no spaces around it"),
        (b"1a=1", "line 1: '1a' cannot be the name"),
        (b"a.b=1", "line 1: 'a.b' cannot be the name"),
        ("größe=1".encode(), "line 1: 'größe' cannot be the name"),
        (b"x" * 129 + b"=1", "line 1: 'xxx"),
        (b"a<<\nx\n", "line 1: a<< needs a word that will end the value"),
        (b"k=1\na<<END\nx\ny\n", "line 2: the value of a has no end: no line is 'END'"),
        (b'{"a": 1', "line 1: this is not a JSON object"),
        (b'{"a": NaN}', "line 1: this is not a JSON object"),
        (b'{"a b": 1}', "line 1: 'a b' cannot be the name"),
        (b"x\0y=1", "line 1: 'x\\\\x00y' cannot be the name"),
    ],
)
def test_garbage_is_named_with_its_line(data, message):
    with pytest.raises(ActionError, match=message.replace("(", r"\(")) as caught:
        outputs.parse_text(data)
    assert caught.value.type == "InvalidOutput"


def test_a_file_over_the_limit_is_refused(tmp_path):
    path = tmp_path / "output"
    path.write_bytes(b"a=" + b"x" * (outputs.FILE_LIMIT - 2))
    assert len(outputs.parse(str(path))["a"]) == outputs.FILE_LIMIT - 2
    path.write_bytes(b"a=" + b"x" * (outputs.FILE_LIMIT - 1))
    with pytest.raises(ActionError, match="more than 1,048,576 bytes"):
        outputs.parse(str(path))


def test_a_fifo_a_link_or_a_folder_in_its_place_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "secret").write_text("a=1")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "link", "folder"):
        with pytest.raises(ActionError, match="TASKRUN_OUTPUT"):
            outputs.parse(str(tmp_path / name))


@given(st.binary(max_size=200))
def test_any_bytes_give_outputs_or_an_action_error(data):
    try:
        found = outputs.parse_text(data)
    except ActionError as error:
        assert "line" in error.message
    else:
        assert all(isinstance(name, str) for name in found)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_][a-z0-9_-]{0,9}", fullmatch=True), st.text('ab=<{" \u20ac', max_size=20)
    )
)
def test_what_a_task_writes_is_what_comes_out(values):
    data = "".join(f"{name}={value}\n" for name, value in values.items())
    assert outputs.parse_text(data.encode()) == values
