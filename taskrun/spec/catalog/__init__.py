"""What every diagnostic id means, with a bad and a good example: the pages of ``taskrun explain``.

One module holds one hundred of ids; a new one is added to the two lines below.
"""

from taskrun.spec.catalog import loading
from taskrun.spec.catalog.entry import Entry

__all__ = ["CATALOG", "Entry"]

CATALOG: dict[str, Entry] = {**loading.ENTRIES}
