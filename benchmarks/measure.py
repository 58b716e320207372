"""Times whole commands, alternating, and gives medians: ratios travel, absolute figures do not."""

import os
import resource
import statistics
import subprocess
import time
from typing import NamedTuple


class Sample(NamedTuple):
    wall: float
    cpu: float
    memory: float  # MB, the largest process


def once(argv, cwd=None, env=None):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with subprocess.Popen(
        argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return process.returncode, Sample(wall, cpu, usage.ru_maxrss / 1024)


def alternate(commands, rounds):
    """``commands``: name -> (argv, cwd, env, prepare). Each round runs all of them once, in turn; medians by name."""
    samples = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (argv, cwd, env, prepare) in commands.items():
            if prepare is not None:
                prepare()
            code, sample = once(argv, cwd, env)
            if code not in (0, 1):
                raise SystemExit(f"{name}: exit code {code}: {argv}")
            samples[name].append(sample)
    return {
        name: Sample(*(statistics.median(getattr(s, field) for s in found) for field in Sample._fields))
        for name, found in samples.items()
    }
