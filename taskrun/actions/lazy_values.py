"""A result whose larger values are made only when an expression asks for them."""

from collections.abc import Iterator
from typing import Any, ClassVar


class LazyValues(dict[str, Any]):
    """The name ``result`` in expressions: a dict to everybody, also to ``dict()`` and ``json.dumps``.

    A subclass names its values in ``LAZY`` and makes one in ``make``; what was made is kept.
    """

    LAZY: ClassVar[tuple[str, ...]] = ()

    def make(self, key: str) -> Any:
        raise NotImplementedError(key)

    def __missing__(self, key: str) -> Any:
        if key not in self.LAZY:
            raise KeyError(key)
        value = self[key] = self.make(key)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 - this is get

    def __contains__(self, key: object) -> bool:
        return key in self.LAZY or super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*super().__iter__(), *self.LAZY)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def keys(self) -> Any:
        return list(iter(self))

    def values(self) -> Any:
        return [self[key] for key in self]

    def items(self) -> Any:
        return [(key, self[key]) for key in self]

    def copy(self) -> dict[str, Any]:
        return dict(self.items())

    def __eq__(self, other: object) -> bool:
        return self.copy() == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        made = {key: repr(self[key]) for key in super().__iter__()}
        return "{" + ", ".join(f"{key!r}: {made.get(key, '…')}" for key in self) + "}"
