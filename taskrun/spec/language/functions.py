"""The fixed table of pure functions of expressions: no clock, no chance, no files, no network."""

from taskrun.spec.language import conversions, inner_functions, list_functions, numbers, text_functions
from taskrun.spec.language.signatures import Table

PUBLIC: Table = {**conversions.TABLE, **numbers.TABLE, **list_functions.TABLE, **text_functions.TABLE}
FUNCTIONS: Table = {**PUBLIC, **inner_functions.TABLE}
