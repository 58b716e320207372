"""The same promises on a layered file system, as containers have it: what is touched first moves into another layer."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.command import ROOT

# Hard links in a lower layer come apart when one of them is touched, whoever touches it.
CODE = """
import os, shutil, subprocess, sys
sys.path.insert(0, sys.argv[1])
base = sys.argv[2]
from tests.actions.killing import in_a_fork
from tests.actions.test_undoing import CASES, Stage
from tests.actions.worlds import build
Stage.reset = lambda self: os.makedirs(self.run_dir, exist_ok=True)


def layered(name):
    subprocess.run(["umount", "-q", base + "/m"])
    for folder in ("lower/world", "upper", "work", "m"):
        shutil.rmtree(f"{base}/{folder}", ignore_errors=True)
        os.makedirs(f"{base}/{folder}")
    build(base + "/lower/world")
    for twin in ("second", "tree/inner/twin"):
        os.unlink(f"{base}/lower/world/{twin}")
    options = f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work"
    if subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, base + "/m"]).returncode:
        sys.exit(77)
    return Stage(base + "/m", *CASES[name])


for name in CASES:
    stage = layered(name)
    before = stage.picture()
    stage.do()
    stage.revert()
    assert stage.picture() == before, name
for name in ("delete_tree", "move_tree"):
    calls = in_a_fork(layered(name).do)
    for number in range(1, len(calls) + 1, 3):
        stage = layered(name)
        before = stage.picture()
        in_a_fork(stage.do, number)
        if number % 2:
            in_a_fork(stage.revert, number)
        stage.revert()
        assert stage.picture() == before, (name, number, calls[number - 1])
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root mounts file systems")
def test_files_of_a_lower_layer_are_put_back(tmp_path):
    argv = ["unshare", "--mount", sys.executable, "-c", CODE, str(ROOT), str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("file systems may not be mounted here")
    assert done.returncode == 0, done.stderr
