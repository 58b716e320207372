"""The linear scene as a DBOS workflow with SQLite: every deed a step, and its undo a step of the handler."""

import os
import subprocess
import sys

from dbos import DBOS, SetWorkflowID

EFFECT, FAIL = os.environ["CRASH_EFFECT"], os.environ["CRASH_FAIL"]


@DBOS.step()
def call(verb: str, name: str, *more: str) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("LD_PRELOAD", "TASKRUN_"))}
    subprocess.run([EFFECT, verb, name, *more], check=True, env=env)


@DBOS.workflow()
def linear() -> str:
    begun: list[str] = []
    try:
        for name in ("a", "b", "c"):
            begun.append(name)
            call("do", name, *(("fail=9",) if name == "c" and FAIL == "yes" else ()))
    except Exception:
        for name in reversed(begun):
            call("undo", name)
        return "undone"
    return "done"


def main() -> int:
    DBOS(
        config={
            "name": "linear",
            "system_database_url": f"sqlite:///{sys.argv[1]}/dbos.sqlite",
            "run_admin_server": False,
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    with SetWorkflowID("one"):
        handle = DBOS.start_workflow(linear)
    ended = handle.get_result()
    DBOS.destroy()
    return 0 if ended == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
