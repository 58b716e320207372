"""The request that is sent and the result that comes back, against a server that behaves."""

import base64
import json

import pytest

from taskrun.actions import http
from taskrun.actions.base import UnexpectedResultError
from taskrun.errors import ActionError


def failure(fields, here):
    with pytest.raises(ActionError) as caught:
        http.do(fields, here)
    return caught.value.as_failure()


def test_a_get_gives_status_headers_json_and_text(loopback, here):
    values = http.do({"url": f"{loopback.url}/ok"}, here).values
    assert values["status"] == 200
    assert values["json"] == {"ok": True}
    assert values["text"] == '{"ok": true}'
    assert values["headers"]["content-type"] == "application/json"
    assert set(values) == {"status", "headers", "json", "text"}


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head"])
def test_every_form_is_its_method(loopback, here, method):
    http.do({method: f"{loopback.url}/echo"}, here)
    http.do({"method": method, "url": f"{loopback.url}/echo"}, here)
    assert [asked.method for asked in loopback.asked] == [method.upper()] * 2


def test_the_body_and_parameters_arrive(loopback, here):
    fields = {
        "post": f"{loopback.url}/echo?a=1",
        "params": {"b": True, "c": ["x", 2], "d": None},
        "json": {"n": 1.5},
    }
    echo = http.do(fields, here).values["json"]
    assert echo["json"] == {"n": 1.5}
    assert echo["query"] == {"a": "1", "b": "true", "c": "2"}
    assert loopback.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("data", "body", "content_type"),
    [
        ({"a": True, "b": ["x y", 2], "c": None}, "a=true&b=x+y&b=2", "application/x-www-form-urlencoded"),
        ("grün", "grün", None),
        ([1, 2], "[1, 2]", None),
    ],
)
def test_data_is_a_form_or_text(loopback, here, data, body, content_type):
    echo = http.do({"post": f"{loopback.url}/echo", "data": data}, here).values["json"]
    assert echo["body"] == body
    assert echo["headers"].get("content-type") == content_type


def test_files_are_uploaded_from_beside_the_workflow(loopback, here, tmp_path):
    (tmp_path / "report.txt").write_text("all well")
    fields = {"post": f"{loopback.url}/echo", "files": {"report": "report.txt"}, "data": {"kind": "daily"}}
    body = http.do(fields, here).values["json"]["body"]
    assert 'name="report"; filename="report.txt"' in body
    assert "all well" in body
    assert "daily" in body


def test_a_file_that_is_not_there_is_named(loopback, here):
    found = failure({"post": f"{loopback.url}/echo", "files": {"report": "nothing.txt"}}, here)
    assert found["type"] == "FileNotFoundError"
    assert "nothing.txt" in found["message"]
    assert loopback.asked == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"bearer": "t0k\n"}, "Bearer t0k"),
        ({"auth": {"username": "ann", "password": "pä:ss"}}, "ann:pä:ss"),
        ({"auth": {"user": "ann", "password": 1}}, "ann:1"),
        ({"auth": ["ann", "x"]}, "ann:x"),
        ({"headers": {"authorization": "Own"}, "bearer": "t"}, "Own"),
    ],
)
def test_authorization(loopback, here, fields, expected):
    http.do({"url": f"{loopback.url}/echo", **fields}, here)
    sent = loopback.asked[0].headers["authorization"]
    if sent.startswith("Basic "):
        sent = base64.b64decode(sent.removeprefix("Basic ")).decode()
    assert sent == expected


def test_user_and_password_in_a_url_are_sent_and_never_shown(loopback, talking, log):
    url = loopback.url.replace("://", "://ann:s%20cret@") + "/status/500?token=abc&page=2"
    found = failure({"url": url}, talking)
    sent = loopback.asked[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent) == b"ann:s cret"
    shown = f"{found['message']} {log}"
    assert "cret" not in shown
    assert "abc" not in shown
    assert "/status/500?token=***&page=2" in shown


