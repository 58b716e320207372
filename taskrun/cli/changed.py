"""A workflow file that has changed since its run was started: told, refused, or taken for the run from here on."""

import os
from typing import TYPE_CHECKING, Any

from taskrun.cli.found import open_journal
from taskrun.errors import RefusedError
from taskrun.journal.base import RunRow
from taskrun.journal.home import home, run_dir

if TYPE_CHECKING:
    from taskrun.app.base import Current


def refuse_changed(row: RunRow) -> None:
    """A run goes on with what it was started with; somebody who edited the file should know."""
    data = _read(row.file) if row.file else None
    if data is None:
        return
    lines = []
    if _hash(data) != row.sha256:
        lines = _difference(row, data)
    lines += [f"{path}, which it includes, has changed" for path in _changed_includes(row)]
    if lines:
        raise RefusedError(
            "\n".join([f"{row.file} has changed since run {row.id} was started:", *lines]),
            hint=f"taskrun resume {row.id} --use-original goes on with it as it was;"
            " --use-current as it is now, if all that is done is the same in it",
        )


def current_of(row: RunRow) -> "Current | None":
    """The file as it is now; None if it is what the run goes on with anyhow."""
    from taskrun.app.base import Current  # noqa: PLC0415 - seldom asked for
    from taskrun.cli.workflows import load_definition  # noqa: PLC0415

    before = _definition(row)
    folder = os.path.dirname(row.file)
    outside = any(not path.startswith(f"{folder}/") for path in before.get("includes", ()))
    definition, text = load_definition(row.file, allow_outside=outside)
    if definition["sha256"] == row.sha256 and definition.get("includes") == before.get("includes"):
        return None
    return Current(definition, text)


def _difference(row: RunRow, data: bytes) -> list[str]:
    import difflib  # noqa: PLC0415 - seldom needed

    return list(
        difflib.unified_diff(
            _frozen(row).splitlines(),
            data.decode("utf-8", "replace").splitlines(),
            "as the run was started",
            row.file,
            lineterm="",
        )
    )


def _frozen(row: RunRow) -> str:
    directory = run_dir(home(), row.id)
    for name in (f"workflow-{row.sha256[:16]}.yaml", "workflow.yaml"):
        data = _read(f"{directory}/{name}")
        if data is not None:
            return data.decode("utf-8", "replace")
    return ""


def _changed_includes(row: RunRow) -> list[str]:
    found = []
    for path, digest in _definition(row).get("includes", {}).items():
        data = _read(path)
        if data is not None and _hash(data) != digest:
            found.append(path)
    return found


def _definition(row: RunRow) -> dict[str, Any]:
    journal = open_journal()
    try:
        return journal.definition(row.id)
    finally:
        journal.close()


def _hash(data: bytes) -> str:
    from hashlib import sha256  # noqa: PLC0415 - only here

    return sha256(data).hexdigest()


def _read(path: str) -> bytes | None:
    """None if it is gone: then nobody has changed it."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None
