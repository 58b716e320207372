"""Who may ask: the link, the cookie, the Host, the Origin, read-only, and what every answer carries."""

import random

import pytest

from tests.command import ROOT, Taskrun
from tests.web.page import Page

WORKFLOW = """
name: two
tasks:
  - {name: a, run: echo hello, revert: echo back}
  - {name: b, run: echo there, revert: none}
"""
SUSPEND = {"verb": "suspend", "seq": 0}


@pytest.fixture(scope="module")
def run(shared: Taskrun) -> str:
    done = shared("run", shared.file(WORKFLOW), "-o", "ndjson")
    assert done.code == 0
    return done.events[0]["run"]


def test_a_link_works_once_and_its_cookie_is_for_this_page_alone(shared: Taskrun) -> None:
    page = Page(shared).sign_in()
    again = page.ask("GET", page.link.removeprefix(page.url), Cookie=None)
    assert again.status == 403
    assert b"used already" in again.body
    assert page.get("/api/runs")["read_only"] is False
    link = page.next_link()
    cookie = page.ask("GET", link.removeprefix(page.url), Cookie=None).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    "path", ["", "/live", "/events", "/graph", "/source", "/outputs", "/task", "/output", "/preview"]
)
def test_nothing_of_a_run_is_told_without_the_cookie(page: Page, run: str, path: str) -> None:
    assert page.ask("GET", f"/api/runs/{run}{path}", Cookie=None).status == 401
    for cookie in (
        "x",
        f"{page.cookie}0",
        page.cookie.replace("=", "=9"),
        f"taskrun_{page.port}=9999999999.",
    ):
        assert page.ask("GET", f"/api/runs/{run}{path}", Cookie=cookie).status == 401


def test_the_list_is_not_told_without_the_cookie_and_the_page_itself_says_nothing(
    page: Page, run: str
) -> None:
    assert page.ask("GET", "/api/runs", Cookie=None).status == 401
    assert page.ask("GET", "/api/runs/live", Cookie=None).status == 401
    for path in ("/", f"/runs/{run}"):
        answer = page.ask("GET", path, Cookie=None)
        assert answer.status == 200
        assert run.encode() not in answer.body


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1", "evil.example:{port}", "127.0.0.1:1", "localhost:{port}.evil.example", ""],
)
def test_a_name_that_was_let_point_here_is_not_answered(page: Page, host: str) -> None:
    for path in ("/", "/api/runs", page.link.removeprefix(page.url)):
        assert page.ask("GET", path, Host=host.format(port=page.port)).status == 421


def test_localhost_is_a_name_of_ours(page: Page) -> None:
    assert page.ask("GET", "/api/runs", Host=f"localhost:{page.port}").status == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://127.0.0.1:{port}", "http://localhost:{port}"]
)
def test_a_wish_from_another_page_is_refused(page: Page, run: str, origin: str | None) -> None:
    given = origin.format(port=page.port) if origin else None
    answer = page.ask("POST", f"/api/runs/{run}/act", SUSPEND, Origin=given)
    assert answer.status == 403


def test_a_browser_that_says_another_site_asks_is_believed(page: Page) -> None:
    for site in ("cross-site", "same-site"):
        assert page.ask("GET", "/api/runs", Sec_Fetch_Site=site).status == 403


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"verb=suspend", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'{"verb": 1}', {}, 400),
        (b"[" * 60000, {}, 400),
        (b"{}", {"Content-Length": "70000"}, 413),
        (b"{}", {"Content-Length": "99999999999999999999"}, 413),
        (b"\xff\xfe", {}, 400),
    ],
)
def test_a_body_that_is_none_is_refused(
    page: Page, run: str, body: bytes, headers: dict, status: int
) -> None:
    assert page.ask("POST", f"/api/runs/{run}/act", body, **headers).status == status


def test_read_only_refuses_every_post(shared: Taskrun, run: str) -> None:
    page = Page(shared, "--read-only").sign_in()
    for path in (f"/api/runs/{run}/act", "/", "/api/runs", "/anything"):
        assert page.ask("POST", path, {"verb": "revert", "seq": 6}).status == 403
    assert page.get("/api/runs")["read_only"] is True
    assert page.get(f"/api/runs/{run}")["run"]["state"] == "SUCCESS"


