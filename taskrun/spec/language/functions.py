"""The fixed table of pure functions of expressions: no clock, no chance, no files, no network."""

from taskrun.spec.language import data_functions, text_functions
from taskrun.spec.language.signatures import Function

FUNCTIONS: dict[str, Function] = {**data_functions.TABLE, **text_functions.TABLE}
