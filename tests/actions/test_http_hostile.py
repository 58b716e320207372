"""Servers that are slow, endless, broken or not there: the attempt always ends, in time and with a type."""

import contextlib
import gc
import gzip
import socket
import threading
import time
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskrun.actions import http, http_answer, http_exchange, http_options
from taskrun.actions.base import matches
from taskrun.errors import ActionError
from tests.loopback import CERTIFICATE, serve, serve_raw, unused_port

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


def failure(fields, here):
    with pytest.raises(ActionError) as caught:
        http.do(fields, here)
    return caught.value.as_failure()


def answering(data):
    """A server that says this and hangs up."""
    return serve_raw(lambda connection: connection.sendall(data))


def drip(start, piece):
    """A server that says ``start``, then ``piece`` again and again, never silent for long."""
    left = threading.Event()

    def talk(connection):
        connection.sendall(start)
        while not left.wait(0.02):
            connection.sendall(piece)

    return serve_raw(talk)


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"b"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (HEAD + b"\r\n", b"until the end of days"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", b""),
    ],
)
def test_a_server_that_is_never_silent_and_never_done_is_cut_off(here, start, piece):
    with drip(start, piece) as url:
        began = time.monotonic()
        found = failure({"post": url, "timeout": 0.3}, here)
        assert time.monotonic() - began < 2
    assert found["type"] == "Timeout"
    assert found["outcome"] == "unknown"
    assert "within 0.3 s" in found["message"]
    assert matches(found, ["timeout"])


def test_a_server_that_never_answers_is_cut_off(here):
    with drip(b"", b"") as url:
        assert failure({"url": url}, here._replace(timeout=0.2))["type"] == "Timeout"


def test_silence_has_a_limit_of_its_own(here, monkeypatch):
    monkeypatch.setattr(http_options, "READ", 0.1)
    with drip(b"", b"") as url:
        found = failure({"post": url}, here)
    assert found["type"] == "Timeout"
    assert "was silent for 0.1 s" in found["message"]
    assert found["outcome"] == "unknown"


def test_there_is_always_a_deadline(here):
    limits = {
        fields_timeout: http_options.options_of({"timeout": fields_timeout}, here)
        for fields_timeout in (None, 5)
    }
    assert (limits[None].total, limits[None].connect_timeout, limits[None].read_timeout) == (300, 10, 60)
    assert (limits[5].total, limits[5].connect_timeout, limits[5].read_timeout) == (5, 5, 5)
    both = http_options.options_of({"timeout": "10m"}, here._replace(timeout=400))
    assert (both.total, both.read_timeout) == (400, 400)


def test_a_server_that_reads_nothing_is_cut_off(here):
    held = threading.Event()
    with serve_raw(lambda _connection: held.wait(5)) as url:
        found = failure({"post": url, "data": "x" * 30_000_000, "timeout": 0.5}, here)
        held.set()
    assert (found["type"], found["outcome"]) == ("Timeout", "unknown")


def test_sending_may_take_longer_than_connecting(here, monkeypatch):
    monkeypatch.setattr(http_options, "CONNECT", 0.1)

    def read_late(connection):
        time.sleep(0.3)
        while (chunk := connection.recv(2**20)) and not chunk.endswith(b"END"):
            continue
        connection.sendall(HEAD + b"\r\ngot it")

    with serve_raw(read_late) as url:
        assert http.do({"post": url, "data": "x" * 20_000_000 + "END"}, here).values["text"] == "got it"


def test_a_tls_handshake_that_hangs_is_cut_off_before_anything_was_sent(here):
    listener = socket.create_server(("127.0.0.1", 0))
    with listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        found = failure({"post": url, "timeout": 0.2}, here)
    assert found["type"] == "Timeout"
    assert "outcome" not in found


