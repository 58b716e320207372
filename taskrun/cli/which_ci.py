"""Where it runs: in which CI, if in any."""

import os
from collections.abc import Mapping


def which_ci(chosen: str, environ: Mapping[str, str] = os.environ) -> str:
    """``github``, ``gitlab`` or ``none``."""
    if chosen == "auto":
        chosen = environ.get("TASKRUN_CI") or "auto"
    if chosen != "auto":
        return chosen
    if environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "gitlab" if environ.get("GITLAB_CI") == "true" else "none"
