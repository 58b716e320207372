"""The journal's twin in memory: same behaviour, nothing on disk. For simulations, tests and dry runs."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from taskrun.digest import sha256_hex
from taskrun.errors import JournalError
from taskrun.journal import chain
from taskrun.journal.base import Continuation, Damage, Entry, Request, Revision, RunRow, refuse_format
from taskrun.journal.codec import decode, encode_any
from taskrun.journal.ids import is_run_id
from taskrun.journal.lookup import SHOWN, choose, not_found


class _Run:
    """What the tables hold about one run; text as it would be stored, so that nothing is shared."""

    __slots__ = (
        "continuations",
        "definition",
        "entries",
        "first",
        "head",
        "requests",
        "revised",
        "seal",
        "values",
    )

    def __init__(self, row: RunRow, definition: str) -> None:
        self.values = chain.run_values(row, "")
        self.seal = chain.seal(self.values)
        self.first = chain.Tail(0, self.seal)
        self.head = chain.first_head(row, self.seal)
        self.definition = definition
        self.entries: list[chain.StoredEntry] = []
        self.requests: list[tuple[int, tuple[Any, ...]]] = []
        self.revised: chain.Revised | None = None
        self.continuations: list[tuple[int, int, float, str]] = []  # (epoch, seq, time, verb)

    @property
    def row(self) -> RunRow:
        return chain.to_run(self.values, self.seal, self.head, self.revised)


class Store:
    """What several MemoryJournals share, as connections share a database."""

    def __init__(self) -> None:
        self.runs: dict[str, _Run] = {}
        self.commits = 0
        self.requests = 0


class MemoryJournal:
    """Implements ``base.Journal``."""

    low_on_space = False

    def __init__(self, store: Store | None = None) -> None:
        self.store = Store() if store is None else store
        self._own_commits = 0
        self._closed = False

    def close(self) -> None:
        self._closed = True

    def create_run(
        self, row: RunRow, definition: bytes | Mapping[str, Any], entries: Sequence[Entry] = ()
    ) -> None:
        if row.id in self._runs():
            raise JournalError(f"there is a run {row.id} already")
        run = _Run(row, definition.decode() if isinstance(definition, bytes) else encode_any(definition))
        run.entries = chain.link(entries, run.first)
        run.head = chain.next_head(run.head, chain.tail(run.entries, run.first))
        self.store.runs[row.id] = run
        self._commit()

    def append(
        self,
        run_id: str,
        entries: Sequence[Entry],
        *,
        epoch: int,
        state: str | None = None,
        exit_code: int | None = None,
        ended: float | None = None,
    ) -> None:
        run = self._run(run_id)
        chain.refuse_stale(run_id, run.head, epoch)
        before = chain.tail(run.entries, run.first)
        run.entries += chain.link(entries, before)
        run.head = chain.next_head(run.head, chain.tail(run.entries, before), (state, exit_code, ended))
        self._commit()

    def take_over(self, run_id: str, *, pid: int, host: str, boot_id: str, verb: str = "resume") -> int:
        refuse_format(self.run(run_id))
        run = self._run(run_id)
        run.head = run.head._replace(epoch=run.head.epoch + 1, pid=pid, host=host, boot_id=boot_id)
        run.continuations.append((run.head.epoch, len(run.entries), time.time(), verb))
        self._commit()
        return run.head.epoch

    def continuations(self, run_ids: Collection[str]) -> list[Continuation]:
        return [each for run_id in run_ids if run_id in self._runs() for each in self._continuations(run_id)]

    def _continuations(self, run_id: str) -> list[Continuation]:
        made, entries = self._run(run_id).continuations, self.entries(run_id)
        ends = [each[1] for each in made[1:]] + [len(entries)]
        found = []
        for (epoch, _, at, verb), end in zip(made, ends, strict=False):
            states = [entry.state for entry in entries[:end] if entry.kind == "flow" and entry.state]
            found.append(Continuation(run_id, epoch, at, verb, states[-1] if states else "PENDING"))
        return found

    def revise(self, run_id: str, revision: Revision, entry: Entry, *, epoch: int) -> None:
        document = encode_any(revision.definition)
        digest = sha256_hex(document.encode())
        self.append(run_id, [chain.revision_entry(entry, digest)], epoch=epoch)
        run = self._run(run_id)
        run.definition = document
        run.revised = chain.Revised(entry.seq, revision.sha256, encode_any(revision.inputs), digest)

    def runs(self, limit: int | None = None, *, states: Collection[str] = ()) -> list[RunRow]:
        chosen = [run for run in reversed(self._runs().values()) if not states or run.head.state in states]
        return [run.row for run in chosen[:limit]]

    def run(self, run_id: str) -> RunRow:
        return self._run(run_id).row

    def find(self, given: str) -> RunRow:
        wanted = given.strip().lower()
        ids = sorted(self._runs()) if is_run_id(wanted) else []
        matches = [run_id for run_id in ids if run_id.startswith(wanted)]
        return self.run(choose(wanted, matches[: SHOWN + 1], self._recent()))

    def definition(self, run_id: str) -> dict[str, Any]:
        definition: dict[str, Any] = decode(self._run(run_id).definition)
        return definition

    def entries(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Entry]:
        rows = self._run(run_id).entries[after:]
        return chain.to_entries(rows if limit is None else rows[:limit])

    def change_counter(self) -> int:
        self._runs()
        return self.store.commits - self._own_commits

    def request(self, run_id: str, verb: str, args: Mapping[str, Any]) -> int:
        run = self._run(run_id)
        self.store.requests += 1
        run.requests.append(
            (self.store.requests, chain.request_values(0, time.time(), verb, encode_any(args)))
        )
        self._commit()
        return self.store.requests

    def requests(self, run_id: str, after: int = 0) -> list[Request]:
        return [chain.to_request(number, it) for number, it in self._run(run_id).requests if number > after]

    def delete_run(self, run_id: str) -> None:
        self._run(run_id)
        del self.store.runs[run_id]
        self._commit()

    def verify(self, run_id: str) -> Damage | None:
        run = self._run(run_id)
        return chain.damage(run_id, chain.first_damage(run.entries, run.first, run.head, whole=True))

    def _commit(self) -> None:
        self.store.commits += 1
        self._own_commits += 1

    def _runs(self) -> dict[str, _Run]:
        if self._closed:
            raise JournalError("the journal in memory cannot be used: it is closed")
        return self.store.runs

    def _run(self, run_id: str) -> _Run:
        run = self._runs().get(run_id)
        if run is None:
            raise not_found(run_id, self._recent())
        return run

    def _recent(self) -> list[str]:
        return list(reversed(self.store.runs))
