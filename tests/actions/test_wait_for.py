import os
import pathlib
import socket
import threading
import time

import pytest

from taskrun.actions import wait_for
from taskrun.errors import ActionError
from tests.loopback import unused_port


def wait(fields, here, **context):
    return wait_for.do({"timeout": 10, "every": 0.01} | fields, here._replace(**context)).values


def failure(fields, here, **context):
    with pytest.raises(ActionError) as raised:
        wait(fields, here, **context)
    return raised.value


@pytest.mark.parametrize("host", ["", "127.0.0.1:", "localhost:"])
def test_a_port_that_listens_is_there(here, host):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = wait({"port": f"{host}{listener.getsockname()[1]}"}, here)
    assert found["tries"] == 1
    assert found["seconds"] < 5


def test_a_port_that_nobody_listens_on_is_a_timeout_that_says_so(here):
    port = unused_port()
    failed = failure({"port": str(port), "timeout": 0.05}, here)
    assert failed.type == "Timeout"
    assert failed.message.startswith(f"port {port} is not there after 0.05 s and ")
    assert failed.message.endswith(" looks: Connection refused")


def test_a_url_is_there_when_its_status_is_good(here, loopback):
    assert wait({"url": f"{loopback.url}/flaky/2/a"}, here)["tries"] == 3


def test_a_url_can_be_waited_for_with_another_status(here, loopback):
    assert wait({"url": f"{loopback.url}/status/404", "expect": 404}, here)["tries"] == 1


def test_a_url_that_stays_bad_is_a_timeout_with_its_status(here, loopback):
    failed = failure({"url": f"{loopback.url}/status/500", "timeout": 0.2, "every": 0.05}, here)
    assert (failed.type, failed.message.endswith("500 Internal Server Error")) == ("Timeout", True)


def test_what_no_waiting_would_change_fails_at_once(here):
    assert failure({"url": "ftp://127.0.0.1/", "timeout": 60}, here).type == "InvalidURL"
    assert failure({"port": "99999"}, here).type == "InvalidField"
    assert failure({}, here).type == "InvalidField"
    assert failure({"run": "true"}, here, shell="/no/such/shell -c").type == "NotStarted"


def test_a_path_is_there_once_somebody_has_made_it(talking, tmp_path, log):
    seen = threading.Event()

    def make():
        seen.wait(10)
        (tmp_path / "ready").write_text("")

    maker = threading.Thread(target=make)
    maker.start()
    found = wait({"path": "ready"}, talking._replace(log=lambda line: (log.append(line), seen.set())))
    maker.join()
    assert found["tries"] > 1
    assert log[0] == "not yet: No such file or directory"
    assert len(log) == 2, "the same sight is told once"


def test_a_script_is_asked_until_it_exits_with_0(here, tmp_path):
    assert wait({"run": "echo x >> tries; test $(wc -l < tries) = 3"}, here)["tries"] == 3


def test_a_script_that_goes_on_failing_is_a_timeout_with_its_last_words(here):
    failed = failure({"run": "echo first; echo not ready >&2; exit 7", "timeout": 0.1}, here)
    assert failed.message.endswith("exit code 7: not ready")


def pids(path):
    return [int(line) for line in pathlib.Path(path).read_text().split()]


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def all_end(found):
    for _ in range(500):
        if not any(map(is_running, found)):
            return True
        time.sleep(0.01)
    return False


def test_a_script_that_does_not_end_is_ended_with_all_it_started(here, tmp_path):
    failed = failure({"run": "sleep 60 & echo $! $$ > pids; wait", "timeout": 0.5}, here)
    assert failed.message.endswith("it did not end in time")
    assert all_end(pids(tmp_path / "pids"))


def test_what_a_script_leaves_in_its_group_is_ended_with_it(here, tmp_path):
    assert wait({"run": "sleep 60 & echo $! > pids"}, here)["tries"] == 1
    assert all_end(pids(tmp_path / "pids"))


def test_an_abort_ends_the_wait_and_the_script(here, tmp_path):
    aborts = []
    os.mkfifo(tmp_path / "begun")

    def end():
        (tmp_path / "begun").read_text()
        aborts[0]()

    other = threading.Thread(target=end)
    other.start()
    failed = failure({"run": "echo $$ > pids; echo > begun; exec sleep 60"}, here, aborts=aborts)
    other.join()
    assert failed.type == "Cancelled"
    assert aborts == []
    assert all_end(pids(tmp_path / "pids"))


def test_an_abort_ends_a_request_under_way(here, loopback):
    aborts = []

    def end():
        while not loopback.asked:
            time.sleep(0.005)
        aborts[0]()

    other = threading.Thread(target=end)
    other.start()
    failed = failure({"url": f"{loopback.url}/slow/30"}, here, aborts=aborts)
    other.join()
    assert failed.type == "Cancelled"


def test_the_limit_of_the_attempt_counts_too(here):
    assert "after 0.03 s" in failure({"path": "gone", "timeout": 60}, here, timeout=0.03).message
