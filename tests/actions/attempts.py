"""Attempts as a driver makes them: contexts, and real processes whose output goes to files."""

import os
import subprocess

from taskrun.actions.base import Context


def context(folder, **changes):
    folder = str(folder)
    values = {
        "run_id": "r1",
        "task": "build",
        "attempt": 1,
        "workdir": folder,
        "run_dir": folder,
        "env": {"PATH": os.environ["PATH"], "TASKRUN_OUTPUT": os.path.join(folder, "build.1.output")},
        "cwd": folder,
        "shell": "/bin/sh",
        "idempotency_key": "r1/build/1",
        "reverting": False,
        "timeout": None,
    }
    return Context(**values | changes)


def carry_out(action, fields, where, *, merged=False):
    """Start the action's program, wait for it, let the action judge it."""
    spec = action.command(fields, where)
    out, err = os.path.join(where.run_dir, "out"), os.path.join(where.run_dir, "err")
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        done = subprocess.run(
            spec.argv,
            env=spec.env,
            cwd=spec.cwd,
            input=spec.stdin or b"",
            stdout=stdout,
            stderr=subprocess.STDOUT if merged else stderr,
            timeout=30,
        )
    return action.finish(fields, where, done.returncode, out, None if merged else err)
