"""Secrets are found in every form in which programs write them, whole, cut, and spread over pieces."""

import base64
import html
import json
import shlex
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskrun.drivers.masking import MASK, Masker

TOKEN = "s3cr3t/tök\"en'+x! &y"
secrets = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"]), min_size=4, max_size=40)


def masker(*values: str) -> Masker:
    made = Masker()
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        json.dumps(TOKEN),
        json.dumps({"a": [TOKEN]}, ensure_ascii=False),
        repr(TOKEN),
        urllib.parse.quote(TOKEN),
        urllib.parse.quote(TOKEN, safe=""),
        urllib.parse.quote(TOKEN, safe="")
        .replace("%2F", "%2f")
        .replace("%C3%B6", "%c3%b6")
        .replace("%2B", "%2b"),
        urllib.parse.urlencode({"q": TOKEN}),
        html.escape(TOKEN),
        shlex.quote(TOKEN),
        base64.b64encode(TOKEN.encode()).decode(),
        base64.urlsafe_b64encode(TOKEN.encode()).decode(),
        "…" + TOKEN[:12] + "…",
        f"token={TOKEN[:15]}...",
        f"the last words: {TOKEN[:9]}",
    ],
)
def test_a_secret_is_masked_in_every_form_it_is_written_in(form: str) -> None:
    masked = masker(TOKEN).text(form)
    assert MASK in masked
    for part in ("s3cr3t", "czNjcj", "en%27", "tök", "t\\u00f6k"):
        assert part not in masked


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "admin:"])
@pytest.mark.parametrize("after", ["", "\n", ":x", "xyz"])
def test_a_secret_is_masked_in_the_middle_of_what_base64_encodes(before: str, after: str) -> None:
    header = base64.b64encode(f"{before}correct-horse-battery{after}".encode()).decode()
    masked = masker("correct-horse-battery").text(f"Authorization: Basic {header}")
    longest = max(masked.removeprefix("Authorization: Basic ").split(MASK), key=len)
    assert MASK in masked
    assert len(longest) <= len(base64.b64encode(before.encode())) + 7


def test_each_line_of_a_secret_with_lines_is_masked() -> None:
    hide = masker("-----BEGIN KEY-----\nabcdefghijkl\nmnop\n-----END KEY-----")
    assert hide.text("a line: mnop\nand  abcdefghijkl, no more") == "a line: ***\nand  ***, no more"


def test_what_is_shorter_than_four_characters_is_left_alone() -> None:
    assert masker("abc").text("abc abc") == "abc abc"
    assert masker("a\nbcd\nefgh").text("a bcd efgh") == "a bcd ***"


def test_secrets_that_overlap_are_hidden_together() -> None:
    assert masker("abcdef", "defghi").text("<abcdefghi>") == "<***>"
    assert masker("token", "token-and-more").text("token-and-more token") == "*** ***"


def test_values_of_every_shape_are_masked_and_the_rest_keeps_its_type() -> None:
    hide = masker("12345678", "hunter22")
    given_ = {"n": 12345678, "m": 1.5, "t": True, "none": None, "deep": [{"hunter22": "my hunter22"}]}
    assert hide.value(given_) == {"n": MASK, "m": 1.5, "t": True, "none": None, "deep": [{MASK: "my ***"}]}


def test_without_secrets_nothing_is_touched() -> None:
    value = {"a": ["b"]}
    assert Masker().value(value) is value
    assert Masker().text("x") == "x"


def test_a_window_that_begins_in_the_middle_of_a_secret_does_not_show_its_end() -> None:
    assert masker("correct-horse-battery").data(b"horse-battery and so on") == b"*** and so on"


def test_bytes_that_are_no_text_pass_as_they_are() -> None:
    data = bytes(range(256))
    assert masker("correct-horse").data(data + b"correct-horse" + data) == data + b"***" + data


@given(secrets, st.binary(max_size=20), st.binary(max_size=20), st.lists(st.integers(0, 80), max_size=6))
def test_a_secret_that_comes_in_pieces_is_masked(
    secret: str, before: bytes, after: bytes, cuts: list
) -> None:
    hide = masker(secret)
    data = before + secret.encode() + after
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    stream = hide.stream()
    got = b"".join(stream.feed(data[a:b]) for a, b in zip(places, places[1:], strict=False)) + stream.rest()
    assert secret.encode() not in got.replace(MASK.encode(), b"")
    assert MASK.encode() in got


@given(secrets, st.text(max_size=20), st.text(max_size=20))
def test_no_form_of_a_secret_is_left_in_a_text(secret: str, before: str, after: str) -> None:
    hide = masker(secret)
    for form in (secret, json.dumps(secret)[1:-1], urllib.parse.quote_plus(secret), repr(secret)[1:-1]):
        masked = hide.text(before + form + after)
        assert form not in masked.replace(MASK, "\0")


def test_what_cannot_be_the_beginning_of_a_secret_is_not_kept_back() -> None:
    stream = masker("hunter22").stream()
    assert stream.feed(b"a line\n") == b"a line\n"
    assert stream.feed(b"hunt") == b""
    assert stream.feed(b"ing\n") == b"hunting\n"
    assert stream.feed(b"hunter22") == b"***"
    assert stream.rest() == b""
