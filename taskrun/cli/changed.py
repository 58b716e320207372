"""A workflow file that has changed since its run was started: told, refused, or taken for the run from here on."""

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from taskrun.cli.found import open_journal
from taskrun.errors import RefusedError
from taskrun.journal.base import RunRow
from taskrun.journal.home import home, run_dir

if TYPE_CHECKING:
    from taskrun.app.base import Current


class Changes(NamedTuple):
    """``digest`` tells one state of the files from another."""

    lines: list[str]
    digest: str


def changes(row: RunRow, *, most: int | None = None) -> Changes | None:
    """What has changed in the file, and what it includes; None if nothing has. ``most``: bytes worth comparing."""
    data = _read(row.file) if row.file else None
    if data is None:
        return None
    lines = []
    if (digest := _hash(data)) != row.sha256:
        is_large = most is not None and len(data) > most
        lines = [f"{row.file} is too large to be compared here"] if is_large else _difference(row, data)
    included = _changed_includes(row)
    lines += [f"{path}, which it includes, has changed" for path in included]
    return Changes(lines, _hash(" ".join([digest, *included.values()]).encode())) if lines else None


def refuse_changed(row: RunRow) -> None:
    """A run goes on with what it was started with; somebody who edited the file should know."""
    found = changes(row)
    if found is not None:
        raise RefusedError(
            "\n".join([f"{row.file} has changed since run {row.id} was started:", *found.lines]),
            hint=f"taskrun resume {row.id} --use-original goes on with it as it was;"
            " --use-current as it is now, if all that is done is the same in it",
        )


def current_of(row: RunRow, *, quiet: bool = False) -> "Current | None":
    """The file as it is now; None if it is what the run goes on with anyhow."""
    from taskrun.app.base import Current  # noqa: PLC0415 - seldom asked for
    from taskrun.cli.workflows import load_definition  # noqa: PLC0415

    before = _definition(row)
    folder = os.path.dirname(row.file)
    outside = any(not path.startswith(f"{folder}/") for path in before.get("includes", ()))
    definition, text = load_definition(row.file, allow_outside=outside, quiet=quiet)
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


def _changed_includes(row: RunRow) -> dict[str, str]:
    """Their digests now, by path."""
    found = {}
    for path, digest in _definition(row).get("includes", {}).items():
        data = _read(path)
        if data is not None and (now := _hash(data)) != digest:
            found[path] = now
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
