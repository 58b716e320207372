"""The journal in SQLite: one database for all runs, shared by every process of a user."""

import itertools
import os
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

from taskrun.digest import sha256_hex
from taskrun.errors import JournalCorruptError, JournalError
from taskrun.journal import chain, queries, revisions
from taskrun.journal.base import (
    Continuation,
    Damage,
    Durability,
    Entry,
    Request,
    Revision,
    RunRow,
    refuse_format,
)
from taskrun.journal.chain import Tail
from taskrun.journal.codec import encode_any, pack
from taskrun.journal.connection import Connection
from taskrun.journal.core import sqlite3
from taskrun.journal.home import check_home, database, make_home
from taskrun.journal.ids import is_run_id
from taskrun.journal.lookup import SHOWN, choose
from taskrun.journal.queries import Place

CHUNK = 10_000
NO_CHANGE = (None, None, None)


class SqliteJournal:
    """Implements ``base.Journal``. For one thread; another thread opens its own.

    Of the runs it writes to it knows the epoch, the place and the last entry. The epoch is read anew in
    every transaction, so a process whose run was taken over writes nothing.
    """

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._own: dict[str, tuple[int, Place, Tail]] = {}

    @classmethod
    def open(cls, home: str, *, readonly: bool = False, durability: Durability = "full") -> Self:
        """Open the journal of a home directory, creating both when they are missing.

        A reader of a home without a journal sees an empty one and creates nothing. ``durability`` is ``full``
        (what was recorded survives a power loss) or ``process`` (it survives kill -9; cheaper).

        Raises:
            UsageError: the directory or the file cannot be used, or others could write to it.
            JournalTooNewError: a newer version has written it; nothing was changed.
            JournalCorruptError: it is damaged, or not a journal.

        """
        if not readonly:
            make_home(home)
        elif os.path.lexists(home):
            check_home(home)
        return cls(Connection(database(home), readonly=readonly, durability=durability))

    @property
    def low_on_space(self) -> bool:
        return self._db.low_on_space

    def close(self) -> None:
        self._db.close()

    def create_run(
        self, row: RunRow, definition: bytes | Mapping[str, Any], entries: Sequence[Entry] = ()
    ) -> None:
        document = definition if isinstance(definition, bytes) else encode_any(definition).encode()
        digest = sha256_hex(document)
        values = chain.run_values(row, digest)
        run_seal = chain.seal(values)

        def work(db: sqlite3.Connection) -> None:
            if db.execute(queries.SELECT_KEY, (row.id,)).fetchone():
                raise JournalError(f"there is a run {row.id} already")
            db.execute(queries.INSERT_DEFINITION, (digest, pack(document)))
            key = db.execute(queries.INSERT_RUN, (*values, run_seal)).lastrowid
            assert key is not None, "a row was inserted"
            place = queries.place_of(key, run_seal)
            rows = chain.link(entries, place.first, place.base)
            db.executemany(queries.INSERT_ENTRY, rows)
            head = chain.next_head(chain.first_head(row, run_seal), chain.tail(rows, place.first))
            db.execute(queries.INSERT_HEAD, (*head, queries.head_seal(head, place), key))

        self._db.write(work)

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
        standing = (state, exit_code, ended)
        own = self._own.pop(run_id, None)
        if own is not None and own[0] == epoch and standing == NO_CHANGE:
            last = self._append_at_once(own, entries)
            if last is not None:
                self._own[run_id] = (epoch, own[1], last)
                return

        def work(db: sqlite3.Connection) -> tuple[int, Place, Tail]:
            if own is None or own[0] != epoch or queries.read_epoch(db, own[1]) != epoch:
                place = queries.fenced_place(db, run_id, epoch)
                before = queries.read_tail(db, run_id, place)
            else:
                _, place, before = own
            rows = chain.link(entries, before, place.base)
            db.executemany(queries.INSERT_ENTRY, rows)
            last = chain.tail(rows, before)
            if standing != NO_CHANGE:
                head = queries.read_head(db, run_id, place)
                queries.move_head(db, place, chain.next_head(head, last, standing))
            return epoch, place, last

        self._own[run_id] = self._db.write(work)

    def _append_at_once(self, own: tuple[int, Place, Tail], entries: Sequence[Entry]) -> Tail | None:
        """What nearly every commit is, in the least time; None, and nothing written, where it is not that simple."""
        epoch, place, before = own
        if not 0 < len(entries) <= queries.MOST_AT_ONCE:
            return None
        rows = chain.link(entries, before, place.base)
        values = (*itertools.chain.from_iterable(rows), place.run, epoch)
        written = self._db.write_at_once(queries.insert_at_once(len(rows)), values)
        return chain.tail(rows, before) if written == len(rows) else None

    def take_over(self, run_id: str, *, pid: int, host: str, boot_id: str, verb: str = "resume") -> int:
        def work(db: sqlite3.Connection) -> int:
            refuse_format(queries.read_run(db, run_id))
            place = queries.find_place(db, run_id)
            head = chain.next_head(queries.read_head(db, run_id, place), queries.read_tail(db, run_id, place))
            epoch = head.epoch + 1
            queries.move_head(db, place, head._replace(epoch=epoch, pid=pid, host=host, boot_id=boot_id))
            revisions.insert_continuation(db, (place.run, place.seal), epoch, head.seq, time.time(), verb)
            return epoch

        return self._db.write(work)

    def continuations(self, run_ids: Collection[str]) -> list[Continuation]:
        return self._db.snapshot(lambda db: revisions.read_continuations(db, run_ids))

    def revise(self, run_id: str, revision: Revision, entry: Entry, *, epoch: int) -> None:
        document = encode_any(revision.definition).encode()
        digest = sha256_hex(document)
        revised = chain.Revised(entry.seq, revision.sha256, encode_any(revision.inputs), digest)
        self._own.pop(run_id, None)

        def work(db: sqlite3.Connection) -> None:
            place = queries.fenced_place(db, run_id, epoch)
            rows = chain.link(
                [chain.revision_entry(entry, digest)], queries.read_tail(db, run_id, place), place.base
            )
            db.execute(queries.INSERT_DEFINITION, (digest, pack(document)))
            revisions.insert_revision(db, (place.run, place.seal), revised)
            db.executemany(queries.INSERT_ENTRY, rows)

        self._db.write(work)

    def runs(self, limit: int | None = None, *, states: Collection[str] = ()) -> list[RunRow]:
        sql = queries.select_runs(len(states))
        rows = self._db.read(sql, (*states, -1 if limit is None else limit))
        return [queries.to_run(row) for row in rows]

    def run(self, run_id: str) -> RunRow:
        return self._db.snapshot(lambda db: queries.read_run(db, run_id))

    def find(self, given: str) -> RunRow:
        def work(db: sqlite3.Connection) -> RunRow:
            wanted = given.strip().lower()
            matches = queries.with_prefix(db, wanted, SHOWN + 1) if is_run_id(wanted) else []
            return queries.read_run(db, choose(wanted, matches, queries.recent(db)))

        return self._db.snapshot(work)

    def definition(self, run_id: str) -> dict[str, Any]:
        return self._db.snapshot(lambda db: queries.read_definition(db, run_id))

    def entries(self, run_id: str, after: int = 0, limit: int | None = None) -> list[Entry]:
        rows, damage = self._stored(run_id, after, limit)
        if damage is not None:
            raise JournalCorruptError(
                damage.what, hint=f"entries before {damage.seq} are good; nothing is done on the rest's word"
            )
        return chain.to_entries(rows)

    def change_counter(self) -> int:
        return self._db.counter()

    def request(self, run_id: str, verb: str, args: Mapping[str, Any]) -> int:
        text = encode_any(args)

        def work(db: sqlite3.Connection) -> int:
            values = chain.request_values(queries.find_place(db, run_id).run, time.time(), verb, text)
            number = db.execute(queries.INSERT_REQUEST, values).lastrowid
            assert number is not None, "a row was inserted"
            return number

        return self._db.write(work)

    def requests(self, run_id: str, after: int = 0) -> list[Request]:
        def work(db: sqlite3.Connection) -> list[Any]:
            return db.execute(queries.SELECT_REQUESTS, (queries.find_place(db, run_id).run, after)).fetchall()

        return [chain.to_request(number, values) for number, *values in self._db.snapshot(work)]

    def delete_run(self, run_id: str) -> None:
        self._db.write(lambda db: queries.delete_run(db, queries.find_place(db, run_id)))

    def verify(self, run_id: str) -> Damage | None:
        """See ``base.Journal``. Reads in pieces: a long history need not fit into memory."""
        try:
            self.run(run_id)
            after, told = 0, list[tuple[int, str]]()
            while True:
                rows, damage = self._stored(run_id, after, CHUNK)
                told += chain.told_of(rows)
                if damage is not None or not rows:
                    break
                after += len(rows)
            if damage is None and told != self._revisions(run_id):
                return Damage(None, "a definition it went on with is not the one its history tells of")
            self.definition(run_id)
            self.requests(run_id)
            self.continuations([run_id])
            found = self.check()
        except JournalCorruptError as error:
            return Damage(None, error.message)
        return damage or (Damage(None, f"the file is damaged: {found[0]}") if found else None)

    def check(self) -> list[str]:
        """What is wrong with the file as a whole; empty when nothing is. Reads all of it."""
        found = [row[0] for row in self._db.read("PRAGMA integrity_check(20)")]
        strays = self._db.read(queries.COUNT_STRAYS)[0][0]
        return ([] if found == ["ok"] else found) + ([f"{strays} entries belong to no run"] if strays else [])

    def _revisions(self, run_id: str) -> list[tuple[int, str]]:
        def work(db: sqlite3.Connection) -> list[chain.Revised]:
            place = queries.find_place(db, run_id)
            return revisions.read_revisions(db, (place.run, place.seal))

        return [(each.seq, each.definition) for each in self._db.snapshot(work)]

    def _stored(
        self, run_id: str, after: int, limit: int | None
    ) -> tuple[list[chain.StoredEntry], Damage | None]:
        def work(db: sqlite3.Connection) -> tuple[list[chain.StoredEntry], Damage | None]:
            return queries.read_entries(db, run_id, queries.find_place(db, run_id), after, limit)

        return self._db.snapshot(work)
