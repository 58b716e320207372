"""The action ``ledger``: a line in a file, written once however often it is tried; the undo takes it out again.

ledger: {path: ledger.txt, line: "paid ${{ inputs.amount }}"}
revert: {ledger: {path: ledger.txt, line: "paid ${{ inputs.amount }}", remove: true}}
"""

import os
from collections.abc import Mapping
from typing import Any

from taskrun.actions.base import Context, Result
from taskrun.errors import ActionError

KIND = "ledger"
MODE = "inline"
MAIN = "line"
WRITES = True
AUTO = False
EFFECT_FREE = False
IDEMPOTENT = True  # a line carries the key of its attempt, so a repetition finds it
EXPRESSIONS: frozenset[str] = frozenset()
SCRIPTS: frozenset[str] = frozenset()
FIELDS = {
    "line": "What to write.",
    "path": "The file, relative to the workflow file. Default: ledger.txt.",
    "remove": "True: take the line out again.",
}


def do(fields: Mapping[str, Any], context: Context) -> Result:
    line = str(fields.get("line") or "")
    if not line or "\n" in line:
        raise ActionError("InvalidField", "ledger needs a line, and only one")
    path = os.path.join(context.workdir, str(fields.get("path") or "ledger.txt"))
    key = context.idempotency_key.removesuffix("/revert")
    lines = _read(path)
    mine = f"{key}\t{line}\n"
    wanted = [each for each in lines if each != mine]
    if not fields.get("remove"):
        wanted.append(mine)
    changed = wanted != lines and not (not fields.get("remove") and mine in lines)
    if changed:
        _replace(path, wanted)
    context.log(f"{'took out' if fields.get('remove') else 'wrote'}: {line}")
    return Result({"lines": len(wanted), "changed": changed})


def _read(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readlines()
    except FileNotFoundError:
        return []


def _replace(path: str, lines: list[str]) -> None:
    """All of it or nothing; a ledger without a line is no file."""
    if not lines:
        os.unlink(path)
        return
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.writelines(lines)
    os.replace(f"{path}.new", path)
