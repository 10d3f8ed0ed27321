"""Named tuples, made in less time than `typing` takes: a program that starts makes many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    from collections import namedtuple

    class _Maker(type):
        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            """A named tuple of the fields, with the class's methods. `typing` also compiles each annotation, for nobody."""
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = body.pop("__annotations__", {})
            defaults = [body.pop(field) for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            made.__annotations__ = fields
            for own, value in body.items():
                setattr(made, own, value)
            return made

    class NamedTuple(metaclass=_Maker):
        """As `typing.NamedTuple`."""
