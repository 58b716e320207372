"""SQLite as the journal uses it: the compiled module alone. Its Python part adds dates, which take 2 ms to load."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    import _sqlite3 as sqlite3

__all__ = ["sqlite3"]