def test_a_tls_handshake_has_the_time_that_connecting_has(here, monkeypatch):
    monkeypatch.setattr(http_options, "CONNECT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = failure({"post": f"https://127.0.0.1:{listener.getsockname()[1]}"}, here)
    assert found["type"] == "Timeout"
    assert "no TLS connection" in found["message"]
    assert "outcome" not in found


def test_a_server_that_takes_no_connection_is_given_up(here, monkeypatch):
    monkeypatch.setattr(http_options, "CONNECT", 0.1)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # more than its queue holds, so that the next one waits
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        found = failure({"post": f"http://127.0.0.1:{listener.getsockname()[1]}"}, here)
    assert found["type"] == "Timeout"
    assert "did not take a connection within 0.1 s" in found["message"]
    assert "outcome" not in found


def test_a_tls_port_that_hangs_up_sent_nothing(here):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hang_up = threading.Thread(target=lambda: listener.accept()[0].close())
        hang_up.start()
        found = failure({"post": f"https://127.0.0.1:{listener.getsockname()[1]}"}, here)
        hang_up.join()
    assert found["type"] in ("TLSError", "ConnectionError")
    assert "outcome" not in found


def test_a_name_that_takes_too_long_to_look_up_is_given_up(here, monkeypatch):
    slow = threading.Event()

    def look_up(*_args, flags=0, **_more):
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "it is a name")
        slow.wait(5)

    monkeypatch.setattr(http_exchange.socket, "getaddrinfo", look_up)
    found = failure({"post": "http://slow.example/", "timeout": 0.1}, here)
    slow.set()
    assert found["type"] == "Timeout"
    assert "outcome" not in found


def test_a_refused_connection_is_a_connection_error_and_nothing_was_sent(here):
    found = failure({"post": f"http://127.0.0.1:{unused_port()}/", "json": {}}, here)
    assert found["type"] == "ConnectionError"
    assert "Connection refused" in found["message"]
    assert "outcome" not in found
    assert matches(found, ["connection"])


def test_an_unknown_name_is_a_connection_error(here):
    found = failure({"post": "http://no-such-host.invalid/"}, here)
    assert found["type"] == "ConnectionError"
    assert "cannot look up no-such-host.invalid" in found["message"]
    assert "outcome" not in found


def test_a_lost_answer_leaves_the_outcome_unknown_and_the_key_makes_it_once(loopback, here):
    fields = {"post": f"{loopback.url}/lose/items", "json": {"name": "a"}}
    found = failure(fields, here)
    assert (found["type"], found["outcome"]) == ("ConnectionError", "unknown")
    assert len(loopback.objects()) == 1
    again = http.do({**fields, "post": f"{loopback.url}/items"}, here).values["json"]
    assert loopback.objects() == [again]


def test_a_lost_answer_to_a_get_is_a_plain_failure(loopback, here):
    assert "outcome" not in failure({"url": f"{loopback.url}/lose/ok"}, here)


def test_a_connection_reset_after_the_request_leaves_the_outcome_unknown(here):
    def reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with serve_raw(reset) as url:
        found = failure({"post": url}, here)
    assert (found["type"], found["outcome"]) == ("ConnectionError", "unknown")
    assert "reset" in found["message"]


@pytest.mark.parametrize(
    ("answer", "type_", "message"),
    [
        (b"", "ConnectionError", "without response"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "ProtocolError", "is not HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "ProtocolError", "is not HTTP"),
        (HEAD, "ConnectionError", "breaks off"),
        (HEAD + b"X-Header: cut of", "ConnectionError", "breaks off"),
        (HEAD + b"Content-Length: 10\r\n\r\nshort", "ConnectionError", "breaks off"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "ConnectionError", "breaks off"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "ConnectionError", "breaks off"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "ProtocolError", "headers"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "ProtocolError", "line"),
        (HEAD + b"Content-Length: 5, 6\r\n\r\nhello", "ProtocolError", "Content-Length"),
        (HEAD + b"Content-Encoding: br\r\n\r\nxx", "ProtocolError", "packed as 'br'"),
        (HEAD + b"Content-Encoding: gzip, gzip\r\n\r\nxx", "ProtocolError", "packed as"),
        (HEAD + b"Content-Encoding: gzip\r\n\r\nnot packed", "ProtocolError", "cannot be unpacked"),
        (
            HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 999, mtime=0)[:-9],
            "ConnectionError",
            "breaks off",
        ),
    ],
)
def test_a_broken_answer_has_a_type_and_leaves_the_outcome_unknown(here, answer, type_, message):
    with answering(answer) as url:
        found = failure({"post": url}, here)
    assert found["type"] == type_, found
    assert message in found["message"]
    assert found["outcome"] == "unknown"


def test_what_broke_after_a_status_still_tells_the_status(here):
    with answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\n") as url:
        found = failure({"url": url}, here)
    assert (found["type"], found["status"]) == ("ConnectionError", 503)
    assert matches(found, ["5xx"])


PIECES = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 302 Found\r\nLocation: /x\r\n",
    b"Location: http://[\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Type: text/html; charset=\xff\r\n",
    b"Set-Cookie: a=\0; Max-Age=x; Domain=..\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b": no name\r\n",
    b"\r\n",
    b"3\r\nabc\r\n0\r\n\r\n",
    b"\xff\0\x1b[2J",
    gzip.compress(b"abc", mtime=0),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES), max_size=8), st.binary(max_size=8))
