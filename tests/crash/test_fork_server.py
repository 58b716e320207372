"""A fork server that dies is one failure with what it said; the points after it go to a new one."""

import os
import signal

import pytest

from tests.crash import fork_server
from tests.crash.fork_server import ForkServer
from tests.crash.points import Point

FIRST = Point.parse("success|resume|1|taskrun:3:after:itself")


def test_a_server_that_is_killed_is_one_report_and_the_rest_goes_on(server: ForkServer) -> None:
    base = server.base
    os.kill(server.pid, signal.SIGKILL)
    dead, alive = server.tried([FIRST, FIRST])
    assert str(FIRST) in dead["faults"][0]
    assert "with -9: it said nothing" in dead["faults"][0]
    assert alive["faults"] == []
    assert alive["fired"]
    assert not os.path.exists(base)


def test_a_server_that_is_stuck_is_one_report_too(
    server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.kinds("success")
    monkeypatch.setattr(fork_server, "PATIENCE", 0.1)
    monkeypatch.setattr(fork_server, "LAST_PATIENCE", 0.1)
    os.kill(server.pid, signal.SIGSTOP)
    (report,) = server.tried([FIRST])
    assert "with -9" in report["faults"][0]
    monkeypatch.undo()
    (report,) = server.tried([FIRST])
    assert report["faults"] == []


def test_a_server_that_fails_says_of_what(server: ForkServer) -> None:
    (report,) = server.tried([FIRST._replace(scene="unheard of")])
    assert "with 1: Traceback" in report["faults"][0]
    assert "KeyError: 'unheard of'" in report["faults"][0]
    assert server.kinds("success")["task"]
