"""What other people's servers make of a form: three parsers that share no line of code with each other or with ours."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import multipart
from python_multipart.multipart import FormParser
from werkzeug.formparser import MultiPartParser


class Field(NamedTuple):
    name: str
    filename: str | None
    content: bytes


def by_multipart(body: bytes, boundary: str) -> list[Field]:
    parser = multipart.MultipartParser(io.BytesIO(body), boundary, disk_limit=2**30, memory_limit=2**30)
    fields = []
    for part in parser:
        fields.append(Field(part.name, part.filename, part.raw))
        part.close()
    return fields


def by_python_multipart(body: bytes, boundary: str) -> list[Field]:
    fields: list[Field] = []

    def keep_file(file: object) -> None:
        file.file_object.seek(0)
        fields.append(Field(file.field_name.decode(), file.file_name.decode(), file.file_object.read()))
        file.close()

    def keep_field(field: object) -> None:
        fields.append(Field(field.field_name.decode(), None, field.value or b""))

    parser = FormParser("multipart/form-data", keep_field, keep_file, boundary=boundary)
    for start in range(0, len(body), 2**16):
        parser.write(body[start : start + 2**16])
    parser.finalize()
    return fields


def by_werkzeug(body: bytes, boundary: str) -> list[Field]:
    """Fields with and without a filename are kept apart; here the latter come first."""
    parser = MultiPartParser(max_form_memory_size=None)
    form, files = parser.parse(io.BytesIO(body), boundary.encode(), len(body))
    fields = [Field(name, None, text.encode()) for name, text in form.items(multi=True)]
    for name, file in files.items(multi=True):
        fields.append(Field(name, file.filename, file.read()))
        file.close()
    return fields


FORM_PARSERS: dict[str, Callable[[bytes, str], list[Field]]] = {
    "multipart": by_multipart,
    "python-multipart": by_python_multipart,
    "werkzeug": by_werkzeug,
}
