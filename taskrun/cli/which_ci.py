"""Where it runs: in which CI, if in any."""

import os
from collections.abc import Mapping


def which_ci(chosen: str, environ: Mapping[str, str] = os.environ) -> str:
    """``github``, ``gitlab`` or ``none``."""
    if chosen == "auto":
        chosen = environ.get("TASKRUN_CI") or "auto"
    if chosen != "auto":
        return chosen
    if "TASKRUN_RUN_ID" in environ:
        return "none"  # a run inside of a task: the step is that of the outer one
    if environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "gitlab" if environ.get("GITLAB_CI") == "true" else "none"
