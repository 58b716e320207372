"""Where state is kept."""

import os
import stat
import sys

import platformdirs
import pytest

from taskrun.errors import UsageError
from taskrun.journal import home as homes
from tests.journal.samples import run_python

PRINT_HOME = (
    "import sys; from taskrun.journal.home import home; print(home()); print('platformdirs' in sys.modules)"
)


def test_the_variable_decides_without_platformdirs(tmp_path):
    code, out, _ = run_python(PRINT_HOME, env={"TASKRUN_HOME": str(tmp_path / "mine")})
    assert out.split() == [str(tmp_path / "mine"), "False"]


def test_without_the_variable_it_is_the_platforms_place_for_state(tmp_path):
    environment = {"TASKRUN_HOME": "", "XDG_STATE_HOME": str(tmp_path / "state")}
    _, out, err = run_python(PRINT_HOME, env=environment)
    assert out.split() == [str(tmp_path / "state/taskrun"), str(sys.platform != "linux")], err


@pytest.mark.parametrize("state", [None, "", " ", "/var/state", "relative"])
def test_it_is_where_platformdirs_would_have_it(state, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TASKRUN_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if state is not None:
        monkeypatch.setenv("XDG_STATE_HOME", state)
    assert homes.home() == platformdirs.user_state_dir("taskrun")


def test_a_relative_home_is_of_the_directory_at_the_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TASKRUN_HOME", "here")
    found = homes.home()
    assert found == str(tmp_path / "here")
    homes.make_home("here")
    assert os.path.isdir(found)


def test_a_tilde_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TASKRUN_HOME", "~/runs")
    assert homes.home() == str(tmp_path / "runs")


def test_a_run_directory_is_private_and_made_once(home):
    homes.make_home(home)
    path = homes.make_run_dir(home, "1m86aztpg98z8")
    assert path == homes.make_run_dir(home, "1m86aztpg98z8") == f"{home}/runs/1m86aztpg98z8"
    assert {stat.S_IMODE(os.stat(each).st_mode) for each in (home, f"{home}/runs", path)} == {0o700}


def test_a_run_directory_that_cannot_be_made_is_named(home):
    homes.make_home(home)
    with open(f"{home}/runs", "w"):
        pass
    with pytest.raises(UsageError, match=f"{home}/runs/abc"):
        homes.make_run_dir(home, "abc")


@pytest.mark.parametrize("run_id", ["", "..", "a/b", "A", "a\0", "a\n", "é", "a b", "-rf", "\udce9"])
def test_what_is_no_id_never_becomes_a_path(run_id):
    with pytest.raises(UsageError, match="not a run id"):
        homes.run_dir("/state", run_id)


def test_a_local_directory_is_not_on_a_network(tmp_path):
    assert homes.network_filesystem(str(tmp_path)) is None
    assert homes.network_filesystem("/proc") is None


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
90 22 0:50 / /home rw - nfs4 server:/home rw,vers=4.2
91 90 0:51 / /home/me/my\\040disk rw master:5 - xfs /dev/sdb1 rw
92 22 0:52 / /home2 rw - fuse.sshfs me@there: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", None),
        ("/home", "nfs4"),
        ("/home/me/.local/state", "nfs4"),
        ("/home/me/my disk/state", None),
        ("/homes", None),
        ("/home2/x", "fuse.sshfs"),
    ],
)
def test_the_deepest_mount_above_a_path_decides(path, kind):
    assert homes.network_mount(path, MOUNTS.splitlines()) == kind
