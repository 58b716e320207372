"""What is looked for is found however the data is cut, and memory does not grow with it."""

from hypothesis import given
from hypothesis import strategies as st

from taskrun.executors.masking import SHORTEST_PART, Matcher, Stream
from taskrun.executors.written import masked_lines

letters = st.binary(min_size=0, max_size=60).map(lambda data: bytes(b"ab-"[byte % 3] for byte in data))
forms = st.lists(letters.filter(lambda form: len(form) >= 4), min_size=1, max_size=12)


def in_pieces(matcher: Matcher, data: bytes, cuts: list[int]) -> bytes:
    stream = Stream()
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    parts = [data[start:end] for start, end in zip(places, places[1:], strict=False)]
    return b"".join([*(stream.feed(part, matcher) for part in parts), stream.rest(matcher)])


@given(forms, letters, st.lists(st.integers(0, 60), max_size=20))
def test_pieces_are_masked_as_the_whole_is(looked_for: list[bytes], data: bytes, cuts: list[int]) -> None:
    matcher = Matcher(looked_for)
    assert in_pieces(matcher, data, cuts) == matcher.mask(data)


@given(forms, letters, letters)
def test_nothing_that_is_looked_for_is_left(looked_for: list[bytes], before: bytes, after: bytes) -> None:
    matcher = Matcher(looked_for)
    for form in looked_for:
        masked = matcher.mask(before + form + after)
        assert b"***" in masked
        assert not any(each in masked for each in looked_for)


def test_one_search_for_many_finds_what_many_searches_find() -> None:
    many = [b"%c%c-secret-%d" % (65 + number, 97 + number, number) for number in range(20)]
    for form in many:
        assert Matcher(many).mask(b"x" + form + b"y") == Matcher([form]).mask(b"x" + form + b"y") == b"x***y"


def test_only_what_may_be_the_beginning_of_it_is_kept_back() -> None:
    matcher, stream = Matcher([b"token-and-more"]), Stream()
    assert stream.feed(b"Password: ", matcher) == b"Password: "
    assert stream.feed(b"to", matcher) == b""
    assert stream.feed(b"day", matcher) == b"today"
    assert stream.feed(b"token-and", matcher) == b""
    assert stream.rest(matcher) == b"***"  # cut short, and still most of it


def test_what_is_short_at_the_end_is_no_secret() -> None:
    matcher, stream = Matcher([b"token-and-more"]), Stream()
    stream.feed(b"token"[: SHORTEST_PART - 1], matcher)
    assert stream.rest(matcher) == b"token"


def test_a_secret_without_end_keeps_nothing_back() -> None:
    matcher, stream = Matcher([b"aaaaaa"]), Stream()
    told = b"".join(stream.feed(b"a" * 1000, matcher) for _ in range(100))
    assert told + stream.rest(matcher) == b"***"
    assert len(stream._kept) < 10


def test_lines_of_json_stay_json() -> None:
    matcher = Matcher([b"123456", b'say \\"x\\"', b'say "x"'])
    assert masked_lines(b'pin=123456\n{"pin": 123456, "n": [1]}\n{"a": "say \\"x\\""}\n', matcher) == (
        b'pin=***\n{"pin": "***", "n": [1]}\n{"a": "***"}\n'
    )