def test_headers_are_text_and_null_leaves_one_out(loopback, here):
    http.do(
        {"url": f"{loopback.url}/echo", "headers": {"X-N": 3, "X-B": False, "X-U": "ü", "X-Null": None}}, here
    )
    headers = loopback.asked[0].headers
    assert (headers["x-n"], headers["x-b"], headers["x-u"].encode("latin-1").decode()) == ("3", "false", "ü")
    assert "x-null" not in headers
    assert headers["user-agent"].startswith("taskrun/")
    assert headers["accept-encoding"] == "gzip, deflate"


def test_every_changing_request_carries_its_key_and_a_get_does_not(loopback, here):
    for method in ("post", "put", "patch", "delete"):
        http.do({method: f"{loopback.url}/echo"}, here)
    http.do({"url": f"{loopback.url}/echo"}, here)
    http.do({"post": f"{loopback.url}/echo", "headers": {"idempotency-key": "mine"}}, here)
    keys = [asked.headers.get("idempotency-key") for asked in loopback.asked]
    assert keys == ["r1/build/1"] * 4 + [None, "mine"]


def test_only_requests_that_change_something_need_a_revert():
    assert http.writes({"post": "http://x"})
    assert http.writes({"method": "delete", "url": "http://x"})
    assert not http.writes({"url": "http://x"})
    assert not http.writes({"head": "http://x"})


