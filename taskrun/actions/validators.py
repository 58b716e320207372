"""What of ``pydantic_core`` is needed to validate: its compiled module alone.

The package around it describes schemas to type checkers, in some hundred typed dicts that take 10 ms to make.
"""

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import PydanticCustomError, SchemaError, SchemaValidator, ValidationError

__all__ = ["PydanticCustomError", "SchemaError", "SchemaValidator", "ValidationError"]

_PACKAGE = "pydantic_core"
_NAME = f"{_PACKAGE}._pydantic_core"


def _core() -> Any:
    """The compiled module, under its own name, so that the package finds it there if it is imported later."""
    if _NAME not in sys.modules and _PACKAGE not in sys.modules:
        package = PathFinder.find_spec(_PACKAGE)
        places = package.submodule_search_locations if package is not None else None
        spec = PathFinder.find_spec(_NAME, places)
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            sys.modules[_NAME] = module
            spec.loader.exec_module(module)
            return module
    import pydantic_core  # noqa: PLC0415 - there is no such module in it

    return pydantic_core


if not TYPE_CHECKING:
    core = _core()
    PydanticCustomError = core.PydanticCustomError
    SchemaError = core.SchemaError
    SchemaValidator = core.SchemaValidator
    ValidationError = core.ValidationError
