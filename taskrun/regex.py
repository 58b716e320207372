"""Patterns that are compiled when they are first used: of those that one file could need, it needs few."""

import re
from typing import Any, AnyStr, cast

_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "split", "sub", "subn")


class _Lazy:
    """Turns into the compiled pattern: from the first use on its methods are those of that one."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._given = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._given)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def lazy(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Like ``re.compile``; what is wrong with the pattern is found out at its first use."""
    return cast("re.Pattern[AnyStr]", _Lazy(pattern, flags))