def test_whatever_a_server_says_is_a_result_or_an_action_error(here, pieces, more):
    with answering(b"".join(pieces) + more) as url:
        try:
            values = http.do({"url": url, "expect": ["2xx", "3xx"], "timeout": 5}, here).values
        except ActionError as error:
            assert error.message
            assert error.type[0].isupper()
            assert error.type not in ("ValueError", "TypeError", "AttributeError", "UnicodeDecodeError")
        else:
            assert isinstance(dict(values)["text"], str)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"packed text", mtime=0)),
        ("x-gzip", gzip.compress(b"packed ", mtime=0) + gzip.compress(b"text", mtime=0)),
        ("deflate", zlib.compress(b"packed text")),
        ("deflate", zlib.compress(b"packed text")[2:-4]),
        ("identity", b"packed text"),
    ],
)
def test_a_packed_body_is_unpacked(here, encoding, packed):
    with answering(HEAD + b"Content-Encoding: %b\r\n\r\n%b" % (encoding.encode(), packed)) as url:
        assert http.do({"url": url}, here).values["text"] == "packed text"


@pytest.mark.parametrize("packed", [gzip.compress(b"", mtime=0), b""])
def test_an_empty_body_may_be_called_packed(here, packed):
    with answering(HEAD + b"Content-Encoding: gzip\r\n\r\n" + packed) as url:
        assert http.do({"url": url}, here).values["text"] == ""


def test_hints_before_the_answer_are_passed_over(here):
    hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    with answering(hints + HEAD + b"\r\nthe answer") as url:
        assert http.do({"url": url}, here).values["text"] == "the answer"


def test_a_body_of_the_limit_is_read_and_one_byte_more_is_refused(here, monkeypatch):
    monkeypatch.setattr(http_answer, "BODY_LIMIT", 2**20)
    with answering(HEAD + b"\r\n" + b"x" * 2**20) as url:
        assert len(http.do({"url": url}, here).values["text"]) == 2**20
    with answering(HEAD + b"\r\n" + b"x" * (2**20 + 1)) as url:
        found = failure({"post": url}, here)
    assert found["type"] == "TooLarge"
    assert found["status"] == 200
    assert found["outcome"] == "unknown"


def test_an_endless_body_is_cut_off_at_its_limit(here, monkeypatch):
    monkeypatch.setattr(http_answer, "BODY_LIMIT", 2**22)

    def talk(connection):
        connection.sendall(HEAD + b"\r\n")
        while True:
            connection.sendall(b"x" * 2**16)

    with serve_raw(talk) as url:
        assert failure({"url": url}, here)["type"] == "TooLarge"


def test_a_packed_body_that_never_gives_anything_is_cut_off_too(here, monkeypatch):
    monkeypatch.setattr(http_answer, "BODY_LIMIT", 2**18)
    nothing = b"\0\0\0\xff\xff" * 10_000  # stored blocks of no bytes

    def talk(connection):
        connection.sendall(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"", mtime=0)[:10])
        while True:
            connection.sendall(nothing)

    with serve_raw(talk) as url:
        assert failure({"url": url, "timeout": 20}, here)["type"] == "TooLarge"


def test_a_gzip_bomb_is_defused_without_its_memory(here, monkeypatch):
    monkeypatch.setattr(http_answer, "BODY_LIMIT", 2**20)
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    with answering(HEAD + b"Content-Encoding: gzip\r\n\r\n" + bomb) as url:
        http.do({"head": url}, here)  # everything is imported before measuring
        tracemalloc.start()
        found = failure({"url": url}, here)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found["type"] == "TooLarge"
    assert peak < 4 * 2**20


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=latin-1", b"gr\xfcn", "grün"),
        ("text/plain; charset=UTF-8", "grün".encode(), "grün"),
        ("text/plain", b"gr\xfcn", "gr\ufffdn"),
        ("text/plain; charset=no-such", "grün".encode(), "grün"),
        ("text/plain; charset=zlib", b"x", "x"),
        ("text/plain; charset=punycode", b"x-", "x-"),
        ('text/plain; a=b; charset="utf-16"', "grün".encode("utf-16"), "grün"),
        ("application/json", b"\xef\xbb\xbf1", "1"),
    ],
)
def test_text_is_decoded_by_its_charset_and_never_an_error(here, content_type, body, text):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    with answering(head.encode() + body) as url:
        assert http.do({"url": url}, here).values["text"] == text


