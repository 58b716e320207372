"""The kernel's view: the calls that the kill tests count are all there are, and a kill at any of them can be undone."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.actions.killing import in_a_fork
from tests.actions.test_undoing import CASES, Stage
from tests.command import ROOT

STRACE = shutil.which("strace")
CHANGING = (
    "rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,link,linkat,mknod,mknodat,"
    "chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,utimensat,setxattr,lsetxattr,fsetxattr,removexattr,"
    "lremovexattr,fremovexattr,fsync,fdatasync,truncate,ftruncate,write,pwrite64,writev,copy_file_range,sendfile"
)
CODE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from tests.actions.test_undoing import CASES, Stage
import hashlib, json, taskrun.actions.copy, taskrun.actions.delete, taskrun.actions.file
stage = object.__new__(Stage)
Stage.reset = lambda self: None
stage.__init__(sys.argv[2], *CASES[sys.argv[3]])
os.access("/begin", 0)
stage.do()
os.access("/end", 0)
"""

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not there")


def traced(folder, name, *options):
    argv = [STRACE, "-f", "-qq", *options, sys.executable, "-c", CODE, str(ROOT), str(folder), name]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(argv, capture_output=True, text=True, env=env, timeout=60)


@pytest.fixture(scope="module", autouse=True)
def may_trace():
    if subprocess.run([STRACE, "-qq", "true"], capture_output=True).returncode:
        pytest.skip("processes may not be traced here")


@pytest.mark.parametrize("name", ["file_replaced_with_mode", "copy_tree", "move_file_over", "delete_tree"])
def test_the_kill_tests_count_every_call_that_changes_something(name, tmp_path):
    stage = Stage(tmp_path, *CASES[name])
    counted = len(in_a_fork(stage.do))
    stage.reset()
    out = tmp_path / "trace"
    done = traced(
        tmp_path, name, "-o", str(out), "-e", f"trace={CHANGING},open,openat,access,faccessat,faccessat2"
    )
    assert done.returncode == 0, done.stderr
    lines = out.read_text().partition('"/begin"')[2].partition('"/end"')[0].splitlines()[1:]
    seen = [line for line in lines if re.match(rf"\d+ +(?:{CHANGING.replace(',', '|')})\(", line)]
    seen += [line for line in lines if re.match(r"\d+ +open(at)?\(.*O_(?:CREAT|TRUNC)", line)]
    assert len(seen) == counted


@pytest.mark.parametrize("name", ["file_replaced"])
def test_an_action_killed_by_the_kernel_at_any_call_can_be_undone(name, tmp_path):
    """One kind of call after another, as the enumeration counts them."""
    killed = 0
    for call in (
        "write",
        "fsync",
        "rename",
        "renameat",
        "renameat2",
        "mkdir",
        "fchmod",
        "utimensat",
        "copy_file_range",
    ):
        for number in range(1, 40):
            stage = Stage(tmp_path, *CASES[name])
            before = stage.picture()
            done = traced(
                tmp_path, name, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"
            )
            if done.returncode >= 0:
                break
            killed += 1
            stage.revert()
            assert stage.picture() == before, f"killed at {call} {number}"
    assert killed > 10
