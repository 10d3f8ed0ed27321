"""Named tuples, made in a fraction of the time that `typing` takes: a program that starts makes many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    import sys
    from collections import _tuplegetter, namedtuple

    _Unexpected = TypeError if sys.version_info >= (3, 13) else ValueError  # as Python's own

    class _LateNew:
        """The `__new__` of a named tuple, which is compiled when the first is made: many a class never makes one."""

        def __set_name__(self, owner: type, name: str) -> None:
            self._owner = owner

        def __get__(self, instance: object, owner: type) -> Any:
            made = self._owner
            new = namedtuple(made.__name__, made._fields, defaults=made._field_defaults.values()).__new__
            made.__new__ = staticmethod(new)
            return new

    def _make(cls: type[Self], iterable: Any) -> Self:
        """One of as many values as there are fields."""
        made = tuple.__new__(cls, iterable)
        if len(made) != len(cls._fields):
            raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
        return made

    def _replace(self: Self, /, **changes: Any) -> Self:
        """The same with `changes`."""
        made = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise _Unexpected(f"Got unexpected field names: {list(changes)!r}")
        return made

    def _asdict(self: Self) -> dict[str, Any]:
        """The values by the names of their fields."""
        return dict(zip(self._fields, self, strict=True))

    def _repr(self: Self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

    def _getnewargs(self: Self) -> tuple[Any, ...]:
        return tuple(self)

    _METHODS = {
        "__slots__": (),
        "_make": classmethod(_make),
        "_replace": _replace,
        "__replace__": _replace,
        "_asdict": _asdict,
        "__repr__": _repr,
        "__getnewargs__": _getnewargs,
    }

    class _Maker(type):
        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            """A named tuple of the fields, with the class's methods. `typing` also compiles each annotation, for nobody."""
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = tuple(body.get("__annotations__", ()))
            defaults = {field: body[field] for field in fields if field in body}
            getters = {field: _tuplegetter(place, None) for place, field in enumerate(fields)}
            about = {"_fields": fields, "__match_args__": fields, "_field_defaults": defaults, "__new__": _LateNew()}
            return type(name, (tuple,), {**_METHODS, **about, **body, **getters})

    class NamedTuple(metaclass=_Maker):
        """As `typing.NamedTuple`."""
