"""The journal in SQLite: one database for all runs, shared by every process of a user."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

from taskrun.errors import JournalCorruptError, JournalError
from taskrun.journal import chain, queries
from taskrun.journal.base import Damage, Entry, Request, RunRow, refuse_format
from taskrun.journal.codec import encode, pack
from taskrun.journal.connection import Connection, Durability
from taskrun.journal.home import check_home, database, make_home
from taskrun.journal.ids import is_run_id
from taskrun.journal.lookup import SHOWN, choose
from taskrun.journal.queries import Known, Place

CHUNK = 10_000


class SqliteJournal:
    """Implements ``base.Journal``. For one thread; another thread opens its own.

    The heads of runs that are written to are kept in memory. The UPDATE that moves a head finds its row only
    under the seal that was read, so a process that was taken over finds nothing and writes nothing.
    """

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._places: dict[str, Place] = {}
        self._heads: dict[str, Known] = {}

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

    def close(self) -> None:
        self._db.close()

    def create_run(
        self, row: RunRow, definition: bytes | Mapping[str, Any], entries: Sequence[Entry] = ()
    ) -> None:
        document = definition if isinstance(definition, bytes) else encode(definition).encode()
        digest = hashlib.sha256(document).hexdigest()
        values = chain.run_values(row, digest)
        run_seal = chain.seal(values)

        def work(db: sqlite3.Connection) -> None:
            if db.execute(queries.SELECT_KEY, (row.id,)).fetchone():
                raise JournalError(f"there is a run {row.id} already")
            db.execute(queries.INSERT_DEFINITION, (digest, pack(document)))
            key = db.execute(queries.INSERT_RUN, (*values, run_seal)).lastrowid
            assert key is not None, "a row was inserted"
            place = queries.place_of(key, run_seal)
            rows = chain.link(entries, 0, run_seal, place.base)
            db.executemany(queries.INSERT_ENTRY, rows)
            head = chain.next_head(chain.first_head(row, run_seal), rows, place.base)
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
        known = self._heads.pop(run_id, None)

        def work(db: sqlite3.Connection) -> Known:
            place = self._place(db, run_id)
            moved = None
            if known is not None and known.head.epoch == epoch:
                moved, rows = _link(db, place, known, entries, (state, exit_code, ended))
            if moved is None:
                fresh = queries.read_head(db, run_id, place)
                chain.refuse_stale(run_id, fresh.head, epoch)
                moved, rows = _link(db, place, fresh, entries, (state, exit_code, ended))
                assert moved is not None, "the head was read in this transaction"
            db.executemany(queries.INSERT_ENTRY, rows)
            return moved

        self._heads[run_id] = self._db.write(work)

    def take_over(self, run_id: str, *, pid: int, host: str, boot_id: str) -> int:
        def work(db: sqlite3.Connection) -> Known:
            refuse_format(queries.read_run(db, run_id))
            place = self._place(db, run_id)
            known = queries.read_head(db, run_id, place)
            head = known.head._replace(epoch=known.head.epoch + 1, pid=pid, host=host, boot_id=boot_id)
            moved = queries.move_head(db, place, known, head)
            assert moved is not None, "the head was read in this transaction"
            return moved

        self._heads[run_id] = known = self._db.write(work)
        return known.head.epoch

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
        return chain.to_entries(rows, self._places[run_id].base)

    def change_counter(self) -> int:
        counter: int = self._db.read("PRAGMA data_version")[0][0]
        return counter

    def request(self, run_id: str, verb: str, args: Mapping[str, Any]) -> int:
        text = encode(args)

        def work(db: sqlite3.Connection) -> int:
            values = chain.request_values(self._place(db, run_id).run, time.time(), verb, text)
            number = db.execute(queries.INSERT_REQUEST, values).lastrowid
            assert number is not None, "a row was inserted"
            return number

        return self._db.write(work)

    def requests(self, run_id: str, after: int = 0) -> list[Request]:
        def work(db: sqlite3.Connection) -> list[Any]:
            return db.execute(queries.SELECT_REQUESTS, (self._place(db, run_id).run, after)).fetchall()

        return [chain.to_request(number, values) for number, *values in self._db.snapshot(work)]

    def delete_run(self, run_id: str) -> None:
        self._db.write(lambda db: queries.delete_run(db, queries.find_place(db, run_id)))
        self._places.pop(run_id, None)
        self._heads.pop(run_id, None)

    def verify(self, run_id: str) -> Damage | None:
        """See ``base.Journal``. Reads in pieces: a long history need not fit into memory."""
        try:
            self.run(run_id)
            after = 0
            while True:
                rows, damage = self._stored(run_id, after, CHUNK)
                if damage is not None or not rows:
                    break
                after += len(rows)
            self.definition(run_id)
            self.requests(run_id)
        except JournalCorruptError as error:
            return Damage(None, error.message)
        return damage

    def check(self) -> list[str]:
        """What SQLite itself finds wrong with the whole file; empty when nothing is. Reads all of it."""
        found = [row[0] for row in self._db.read("PRAGMA integrity_check(20)")]
        return [] if found == ["ok"] else found

    def _stored(
        self, run_id: str, after: int, limit: int | None
    ) -> tuple[list[chain.StoredEntry], Damage | None]:
        def work(db: sqlite3.Connection) -> tuple[list[chain.StoredEntry], Damage | None]:
            return queries.read_entries(db, run_id, self._place(db, run_id), after, limit)

        return self._db.snapshot(work)

    def _place(self, db: sqlite3.Connection, run_id: str) -> Place:
        place = self._places.get(run_id)
        if place is None:
            place = self._places[run_id] = queries.find_place(db, run_id)
        return place


def _link(
    db: sqlite3.Connection, place: Place, known: Known, entries: Sequence[Entry], standing: chain.Standing
) -> tuple[Known | None, list[chain.StoredEntry]]:
    """The rows that continue the known head, and the head moved past them if it is still the known one."""
    rows = chain.link(entries, known.head.seq, known.head.chain, place.base)
    head = chain.next_head(known.head, rows, place.base, standing)
    return queries.move_head(db, place, known, head), rows
