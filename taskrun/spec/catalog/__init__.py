"""What every diagnostic id means, with a bad and a good example: the pages of ``taskrun explain``.

One module holds one hundred of ids; a new one is added to the two lines below.
"""

from taskrun.spec.catalog import actions, expressions, files, graph, loading, names, schema, settings
from taskrun.spec.catalog.entry import Entry

__all__ = ["CATALOG", "Entry"]

CATALOG: dict[str, Entry] = {
    **loading.ENTRIES,
    **schema.ENTRIES,
    **names.ENTRIES,
    **expressions.ENTRIES,
    **graph.ENTRIES,
    **actions.ENTRIES,
    **files.ENTRIES,
    **settings.ENTRIES,
}
