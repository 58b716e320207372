"""What a definition needs to be run: names for its expressions, its secrets, processes."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from taskrun import debugging
from taskrun.errors import (
    TaskrunError,
)
from taskrun.journal.codec import timestamp

if TYPE_CHECKING:
    from taskrun.drivers.masking import Masker
    from taskrun.drivers.secrets import Secrets

PROCESS_KINDS = frozenset({"run", "exec", "python"})


def needs_processes(definition: Mapping[str, Any]) -> bool:
    """Is there anything a supervisor would have to start?"""
    for task in definition["tasks"]:
        for part in (task, *(task[p] for p in ("revert", "check", "verify", "probe") if p in task)):
            if part.get("kind") in PROCESS_KINDS:
                return True
    others = [rule["action"] for rule in definition.get("notify", ())]
    others += definition.get("verify_revert", ())
    return any(spec["kind"] in PROCESS_KINDS for spec in others)


def secrets_of(definition: Mapping[str, Any]) -> "Secrets | None":
    """What the workflow declares, read as far as that needs nothing run. UsageError says what is missing."""
    if not definition.get("secrets"):
        return None
    from taskrun.drivers.secrets import Secrets  # noqa: PLC0415 - few workflows have any

    secrets = Secrets(definition, os.environ)
    debugging.masks.append(secrets.masker.text)
    secrets.prepare()
    return secrets


def masker_of(definition: Mapping[str, Any]) -> tuple["Masker | None", list[str]]:
    """For those who only look at a run: a masker, and the names of the secrets that it cannot know here."""
    if not definition.get("secrets"):
        return None, []
    from taskrun.drivers.secrets import Secrets  # noqa: PLC0415 - few workflows have any

    secrets = Secrets(definition, os.environ)
    return secrets.masker, secrets.read_what_is_there()


def shared_names(
    definition: Mapping[str, Any],
    inputs: Mapping[str, Any],
    run_id: str,
    started: float,
    secrets: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The names every expression of the run may use."""
    run = {
        "id": run_id,
        "name": definition["name"],
        "started_at": timestamp(started),
        "user": os.environ.get("USER") or os.environ.get("LOGNAME") or str(os.getuid()),
    }
    return {"inputs": dict(inputs), "run": run, "env": dict(os.environ), "secrets": secrets or {}}


@contextmanager
def explained(kind: type[TaskrunError], what: str, hint: str) -> Iterator[None]:
    """A disk that takes nothing, or a system without room for another process, is no bug."""
    try:
        yield
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise kind(f"{what}: {where}{error.strerror or error}", hint=hint) from error