def test_an_untrusted_certificate_is_a_tls_error_and_nothing_was_sent(here):
    with serve(tls=True) as site:
        found = failure({"post": f"{site.url}/items"}, here)
        assert site.asked == []
    assert found["type"] == "TLSError"
    assert "self-signed certificate" in found["message"]
    assert "outcome" not in found


def test_a_certificate_can_be_trusted_by_file_and_the_check_left_out_with_a_warning(talking, log):
    with serve(tls=True) as site:
        assert http.do({"url": f"{site.url}/ok", "ca": CERTIFICATE}, talking).values["status"] == 200
        assert http.do({"url": f"{site.url}/ok", "verify": CERTIFICATE}, talking).values["status"] == 200
        assert not any("warning" in line for line in log)
        assert http.do({"url": f"{site.url}/ok", "verify": False}, talking).values["status"] == 200
    assert any("certificate is not checked" in line for line in log)


def test_a_certificate_for_another_name_is_refused(here):
    with serve(tls=True) as site:
        url = site.url.replace("127.0.0.1", "127.0.0.2")
        found = failure({"url": f"{url}/ok", "ca": CERTIFICATE}, here)
    assert found["type"] in ("TLSError", "ConnectionError")


def test_http_spoken_to_a_tls_port_and_the_other_way_round_fail_with_a_type(loopback, here):
    assert failure({"url": loopback.url.replace("http:", "https:")}, here)["type"] == "TLSError"
    with serve(tls=True) as site:
        assert failure({"url": site.url.replace("https:", "http:")}, here)["type"] in (
            "ConnectionError",
            "ProtocolError",
        )


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "100.100.100.200",
    ],
)
def test_link_local_and_metadata_addresses_are_refused_before_connecting(here, host):
    found = failure({"post": f"http://{host}/latest/meta-data"}, here)
    assert found["type"] == "AddressRefused"
    assert "outcome" not in found


def test_a_name_that_resolves_to_one_is_refused_too(here, monkeypatch):
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))
    monkeypatch.setattr(http_exchange.socket, "getaddrinfo", lambda *_args, **_more: [address])
    assert failure({"url": "http://innocent.example/"}, here)["type"] == "AddressRefused"


def test_allow_hosts_is_a_list_of_the_only_ones(loopback, here):
    url = f"{loopback.url}/ok"
    assert http.do({"url": url, "allow_hosts": ["127.0.0.1"]}, here).values["status"] == 200
    assert http.do({"url": url, "allow_hosts": ["*.0.0.1"]}, here).values["status"] == 200
    for hosts in ([], ["example.org"], ["*.example.org"], "0.0.1"):
        assert failure({"url": url, "allow_hosts": hosts}, here)["type"] == "AddressRefused"


def test_the_driver_can_end_it_at_once(here, loopback):
    aborts = []
    found = []
    where = here._replace(aborts=aborts)
    thread = threading.Thread(
        target=lambda: found.append(failure({"post": f"{loopback.url}/slow/30"}, where))
    )
    thread.start()
    while not loopback.asked:
        time.sleep(0.005)
    for abort in list(aborts):
        abort()
    thread.join(5)
    assert (found[0]["type"], found[0]["outcome"]) == ("Stopped", "unknown")
    assert aborts == []


def test_what_is_told_to_end_before_it_connects_sends_nothing(loopback, here):
    class Eager(list):
        def append(self, abort):
            super().append(abort)
            abort()

    found = failure({"post": f"{loopback.url}/items"}, here._replace(aborts=Eager()))
    assert found == {"type": "Stopped", "message": "stopped before the answer was complete"}
    assert loopback.objects() == []


def connections_to(url):
    """Sockets of this process, still open, whose other end is that server."""
    port = int(url.rpartition(":")[2])
    found = []
    for thing in gc.get_objects():
        if isinstance(thing, socket.socket) and thing.fileno() >= 0:
            with contextlib.suppress(OSError):
                found += [thing] if thing.getpeername()[1] == port else []
    return found


def test_no_thread_and_no_connection_outlives_the_attempt(here, loopback):
    gc.disable()  # what is closed is closed by us
    try:
        for path in ("/ok", "/status/500", "/redirect/2", "/redirect/9", "/lose/ok"):
            with contextlib.suppress(ActionError):
                http.do({"url": f"{loopback.url}{path}"}, here)
        failure({"url": loopback.url.replace("http:", "https:")}, here)
        failure({"url": f"{loopback.url}/slow/30", "timeout": 0.1}, here)
        assert connections_to(loopback.url) == []
    finally:
        gc.enable()
    assert not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())
