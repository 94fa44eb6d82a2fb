"""众 Many: a map of many entries of which one changes at a time. A changed copy shares all but a small part with the map it
was made from, so that a fact about one person costs the same among ten thousand as among ten.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")
ROOM = 256
"""Square of the changes that any map may hold apart before they are joined with the rest."""


class Many(Mapping[K, V]):
    """Never changes; ``having`` gives another one. In order of insertion, as a dict. No value is None.

    Changes gather in a small dict until there are as many as the square root of the rest: what is copied for one change
    is of that size, and the whole is copied once in so many changes.

    >>> one = Many({"a": 1, "b": 2})
    >>> two = one.having({"a": 3, "c": 4})
    >>> one["a"], dict(two), "c" in one
    (1, {'a': 3, 'b': 2, 'c': 4}, False)
    """

    __slots__ = ("_apart", "_rest")

    def __init__(self, rest: dict[K, V] | None = None, apart: dict[K, V] | None = None) -> None:
        """rest, apart: never changed by anybody from now on; apart goes before."""
        self._rest: dict[K, V] = rest or {}
        self._apart: dict[K, V] = apart or {}

    def having(self, changes: Mapping[K, V]) -> Many[K, V]:
        """The same with these entries changed or added."""
        apart = {**self._apart, **changes}
        if len(apart) ** 2 > len(self._rest) + ROOM:
            return Many({**self._rest, **apart})
        return Many(self._rest, apart)

    def __getitem__(self, key: K) -> V:
        """The value of a key. Raises KeyError."""
        found = self._apart.get(key)
        return self._rest[key] if found is None else found

    @overload
    def get(self, key: K) -> V | None: ...

    @overload
    def get(self, key: K, default: V | T) -> V | T: ...

    def get(self, key: K, default: V | T | None = None) -> V | T | None:
        """The value of a key, or the default."""
        found = self._apart.get(key)
        return self._rest.get(key, default) if found is None else found

    def __contains__(self, key: object) -> bool:
        """Whether there is such a key."""
        return key in self._apart or key in self._rest

    def __iter__(self) -> Iterator[K]:
        """The keys, in order of insertion."""
        return iter(self._whole())

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._rest) + sum(key not in self._rest for key in self._apart)

    def keys(self) -> KeysView[K]:
        """As of a dict."""
        return self._whole().keys()

    def values(self) -> ValuesView[V]:
        """As of a dict."""
        return self._whole().values()

    def items(self) -> ItemsView[K, V]:
        """As of a dict."""
        return self._whole().items()

    def __repr__(self) -> str:
        """As of a dict."""
        return f"Many({self._whole()!r})"

    def _whole(self) -> dict[K, V]:
        return {**self._rest, **self._apart} if self._apart else self._rest
