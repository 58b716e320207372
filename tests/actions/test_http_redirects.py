from urllib.parse import quote

import pytest

from taskrun.actions import http
from taskrun.errors import ActionError
from tests.loopback import CERTIFICATE, serve


@pytest.fixture
def elsewhere():
    with serve() as state:
        yield state


def to(site, url, status=302):
    return f"{site.url}/redirect-to?status={status}&url={quote(url, safe='')}"


def failure(fields, here):
    with pytest.raises(ActionError) as caught:
        http.do(fields, here)
    return caught.value.as_failure()


def test_a_get_follows_five_redirects_and_no_sixth(loopback, here):
    assert http.do({"url": f"{loopback.url}/redirect/5"}, here).values["json"] == {"ok": True}
    assert len(loopback.asked) == 6
    found = failure({"url": f"{loopback.url}/redirect/6"}, here)
    assert found == {"type": "RedirectRefused", "message": "more than 5 redirects"}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_other_methods_follow_none(loopback, here, method):
    found = failure({method: f"{loopback.url}/redirect/1"}, here)
    assert (found["type"], found["status"]) == ("HTTPStatus", 302)
    assert "redirects are not followed here" in found["message"]
    assert len(loopback.asked) == 1


@pytest.mark.parametrize(
    ("redirects", "asked"), [(False, 1), (0, 1), (1, 2), (True, 4), ("true", 4), (10, 4)]
)
def test_the_field_says_how_many(loopback, here, redirects, asked):
    fields = {"url": f"{loopback.url}/redirect/3", "redirects": redirects}
    if asked == 4:
        http.do(fields, here)
    else:
        failure(fields, here)
    assert len(loopback.asked) == asked


def test_an_expected_redirect_is_the_answer(loopback, here):
    values = http.do({"url": f"{loopback.url}/redirect/1", "expect": [302]}, here).values
    assert (values["status"], values["headers"]["location"]) == (302, "/ok")
    assert http.do({"url": f"{loopback.url}/redirect/1", "expect": "3xx"}, here).values["status"] == 302


@pytest.mark.parametrize(
    ("status", "method", "after"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "DELETE", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (302, "PUT", "PUT"),
        (303, "HEAD", "HEAD"),
    ],
)
def test_the_method_after_a_redirect_is_what_browsers_make_of_it(loopback, here, status, method, after):
    fields = {"method": method, "url": to(loopback, "/echo", status), "redirects": True}
    if method != "HEAD":
        fields["json"] = {"a": 1}
    http.do(fields, here)
    last = loopback.asked[-1]
    assert last.method == after
    assert last.json == ({"a": 1} if after not in ("GET", "HEAD") else None)
    assert ("idempotency-key" in last.headers) == (after not in ("GET", "HEAD"))


SECRETS = {"X-Api-Key": "k", "Cookie": "session=1", "Host": "named.example", "Accept": "text/plain"}


def test_another_host_gets_no_credentials(loopback, elsewhere, here):
    http.do({"url": to(loopback, f"{elsewhere.url}/echo"), "bearer": "t", "headers": SECRETS}, here)
    assert set(loopback.asked[0].headers) >= {"authorization", "x-api-key", "cookie"}
    sent = elsewhere.asked[0].headers
    assert sent["host"] == elsewhere.url.partition("://")[2]
    assert sent["accept"] == "text/plain"
    assert set(sent) <= {"host", "accept", "accept-encoding", "user-agent", "connection"}


def test_a_body_sent_to_another_host_on_request_carries_no_credentials(loopback, elsewhere, here):
    fields = {
        "post": to(loopback, f"{elsewhere.url}/echo", 307),
        "json": {"a": 1},
        "bearer": "t",
        "redirects": 1,
    }
    http.do(fields, here)
    assert elsewhere.asked[0].json == {"a": 1}
    assert "authorization" not in elsewhere.asked[0].headers


def test_the_same_host_gets_them_again(loopback, here):
    http.do({"url": to(loopback, "/echo"), "bearer": "t", "headers": SECRETS}, here)
    sent = loopback.asked[1].headers
    assert (sent["authorization"], sent["x-api-key"], sent["cookie"]) == ("Bearer t", "k", "session=1")


def test_a_cookie_goes_back_to_its_own_host_only(loopback, elsewhere, here):
    own = f"{to(loopback, '/echo')}&cookie=login%3D1"
    http.do({"url": own}, here)
    assert loopback.asked[1].headers["cookie"] == "login=1"
    other = f"{to(loopback, elsewhere.url.replace('127.0.0.1', 'localhost') + '/echo')}&cookie=login%3D1"
    http.do({"url": other}, here)
    assert "cookie" not in elsewhere.asked[0].headers


def test_the_time_limit_is_for_all_hops_together(loopback, here):
    url = to(loopback, to(loopback, f"{loopback.url}/slow/30"))
    found = failure({"url": url, "timeout": 0.3}, here)
    assert found["type"] == "Timeout"
    assert len(loopback.asked) == 3


def test_an_unknown_outcome_is_that_of_the_last_hop(loopback, here):
    fields = {"post": to(loopback, f"{loopback.url}/lose/items", 307), "redirects": True}
    assert failure(fields, here)["outcome"] == "unknown"
    fields["post"] = to(loopback, "http://127.0.0.1:1/", 307)
    assert "outcome" not in failure(fields, here)


def test_user_and_password_in_a_location_are_not_used(loopback, here):
    with_login = f"{loopback.url}/echo".replace("://", "://eve:x@")
    http.do({"url": to(loopback, with_login)}, here)
    assert "authorization" not in loopback.asked[1].headers


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("file:///etc/passwd", "leads to file:"),
        ("javascript:alert(1)", "leads to javascript:"),
        ("http://[::1", "leads to no URL"),
        ("http://127.0.0.1:99999/", "leads to no URL"),
    ],
)
def test_a_redirect_out_of_http_is_refused(loopback, here, target, message):
    found = failure({"url": to(loopback, target)}, here)
    assert found["type"] == "RedirectRefused"
    assert message in found["message"]


def test_a_redirect_out_of_tls_is_refused_and_into_it_is_followed(loopback, here):
    with serve(tls=True) as secure:
        found = failure({"url": to(secure, f"{loopback.url}/ok"), "ca": CERTIFICATE}, here)
        assert found == {"type": "RedirectRefused", "message": "the redirect leads from https to http"}
        assert loopback.asked == []
        fields = {"url": to(loopback, f"{secure.url}/echo"), "ca": CERTIFICATE, "bearer": "t"}
        assert http.do(fields, here).values["status"] == 200
        assert "authorization" not in secure.asked[-1].headers  # another port is another place


def test_a_redirect_to_a_link_local_address_is_refused(loopback, here):
    found = failure({"url": to(loopback, "http://169.254.169.254/latest/meta-data")}, here)
    assert found["type"] == "AddressRefused"


def test_a_redirect_to_a_host_that_is_not_allowed_is_refused(loopback, here):
    fields = {"url": to(loopback, "http://localhost:1/"), "allow_hosts": ["127.0.0.1"]}
    assert failure(fields, here) == {
        "type": "AddressRefused",
        "message": "localhost is not one of allow_hosts",
    }
