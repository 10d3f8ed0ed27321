"""Forms as a body: application/x-www-form-urlencoded, or multipart/form-data when there are files in them (RFC 7578)."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import AsyncIterable, Collection, Iterable, Mapping
from numbers import Number
from typing import Any, Final, NamedTuple, TypeAlias

from ..wire.multipart import new_boundary
from ..wire.urlencoded import urlencode_form, urlencode_plain
from .multipart import MultipartWriter
from .payload import PAYLOAD_REGISTRY, BytesPayload, JsonBytesPayload, JsonPayload, Payload, get_payload, octets_as
from .payload import LookupError as NoPayload
from .sources import filename_of

#: What `files=` takes.
Files: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]

_URLENCODED: Final = "application/x-www-form-urlencoded"
_BYTES: Final = (bytes, bytearray, memoryview)
#: A value of one of these makes a form multipart.
_FILES: Final = (*_BYTES, io.IOBase, Payload, AsyncIterable)
_STR: Final = frozenset({str})
_UNWRITABLE: Final = re.compile(r"[\r\n\0\ud800-\udfff]")
_HOW_MANY: Final = range(2, 5)


class _Field(NamedTuple):
    name: str
    value: Any
    filename: str | None
    #: Arguments for `get_payload`.
    options: dict[str, Any]


class FormData:
    """A form, to be given as `data=`.

    :param fields: a mapping, or a list of pairs of name and value, or of files; or a single file.
    :param quote_fields: names and filenames are written as browsers write them (see `content_disposition_header`), else as they
        are.
    :param charset: of the texts; by default UTF-8.
    :param boundary: what stands between the parts; by default nothing that can be foreseen.
    :param default_to_multipart: be multipart even without files.

    It can be sent several times, as far as the files in it can.
    """

    def __init__(
        self,
        fields: Any = (),
        quote_fields: bool = True,
        charset: str | None = None,
        *,
        boundary: str | None = None,
        default_to_multipart: bool = False,
    ) -> None:
        self._quote_fields = quote_fields
        self._charset = charset
        self._boundary = new_boundary() if boundary is None else boundary
        self._is_multipart = default_to_multipart
        self._fields: list[_Field] = []
        # The parts of as many fields were made already.
        self._made = 0
        self._parts: list[Payload] = []
        if isinstance(fields, Mapping):
            self.add_fields(*fields.items())
        elif isinstance(fields, (list, tuple)):
            self.add_fields(*fields)
        else:
            self.add_fields(fields)

    @property
    def is_multipart(self) -> bool:
        return self._is_multipart

    def add_field(
        self,
        name: str,
        value: Any,
        *,
        content_type: str | None = None,
        filename: str | None = None,
        content_transfer_encoding: str | None = None,
    ) -> None:
        """Add a field. All but texts and numbers are sent as files; `content_type` or `filename` makes a file of any value.

        Without `filename`, a file has its own name, or that of the field. `content_transfer_encoding` is accepted for aiohttp's
        sake and makes no difference (RFC 7578, section 4.7).

        Raises `TypeError` for an argument of a wrong type, `ValueError` for CR, LF or NUL in one.
        """
        if content_transfer_encoding is not None:
            _check("content_transfer_encoding", content_transfer_encoding)
            warnings.warn("content_transfer_encoding has no meaning in forms any more", DeprecationWarning, stacklevel=2)
            self._is_multipart = True
        elif filename is None and isinstance(value, _BYTES):
            filename = name
        if filename is None:
            filename = _own_filename(name, value)
        self._add(name, value, filename, {} if content_type is None else {"content_type": content_type})

    def add_fields(self, *fields: Any) -> None:
        """Add mappings, pairs of name and value, and files, which are named after themselves."""
        for field in fields:
            if isinstance(field, io.IOBase):
                self.add_field(filename_of(field) or "unknown", field)
            elif isinstance(field, Mapping):
                self.add_fields(*field.items())
            elif isinstance(field, (list, tuple)) and len(field) == 2:
                self.add_field(*field)
            else:
                raise TypeError(f"A form consists of mappings, pairs of name and value, and files, unlike {field!r:.100}")

    def __call__(self) -> Payload:
        """The body. Raises `TypeError`, with the name of the field, for a value that cannot be sent."""
        if not self._is_multipart:
            charset = self._charset or "utf-8"
            content_type = _URLENCODED if charset == "utf-8" else f"{_URLENCODED}; charset={charset}"
            body = urlencode_form([(field.name, field.value) for field in self._fields], charset)
            return BytesPayload(body, content_type=content_type)
        for field in self._fields[self._made :]:
            self._parts += [self._part(field, value) for value in _values(field.value)]
            self._made += 1
        writer = MultipartWriter("form-data", self._boundary)
        for part in self._parts:
            writer.append_payload(part)
        return writer

    def _add(self, name: str, value: Any, filename: str | None, options: dict[str, Any]) -> None:
        _check("name", name)
        for what, text in (("filename", filename), ("content_type", options.get("content_type"))):
            if text is not None:
                _check(what, text)
                self._is_multipart = True
        if _is_file(value):
            self._is_multipart = True
        self._fields.append(_Field(name, value, filename, options))

    def _part(self, field: _Field, value: Any) -> Payload:
        try:
            part = get_payload(value, encoding=self._charset, **field.options)
        except NoPayload as error:
            raise TypeError(f"The form field {field.name!r} cannot be sent: its value is {type(value).__name__}") from error
        params = {"name": field.name}
        if field.filename is not None:
            params["filename"] = field.filename
        part.set_content_disposition("form-data", self._quote_fields, **params)
        return part

    def _add_file(self, name: str, file: Any) -> None:
        """Add a value of `files=`."""
        headers: Mapping[str, str] | None = None
        content_type: str | None = None
        if isinstance(file, (tuple, list)):
            if len(file) not in _HOW_MANY:
                raise ValueError(f"A file is (filename, value[, content_type[, headers]]), unlike that of {name!r:.100}")
            filename, file, content_type, headers = (*file, None, None)[:4]
        else:
            filename = _own_filename(name, file) or name
        # The content type is guessed from the filename, if there is one, rather than left to the kind of the value.
        self._add(name, file, filename, {"content_type": content_type, "filename": filename, "headers": headers})


def _check(what: str, text: Any) -> None:
    if not isinstance(text, str):
        raise TypeError(f"The {what} of a form field is a str, not {type(text).__name__}: {text!r:.100}")
    if _UNWRITABLE.search(text):
        raise ValueError(f"The {what} of a form field has CR, LF, NUL or a lone surrogate in it: {text!r:.100}")


def _own_filename(name: str, value: Any) -> str | None:
    """The name of a file, or that of its field."""
    if isinstance(value, io.IOBase):
        return filename_of(value) or name
    return value.filename if isinstance(value, Payload) else None


def _is_file(value: Any) -> bool:
    return not isinstance(value, str) and isinstance(value, _FILES)


def _values(value: Any) -> list[Any]:
    """What a field of a multipart form has in its parts: each of several values; numbers as texts."""
    if isinstance(value, str):
        return [value]
    several = isinstance(value, Collection) and not isinstance(value, (Mapping, *_FILES))
    return [str(one) if isinstance(one, Number) else one for one in (value if several else (value,))]


_JSON: Final = frozenset({JsonPayload, JsonBytesPayload})


def payload_of(data: Any) -> Payload:
    """The body for whatever `data=` takes. Raises `TypeError` for anything else."""
    if type(data) in _JSON:  # of a session's own making
        return data  # type: ignore[no-any-return]
    if PAYLOAD_REGISTRY.lacks(type(data)):
        return form_payload(data)
    try:
        return PAYLOAD_REGISTRY.get(data, disposition=None)
    except NoPayload:
        return form_payload(data)


def form_payload(data: Any) -> Payload:
    """The body for a mapping, for pairs of name and value, or for a `FormData`. Raises `TypeError` for anything else."""
    if type(data) is dict and (body := urlencode_plain(data.items())) is not None:
        return octets_as(BytesPayload, body, _URLENCODED)
    if isinstance(data, FormData):
        return data()
    values = [*(data.values() if isinstance(data, Mapping) else map(_value_of, data) if isinstance(data, Iterable) else ())]
    if not _STR.issuperset(map(type, values)) and any(map(_is_file, values)):
        return FormData(data if isinstance(data, Mapping) else list(data))()
    return BytesPayload(urlencode_form(data), content_type=_URLENCODED)


def _value_of(field: Any) -> Any:
    return field[1] if isinstance(field, (tuple, list)) and len(field) == 2 else field


def form_with_files(data: Any, files: Files) -> FormData:
    """The form for `data=` and `files=` together.

    :param data: a mapping, or None.
    :param files: mapping or pairs of name and value: a file, bytes, str, or `(filename, value[, content_type[, headers]])`.

    Raises `ValueError` when `data` is anything else, or a tuple has another length; `TypeError` when `files` is anything else.
    """
    if data is not None and not isinstance(data, Mapping):
        raise ValueError(f"files can be used with a mapping as data, not with json or other data ({type(data).__name__})")
    form = FormData(data or (), default_to_multipart=True)
    given: Any = files
    for field in given.items() if isinstance(given, Mapping) else given:
        if not isinstance(field, (tuple, list)) or len(field) != 2:
            raise TypeError(f"files is a mapping or pairs of name and file, but this is neither: {field!r:.100}")
        form._add_file(*field)
    return form
