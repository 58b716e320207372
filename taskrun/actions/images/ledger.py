"""The directory of one attempt: what it is about to change, what it has put there, and whether it is undone.

    images/TASK/ROUND.ATTEMPT/
        manifest.json    durable before the first change: every change, with its before-image
        facts.json       what has been put in place, durable before it is put there
        undone           all is as it was; nothing else is left in the directory
        b0, b1, ...      bytes of images
        trash-N          what was taken away, kept whole

An attempt that is repeated after a crash finds its manifest and goes on from there: the image of the first doing is
never taken again. Without a manifest nothing was changed.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from taskrun.actions.images.content import CREATE, write_all
from taskrun.actions.images.places import sync_folder
from taskrun.errors import ActionError

MANIFEST, FACTS, UNDONE = "manifest.json", "facts.json", "undone"


class Ledger:
    def __init__(self, folder: str, *, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        self._facts: dict[str, Any] | None = None
        self._blobs = 0

    # ------------------------------------------------------------------ where it stands

    @property
    def is_prepared(self) -> bool:
        return os.path.lexists(self.path(MANIFEST))

    @property
    def is_undone(self) -> bool:
        return os.path.lexists(self.path(UNDONE))

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}"

    # ------------------------------------------------------------------ before the first change

    @contextmanager
    def begun(self) -> Iterator[None]:
        """What is kept in here is taken away again if it cannot all be kept."""
        self.begin()
        try:
            yield
        except BaseException:
            self.clear()
            raise

    def begin(self) -> None:
        """An empty directory. What an earlier beginning left is worth nothing: it had changed nothing."""
        holder = os.path.dirname(self.folder)
        for each in (os.path.dirname(holder), holder):
            self._make(each)
        if os.path.lexists(self.folder):
            _clear(self.folder, kept=())
        else:
            os.mkdir(self.folder, 0o700)
            self._sync(holder)

    def new_blob(self) -> tuple[str, int]:
        """The name and an open descriptor of a file for bytes."""
        name = f"b{self._blobs}"
        self._blobs += 1
        return name, os.open(self.path(name), CREATE, 0o600)

    def prepared(self, manifest: Mapping[str, Any]) -> None:
        """The marker that all images are complete; from here on the world may be changed."""
        self._write(MANIFEST, manifest)

    def manifest(self) -> dict[str, Any]:
        return self._read(MANIFEST)

    # ------------------------------------------------------------------ while changing

    def facts(self, key: str) -> dict[str, Any] | None:
        """What was noted of a change; None before it was."""
        if self._facts is None:
            self._facts = self._read(FACTS) if os.path.lexists(self.path(FACTS)) else {}
        found: dict[str, Any] | None = self._facts.get(key)
        return found

    def note(self, key: str, facts: Mapping[str, Any]) -> None:
        """Durable before whatever follows."""
        self.facts(key)
        assert self._facts is not None
        self._facts[key] = dict(facts)
        self._write(FACTS, self._facts)

    def sync(self) -> None:
        """What was moved into the ledger is to last."""
        self._sync(self.folder)

    # ------------------------------------------------------------------ when it is undone

    def finish(self) -> None:
        """All is as it was. The images are not needed any more."""
        self._write(UNDONE, {})
        self.clear()

    def clear(self) -> None:
        """Take away what is not needed any more, or never got complete: nothing was changed then."""
        if os.path.isdir(self.folder):
            _clear(self.folder, kept=(UNDONE,))

    # ------------------------------------------------------------------ files

    def _write(self, name: str, value: Any) -> None:
        import json  # noqa: PLC0415 - only for tasks that keep images

        temporary = self.path(f"{name}.new")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            write_all(fd, json.dumps(value).encode())
            if self.durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(temporary, self.path(name))
        self._sync(self.folder)

    def _read(self, name: str) -> dict[str, Any]:
        import json  # noqa: PLC0415 - only for tasks that keep images

        path = self.path(name)
        try:
            with open(path, "rb") as file:
                found: dict[str, Any] = json.load(file)
        except ValueError as error:
            raise ActionError("DamagedImage", f"{path} is damaged: {error}") from error
        return found

    def _make(self, folder: str) -> None:
        if not os.path.isdir(folder):
            with suppress(FileExistsError):  # another task was faster
                os.mkdir(folder, 0o700)
            self._sync(os.path.dirname(folder))

    def _sync(self, folder: str) -> None:
        if self.durable:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                sync_folder(fd, durable=True)
            finally:
                os.close(fd)


def _clear(folder: str, kept: Sequence[str]) -> None:
    from taskrun.actions.images.walk import remove  # noqa: PLC0415 - most ledgers are never cleared

    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in os.listdir(fd):
            if name not in kept:
                remove(fd, name)
    finally:
        os.close(fd)
