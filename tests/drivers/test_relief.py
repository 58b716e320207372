"""A supervisor that takes the place of a dead one is forked from a taskrun with threads: it must not wait for any of them."""

import subprocess
import sys
from pathlib import Path

from tests.command import ROOT

LOADING = """
import importlib.abc, os, select, sys, threading
from taskrun.drivers.relief import Relief
from taskrun.executors.protocol import Spawn

begun, go_on = threading.Event(), threading.Event()

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[2]:
            begun.set()
            go_on.wait(30)

sys.meta_path.insert(0, Slow())
sys.modules.pop(sys.argv[2], None)
thread = threading.Thread(target=__import__, args=(sys.argv[2],))
thread.start()
begun.wait(30)
threading.Timer(3, go_on.set).start()  # long after a fork that waits for nobody
_, supervisor = Relief(sys.argv[1]).take_over([])
supervisor.spawn(Spawn("a/1", ["true"], {}, "/", None, sys.argv[1] + "/out", None, None, 1.0, inherit=True))
supervisor.flush()
ready = select.select([supervisor.fileno()], [], [], 20)[0]
print([ended.status for ended in supervisor.receive()] if ready else "nothing is heard of it")
thread.join()
if ready:
    supervisor.close(wait=True)
else:
    os.kill(supervisor.pid, 9)
"""


def test_a_module_that_a_thread_is_loading_does_not_keep_the_next_supervisor_waiting(tmp_path: Path) -> None:
    (tmp_path / "attempts.log").touch(0o600)
    for module in ("taskrun.executors.ending", "ctypes"):
        done = subprocess.run(
            [sys.executable, "-c", LOADING, str(tmp_path), module],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert (done.stdout, done.stderr) == ("['exited']\n", "")
