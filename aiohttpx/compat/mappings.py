"""Several mappings seen as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class ChainMapProxy(Mapping[Any, Any]):
    """The first of `maps` that has a key says what it is. It cannot be changed."""

    __slots__ = ("_maps",)

    def __init__(self, maps: Iterable[Mapping[Any, Any]]) -> None:
        self._maps = tuple(maps)

    def __init_subclass__(cls) -> None:
        raise TypeError(f"Inheritance class {cls.__name__} from ChainMapProxy is forbidden")

    def __repr__(self) -> str:
        return f"ChainMapProxy({', '.join(map(repr, self._maps))})"

    def __getitem__(self, key: Any) -> Any:
        for each in self._maps:
            if key in each:
                return each[key]
        raise KeyError(key)

    def __len__(self) -> int:
        return len(set().union(*self._maps))

    def __iter__(self) -> Iterator[Any]:
        return iter({key: None for each in reversed(self._maps) for key in each})

    def __contains__(self, key: object) -> bool:
        return any(key in each for each in self._maps)

    def __bool__(self) -> bool:
        return any(self._maps)
