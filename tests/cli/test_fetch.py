"""The workflow of TaskFlow's introduction: fetch two sites in a row; if the second cannot be had, undo the first."""

from collections.abc import Iterator

import pytest

from tests.command import ROOT, Taskrun
from tests.loopback import Loopback, serve, unused_port

FILE = ROOT / "workflows" / "two_sites.yaml"


@pytest.fixture
def site() -> Iterator[Loopback]:
    with serve() as state:
        yield state


def both(site: Loopback, second: str) -> list[str]:
    return ["-i", f"first={site.url}/ok", "-i", f"second={second}"]


def test_two_good_addresses_are_fetched_in_order(site: Loopback, taskrun: Taskrun) -> None:
    done = taskrun("run", FILE, "-o", "ndjson", *both(site, f"{site.url}/echo"))
    assert done.code == 0
    assert done.transitions == [
        "flow two_sites RUNNING",
        "task google RUNNING",
        "task google SUCCESS",
        "task amazon RUNNING",
        "task amazon SUCCESS",
        "flow two_sites SUCCESS",
    ]
    assert [asked.path for asked in site.asked] == ["/ok", "/echo"]
    outputs = {
        e["name"]: e["outputs"] for e in done.events if e.get("state") == "SUCCESS" and e["kind"] == "task"
    }
    assert outputs == {"google": {"status": 200}, "amazon": {"status": 200}}


def test_a_bad_second_address_undoes_the_first_fetch_in_exactly_this_order(
    site: Loopback, taskrun: Taskrun
) -> None:
    done = taskrun("run", FILE, "-o", "ndjson", *both(site, f"http://127.0.0.1:{unused_port()}/"))
    assert done.code == 1
    assert done.transitions == [
        "flow two_sites RUNNING",
        "task google RUNNING",
        "task google SUCCESS",
        "task amazon RUNNING",
        "task amazon FAILURE",
        "flow two_sites FAILURE",
        "flow two_sites REVERTING",
        "task amazon REVERTING",
        "task amazon REVERTED",
        "task google REVERTING",
        "task google REVERTED",
        "flow two_sites REVERTED",
    ]
    failure = next(e["failure"] for e in done.events if e.get("failure"))
    assert failure["type"] == "ConnectionError"
    assert done.summary["reverted"] == ["amazon", "google"]
    assert done.summary["applied"] == []


def test_the_undo_of_the_first_fetch_is_said(site: Loopback, taskrun: Taskrun) -> None:
    options = both(site, f"http://127.0.0.1:{unused_port()}/")
    done = taskrun("run", FILE, "-o", "plain", *options)
    assert f"google REVERTING -> REVERTED  google: forget the page from {site.url}/ok" in done.out
    assert "undone     amazon, google" in done.err
    assert "the world is as before" in done.err
    assert "google: forget the page" in taskrun("logs", "latest", "google").out


def test_every_state_is_notified(site: Loopback, taskrun: Taskrun) -> None:
    done = taskrun("run", FILE, "-o", "ndjson", *both(site, f"{site.url}/status/500"))
    told = [e["message"] for e in done.events if e["kind"] == "log"]
    assert [message.split(": ")[1] for message in told] == [
        f"{e['old_state']} -> {e['state']}" for e in done.events if e["kind"] in ("flow", "task")
    ]
    assert told[0] == "flow two_sites: PENDING -> RUNNING"
    assert told[-1] == "flow two_sites: REVERTING -> REVERTED"
