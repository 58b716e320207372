"""The fixed table of pure functions of expressions: no clock, no chance, no files, no network."""

from taskrun.spec.language import conversions, list_functions, numbers, text_functions
from taskrun.spec.language.signatures import Table

FUNCTIONS: Table = {**conversions.TABLE, **numbers.TABLE, **list_functions.TABLE, **text_functions.TABLE}
