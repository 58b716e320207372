"""Loads a workflow file: bytes to values with marks, every mistake a diagnostic, nothing else ever raised.

load         path to bytes (reading), then load_text
load_text    bytes to text (characters), text to events (libyaml), events to values (builder, guard, merge);
             what the parser refuses is put into words by syntax
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import yaml

from taskrun.digest import sha256_hex
from taskrun.spec.diagnostics import Diagnostic, in_order
from taskrun.spec.loading.builder import Builder
from taskrun.spec.loading.characters import decode, refuse_unseen
from taskrun.spec.loading.findings import Findings
from taskrun.spec.loading.parser import events
from taskrun.spec.loading.positions import source_mark
from taskrun.spec.loading.reading import check_size, read_bytes
from taskrun.spec.marks import Map, Mark, Seq, mark_at, to_json
from taskrun.spec.scalars import Plain

__all__ = [
    "Loaded",
    "Map",
    "Mark",
    "Plain",
    "Seq",
    "collector_paused",
    "examine",
    "load",
    "load_text",
    "mark_at",
    "source_mark",
    "to_json",
]

# Mistakes that leave every value what its author can only have meant: the rest of the file can be checked as well.
MENDED = frozenset(("TR107", "TR108", "TR109", "TR130", "TR132", "TR143"))


class Loaded(NamedTuple):
    """A loaded file. ``text`` is what all positions point into, ``sha256`` that of the bytes as read."""

    root: Any  # Map, Seq, str or Plain
    text: str
    sha256: str
    path: str
    diagnostics: list[Diagnostic]


def load(path: str | os.PathLike[str]) -> Loaded:
    """Load a file, or raise ``InvalidWorkflowError`` with all its mistakes; ``diagnostics`` are warnings."""
    name = os.fspath(path)
    return load_text(read_bytes(name, Findings(name)), name)


def load_text(data: bytes, path: str) -> Loaded:
    """Load what a file called ``path`` holds; see ``load``."""
    findings, loaded = _load(data, path)
    if findings.errors:
        raise findings.as_error()
    return loaded


def examine(data: bytes, path: str) -> Loaded:
    """Load as ``load_text`` does, but with the errors in ``diagnostics`` where the values are sound in spite of them.

    For who goes on to check the values and then raises all mistakes of the file at once.
    """
    findings, loaded = _load(data, path)
    if any(error.id not in MENDED for error in findings.errors):
        raise findings.as_error()
    return loaded


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: it would look through a million young values and find nothing to free."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load(data: bytes, path: str) -> tuple[Findings, Loaded]:
    findings = Findings(path)
    check_size(data, findings)
    findings.text = text = decode(data, findings)
    with collector_paused():
        root = _parse(refuse_unseen(data, text, findings), findings)
    found = in_order(findings.errors + findings.warnings)
    return findings, Loaded(root, text, sha256_hex(data), path, found)


def _parse(text: str, findings: Findings) -> Any:
    try:
        return Builder(findings).build(events(text, findings))
    except yaml.YAMLError as error:
        from taskrun.spec.loading.syntax import report_syntax  # noqa: PLC0415 - only what cannot be read

        report_syntax(error, findings)
