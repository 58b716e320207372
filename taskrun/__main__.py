"""``python -m taskrun`` and the installed command."""

import sys

from taskrun.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
