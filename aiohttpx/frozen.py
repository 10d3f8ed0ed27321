"""Frozen dataclasses, made without `dataclasses`: loading that, and compiling what it writes, is felt when a program starts."""

from __future__ import annotations

from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import Field


class _Late:
    """What a class has once `dataclasses` has made it one of its own, which it does when somebody looks, as `replace` does."""

    _making = Lock()

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        made = next((each for each in owner.__mro__ if Frozen in each.__bases__), None)
        if made is None:
            raise AttributeError(self._name)
        with self._making:
            if "__attrs_attrs__" not in made.__dict__:
                import dataclasses

                fields = dataclasses.fields(dataclasses.dataclass(frozen=True, repr=False, eq=False)(made))
                shown = tuple(SimpleNamespace(name=field.name, alias=field.name, init=True) for field in fields)
                type.__setattr__(made, "__attrs_attrs__", shown)
        return getattr(owner, self._name)


@dataclass_transform(frozen_default=True)
class Frozen:
    """What derives from this is a dataclass that is frozen. It writes its own `__init__`, which sets each field, in order."""

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    else:
        __dataclass_fields__ = _Late()
        __dataclass_params__ = _Late()
        __match_args__ = _Late()
        #: What `attrs.evolve` looks for: consumers of aiohttp's attrs class use it on ours (aiodocker does).
        __attrs_attrs__ = _Late()

        def __setattr__(self, name: str, value: object) -> None:
            self._refuse("assign to", name)
            super().__setattr__(name, value)

        def __delattr__(self, name: str) -> None:
            self._refuse("delete", name)
            super().__delattr__(name)

        def _refuse(self, what: str, name: str) -> None:
            """A class that derives from a frozen one may have attributes that are no fields."""
            if Frozen in type(self).__bases__ or name in type(self).__dataclass_fields__:
                import dataclasses

                raise dataclasses.FrozenInstanceError(f"cannot {what} field {name!r}")

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"

    def __replace__(self, /, **changes: Any) -> Self:
        """The same with `changes`: `copy.replace` of Python 3.13, and `dataclasses.replace` where that is not loaded."""
        fields = self.__dict__
        if Frozen not in type(self).__bases__:  # it may have attributes that are no fields
            fields = {name: getattr(self, name) for name in type(self).__dataclass_fields__}
        return type(self)(**{**fields, **changes})
