"""``python -m taskrun`` and the installed command."""

import gc
import os
import sys

# What is loaded now stays until the end: to look through it for garbage again and again costs 8 ms.
gc.disable()

from taskrun.cli.main import main as command  # noqa: E402 - see above


def main() -> int:
    """The exit code. It is returned only where the process cannot simply end: to take apart what was loaded takes 6 ms."""
    code = command()
    if _nothing_is_left():
        os._exit(code)
    return code


def _nothing_is_left() -> bool:
    """Whether nobody has anything to do any more; what was registered to be done at the end is done then."""
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return False
    atexit = sys.modules.get("atexit")
    if atexit is not None:
        atexit._run_exitfuncs()  # noqa: SLF001 - in this order Python does it as well
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False  # Python says so in its own words
    return True


if __name__ == "__main__":
    sys.exit(main())