@pytest.mark.parametrize("path", ["/", "/static/run.js", "/api/runs", "/nowhere", "/api/runs/nosuch"])
def test_every_answer_carries_the_policy(page: Page, path: str) -> None:
    headers = page.ask("GET", path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(page: Page, run: str, method: str) -> None:
    assert page.ask(method, f"/api/runs/{run}").status == 405


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_only_loopback_is_listened_on(shared: Taskrun, host: str) -> None:
    done = shared("web", "--no-open", "--host", host)
    assert done.code == 2
    assert "loopback" in done.err
    assert "ssh -L" in done.err


def test_a_port_that_is_taken_is_said(shared: Taskrun, page: Page) -> None:
    done = shared("web", "--no-open", "--port", page.port)
    assert done.code == 2
    assert "cannot be used" in done.err


def test_the_pages_own_files_have_no_script_and_no_style_inside_and_load_nothing_from_elsewhere(
    page: Page,
) -> None:
    for path in ("/", "/runs/x1"):
        text = page.ask("GET", path).body.decode()
        assert "<style" not in text
        assert " style=" not in text
        assert text.count("<script") == text.count('<script type="module" src="/static/')
        assert "http" not in text


def test_it_ends_with_control_c_although_somebody_listens(shared: Taskrun, run: str) -> None:
    page = Page(shared).sign_in()
    stream = page.listen(f"/api/runs/{run}/live")
    stream.next()
    assert page.end() == 0
    stream.close()


def test_a_key_that_is_not_ours_is_refused_and_one_cut_short_is_good_for_nobody(taskrun: Taskrun) -> None:
    taskrun.home.mkdir(mode=0o700)
    key = taskrun.home / "web.key"
    key.symlink_to("/etc/hostname")
    done = taskrun("web", "--no-open", "--port", "0")
    assert (done.code, "web.key cannot be used" in done.err) == (2, True)
    key.unlink()
    key.write_bytes(b"")
    page = Page(taskrun).sign_in()
    assert page.get("/api/runs")["runs"] == []
    page.kill()


def test_the_key_is_for_its_owner_alone(shared: Taskrun, page: Page) -> None:
    assert (shared.home / "web.key").stat().st_mode & 0o777 == 0o600


def test_the_address_of_loopback_may_be_that_of_ipv6(taskrun: Taskrun) -> None:
    process = taskrun.start("web", "--no-open", "--port", "0", "--host", "::1")
    text = process.stderr.readline() + process.stderr.readline() + process.stderr.readline()
    assert "http://[::1]:" in text


def test_no_question_makes_it_stumble(page: Page, run: str) -> None:
    """Whatever is asked gets an answer below 500; the same chance every time."""
    chance = random.Random(4711)
    values = [
        "",
        "0",
        "-1",
        "1" * 18,
        "9" * 40,
        "x",
        "../..",
        "%00",
        "a",
        "b",
        "do-1-out",
        "undo-1-out",
        "revert",
        "%ff%fe",
        "{}",
        "[]",
    ]
    names = [
        "name",
        "file",
        "start",
        "end",
        "line",
        "text",
        "after",
        "verb",
        "task",
        "word",
        "reason",
        "savepoint",
        "token",
    ]
    for _ in range(400):
        end = chance.choice(
            [
                "",
                "/events",
                "/graph",
                "/source",
                "/outputs",
                "/task",
                "/output",
                "/last",
                "/search",
                "/preview",
            ]
        )
        query = "&".join(
            f"{chance.choice(names)}={chance.choice(values)}" for _ in range(chance.randint(0, 4))
        )
        answer = page.ask("GET", f"/api/runs/{run}{end}?{query}")
        assert answer.status < 500, (end, query, answer.body)
    for _ in range(100):
        body = {
            chance.choice([*names, "seq", "outputs"]): chance.choice(
                [*values, 1, None, [], {}, {"a": []}, True, 1e308]
            )
            for _ in range(4)
        }
        if body.get("verb") == "revert":
            del body["verb"]
        answer = page.ask("POST", f"/api/runs/{run}/act", body)
        assert 400 <= answer.status < 500, (body, answer.body)


def test_without_its_packages_the_page_says_what_to_install(taskrun: Taskrun) -> None:
    blocked = taskrun.folder / "blocked"
    blocked.mkdir()
    (blocked / "sitecustomize.py").write_text("import sys\nsys.modules['uvicorn'] = None\n")
    env = {"PYTHONPATH": f"{blocked}:{ROOT}"}
    for args in (("web",), ("run", taskrun.file(WORKFLOW), "--web")):
        done = taskrun(*args, env=env)
        assert done.code == 2
        assert "the page needs the package uvicorn" in done.err
        assert "pip install 'taskrun[web]'" in done.err