def test_nothing_comes_from_the_surroundings(loopback, here, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    echo = http.do({"url": f"{loopback.url}/echo"}, here).values["json"]
    assert "authorization" not in echo["headers"]


@pytest.mark.parametrize(
    ("expect", "status"),
    [(201, 201), ([200, 404], 404), ("2xx", 299), (["2xx", "404"], 404), ([["4xx"]], 418), ("503", 503)],
)
def test_an_expected_status_is_success(shared_site, here, expect, status):
    assert (
        http.do({"url": f"{shared_site.url}/status/{status}", "expect": expect}, here).values["status"]
        == status
    )


@pytest.mark.parametrize(
    ("expect", "status", "message"),
    [
        (None, 503, "503 Service Unavailable"),
        (201, 200, "200 OK, expected 201"),
        (["2xx", 404], 409, "409 Conflict, expected 2xx or 404"),
        (None, 299 + 300, "599"),
    ],
)
def test_another_status_is_a_failure_that_keeps_the_answer(
    shared_site, talking, log, expect, status, message
):
    fields = {"url": f"{shared_site.url}/status/{status}"} | ({} if expect is None else {"expect": expect})
    with pytest.raises(UnexpectedResultError) as caught:
        http.do(fields, talking)
    where = f"GET {shared_site.url}/status/{status}: "
    assert caught.value.as_failure() == {"type": "HTTPStatus", "message": where + message, "status": status}
    assert caught.value.result.values["json"] == {"status": status}
    assert log[-1] == json.dumps({"status": status})


def test_a_status_answer_is_not_an_unknown_outcome(shared_site, here):
    assert "outcome" not in failure({"post": f"{shared_site.url}/status/500"}, here)


def test_the_log_says_what_was_asked_and_what_came(loopback, talking, log):
    http.do({"post": f"{loopback.url}/items", "json": {"name": "a"}}, talking)
    assert log[0] == f"POST {loopback.url}/items"
    assert log[1].startswith("201 Created, 22 bytes, ")


@pytest.mark.parametrize(
    ("fields", "type_", "message"),
    [
        ({"url": ""}, "InvalidURL", "starts with http:// or https://"),
        ({"url": "example.org/x"}, "InvalidURL", "starts with http:// or https://"),
        ({"url": "file:///etc/passwd"}, "InvalidURL", "this one with 'file'"),
        ({"url": "gopher://127.0.0.1"}, "InvalidURL", "this one with 'gopher'"),
        ({"url": "http://"}, "InvalidURL", "names no host"),
        ({"url": "http://:80/"}, "InvalidURL", "names no host"),
        ({"url": "http://127.0.0.1:99999/"}, "InvalidURL", "Port out of range"),
        ({"url": "http://[::1"}, "InvalidURL", "Invalid IPv6 URL"),
        ({"url": "http://a..b/"}, "InvalidURL", "a..b"),
        ({"url": "http://" + "a" * 70 + ".invalid/"}, "InvalidURL", "aaa"),
        ({"url": "http://127.0.0.1", "method": "GE T"}, "InvalidRequest", "not an HTTP method"),
        (
            {"url": "http://127.0.0.1", "headers": {"A": "b\r\nC: d"}},
            "InvalidRequest",
            "the header A contains a line break",
        ),
        (
            {"url": "http://127.0.0.1", "bearer": "a\nb"},
            "InvalidRequest",
            "the header Authorization contains",
        ),
        (
            {"url": "http://127.0.0.1", "headers": {"A\n": "b"}},
            "InvalidRequest",
            "cannot be the name of a header",
        ),
        (
            {"url": "http://127.0.0.1", "headers": {"": "b"}},
            "InvalidRequest",
            "cannot be the name of a header",
        ),
        ({"post": "http://127.0.0.1", "json": float("nan")}, "InvalidRequest", "JSON"),
        ({"post": "http://127.0.0.1", "json": {}, "data": "x"}, "InvalidField", "one body"),
        ({"post": "http://127.0.0.1", "json": {}, "files": {"a": "b"}}, "InvalidField", "one body"),
        ({"url": "http://127.0.0.1", "expect": []}, "InvalidField", "empty list"),
        ({"url": "http://127.0.0.1", "expect": "2x"}, "InvalidField", "neither a status nor a class"),
        ({"url": "http://127.0.0.1", "redirects": "some"}, "InvalidField", "redirects"),
        ({"url": "http://127.0.0.1", "auth": "ann"}, "InvalidField", "auth"),
        ({"url": "http://127.0.0.1", "timeout": "soon"}, "InvalidField", "timeout"),
        ({"url": "https://127.0.0.1", "ca": "nothing.pem"}, "TLSError", "nothing.pem"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(here, fields, type_, message):
    found = failure(fields, here)
    assert found["type"] == type_
    assert message in found["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://ann:s3cret@"},
        {"url": "http://ann:s3cret@a..b/?token=s3cret"},
        {"url": "http://ann:s3cret@127.0.0.1:99999/"},
        {"url": "http://ann:s3cret@[::1"},
        {"url": "http://127.0.0.1/", "bearer": "s3cret\n."},
        {"url": "http://ann:s3cret@127.0.0.1:1/?password=s3cret"},
    ],
)
def test_no_failure_tells_a_secret(talking, log, fields):
    assert "s3cret" not in f"{failure(fields, talking)} {log}"


def test_a_collection_can_be_filled_and_emptied(loopback, here):
    made = http.do({"post": f"{loopback.url}/tenants", "json": {"name": "acme"}, "expect": 201}, here)
    url = f"{loopback.url}/tenants/{made.values['json']['id']}"
    assert http.do({"url": f"{loopback.url}/tenants?name=acme"}, here).values["json"] == [made.values["json"]]
    assert http.do({"patch": url, "json": {"plan": "basic"}}, here).values["json"]["plan"] == "basic"
    gone = http.do({"delete": url, "expect": [204, 404]}, here).values
    assert (gone["status"], gone["text"], gone["json"]) == (204, "", None)
    assert loopback.objects("tenants") == []
    assert failure({"delete": url}, here)["status"] == 404


def test_a_flaky_server_recovers(loopback, here):
    fields = {"url": f"{loopback.url}/flaky/2/a"}
    assert failure(fields, here)["status"] == 503
    assert failure(fields, here)["status"] == 503
    assert http.do(fields, here).values["json"] == {"number": 3}
