"""JSON in the journal and the public event."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrun.errors import JournalCorruptError
from taskrun.journal import codec
from tests.journal.samples import an_entry

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_any_value_comes_back(value):
    text = codec.encode_any(value)
    assert codec.decode(text) == value
    assert text.encode().decode() == text


@given(values)
def test_the_quick_encoder_writes_what_the_plain_one_does(value):
    assert codec.encode(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("value", [{1}, object(), b"bytes", {"deep": [1, {"x": 1j}]}])
def test_what_is_not_json_is_a_type_error(value):
    with pytest.raises(TypeError, match="not JSON serializable"):
        codec.encode(value)


@pytest.mark.parametrize("size", [0, 10, codec.COMPRESS_ABOVE, codec.COMPRESS_ABOVE + 1, 500_000])
def test_a_document_is_packed_and_unpacked(size):
    document = b"{" + b"x" * size
    assert codec.unpack(codec.pack(document)) == document
    assert len(codec.pack(document)) <= max(len(document), codec.COMPRESS_ABOVE)


def test_a_document_that_cannot_be_unpacked_is_corrupt():
    with pytest.raises(JournalCorruptError):
        codec.unpack(codec.pack(b"{" * 5000)[:-5])
    with pytest.raises(JournalCorruptError):
        codec.decode('{"cut": ')


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000000Z"),
        (1769851800.123456, "2026-01-31T09:30:00.123456Z"),
        (1769851799.9999999, "2026-01-31T09:30:00.000000Z"),
        (951782400.5, "2000-02-29T00:00:00.500000Z"),
        (4102444799.000001, "2099-12-31T23:59:59.000001Z"),
    ],
)
def test_a_timestamp_is_utc_with_microseconds(seconds, text):
    assert codec.timestamp(seconds) == text


def test_the_event_of_a_transition_has_the_public_fields_in_order():
    failure = {"type": "ConnectionError", "message": "..."}
    entry = an_entry(
        7, "fetch_amazon", {"failure": failure, "due": 5.0}, old_state="RUNNING", state="FAILURE"
    )
    event = codec.event_dict("abc", entry._replace(time=1769851800.123456))
    assert json.dumps(event) == (
        '{"v": 1, "seq": 7, "time": "2026-01-31T09:30:00.123456Z", "run": "abc", "kind": "task", '
        '"name": "fetch_amazon", "old_state": "RUNNING", "state": "FAILURE", "attempt": 1, "outputs": {}, '
        '"failure": {"type": "ConnectionError", "message": "..."}, "due": 5.0}'
    )


def test_a_transition_without_data_has_empty_outputs_and_no_failure():
    event = codec.event_dict("abc", an_entry(1, data={"outputs": None}))
    assert event["outputs"] == {}
    assert event["failure"] is None


def test_the_other_kinds_have_a_state_only_where_it_means_something():
    said = an_entry(3, kind="log", old_state=None, state=None, attempt=0, data={"message": "hello"})
    assert list(codec.event_dict("abc", said)) == ["v", "seq", "time", "run", "kind", "name", "message"]
    custom = an_entry(4, kind="custom", old_state=None, state="draining", data={"progress": 0.5})
    event = codec.event_dict("abc", custom)
    assert (event["state"], event["attempt"], event["progress"]) == ("draining", 1, 0.5)


def test_data_cannot_replace_a_field_of_the_envelope():
    event = codec.event_dict("abc", an_entry(1, data={"seq": 99, "run": "other", "v": 2, "time": "never"}))
    assert (event["seq"], event["run"], event["v"]) == (1, "abc", 1)
    assert event["time"] != "never"
