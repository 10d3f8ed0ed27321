"""Bodies in parts, written (RFC 2046, section 5.1)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeGuard

from multidict import CIMultiDict, getversion

from .. import hdrs
from ..typedefs import Byteish
from ..wire.codings import Encoder
from ..wire.multipart import boundary_parameter, new_boundary, part_encoder, serialize_part_head
from ..wire.urlencoded import urlencode_form
from .payload import BytesPayload, JsonPayload, Payload, get_payload
from .payload import LookupError as NoPayload
from .sources import CHUNK_SIZE, Writer

logger = logging.getLogger(__name__)

# Fields that would say something else than what is written into a form (RFC 7578, sections 4.7 and 4.8).
_NOT_IN_FORMS: Final = (hdrs.CONTENT_ENCODING, hdrs.CONTENT_LENGTH, hdrs.CONTENT_TRANSFER_ENCODING)


class Part(NamedTuple):
    """A part of a body, with the content coding and the transfer encoding it is written in, both "" for one written as it is."""

    payload: Payload
    coding: str
    transfer_encoding: str


class MultipartWriter(Payload):
    """A body made of parts, which are payloads; it can be a part itself.

    :param subtype: the `mixed` of `multipart/mixed`.
    :param boundary: what stands between the parts; by default nothing that can be foreseen.

    Raises `ValueError` for a boundary that is not printable ASCII of 1 to 70 characters.
    """

    def __init__(self, subtype: str = "mixed", boundary: str | None = None) -> None:
        self._boundary = new_boundary() if boundary is None else boundary
        super().__init__(None, content_type=f"multipart/{subtype}; boundary={boundary_parameter(self._boundary)}")
        self._is_form_data = subtype == "form-data"
        self._parts: list[Part] = []
        # The head of each part, and the version of the fields it was made of.
        self._heads: list[tuple[int, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None) -> None:
        """Nothing is done here: `with` is for the eye."""

    def __iter__(self) -> Iterator[Part]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __bool__(self) -> bool:
        return True

    @property
    def boundary(self) -> str:
        return self._boundary

    # -- its parts

    def append(self, obj: Any, headers: Mapping[str, str] | None = None) -> Payload:
        """Add a part: a payload, or what `get_payload` makes one of. `headers` are fields of the part.

        Raises `TypeError` for what is neither, and what `append_payload` raises.
        """
        if isinstance(obj, Payload):
            obj.headers.update(headers or ())
            return self.append_payload(obj)
        try:
            payload = get_payload(obj, headers=headers)
        except NoPayload as error:
            raise TypeError(f"Cannot create payload from {obj!r:.100}") from error
        return self.append_payload(payload)

    def append_json(self, obj: Any, headers: Mapping[str, str] | None = None) -> Payload:
        """Add a part: `obj` as JSON."""
        return self.append_payload(JsonPayload(obj, headers=headers))

    def append_form(
        self, obj: Mapping[str, Any] | Iterable[tuple[str, Any]], headers: Mapping[str, str] | None = None
    ) -> Payload:
        """Add a part: the fields of a form, urlencoded."""
        return self.append_payload(BytesPayload(urlencode_form(obj), headers, "application/x-www-form-urlencoded"))

    def append_payload(self, payload: Payload) -> Payload:
        """Add a part. Its fields Content-Encoding (gzip, deflate, br, zstd) and Content-Transfer-Encoding (base64,
        quoted-printable) say what it is written in.

        Raises `RuntimeError` for an encoding that is not known, `ValueError` for a field that cannot be written, and in
        multipart/form-data for those that have no place there.
        """
        headers = payload.headers
        coding = transfer_encoding = ""
        if self._is_form_data:
            for name in _NOT_IN_FORMS:
                if name in headers:
                    raise ValueError(f"A part of a form has no {name} (RFC 7578, section 4): {headers[name]!r:.100}")
            self._describe(payload, "form-data", name=f"section-{len(self._parts)}")
        else:
            self._describe(payload, "attachment")
            coding = headers.get(hdrs.CONTENT_ENCODING, "").lower()
            transfer_encoding = headers.get(hdrs.CONTENT_TRANSFER_ENCODING, "").lower()
            if part_encoder(coding, transfer_encoding) is None:
                coding = transfer_encoding = ""
                if payload.size is not None:
                    headers[hdrs.CONTENT_LENGTH] = str(payload.size)
            else:
                headers.popall(hdrs.CONTENT_LENGTH, None)
        head = self._serialize(headers)  # or it is a ValueError before anything is sent
        self._parts.append(Part(payload, coding, transfer_encoding))
        self._heads.append((_version_of(headers), head))
        return payload

    @staticmethod
    def _describe(payload: Payload, disptype: str, **params: str) -> None:
        if payload.filename is not None:
            params["filename"] = payload.filename
        if params and hdrs.CONTENT_DISPOSITION not in payload.headers:
            payload.set_content_disposition(disptype, True, **params)

    # -- as a payload

    @property
    def size(self) -> int | None:
        size = len(self._boundary) + 6
        for number, part in enumerate(self._parts):
            content = part.payload.size
            if content is None or part.coding or part.transfer_encoding:
                return None
            size += len(self._head(number)) + content + 2
        return size

    @property
    def consumed(self) -> bool:
        return any(part.payload.consumed for part in self._parts)

    @property
    def replayable(self) -> bool:
        return all(part.payload.replayable for part in self._parts)

    @property
    def autoclose(self) -> bool:
        return all(part.payload.autoclose for part in self._parts)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        said = [(part, (part.payload.encoding or encoding)) for part in self._parts]
        contents = [part.payload.decode(charset, errors).encode(charset, errors) for part, charset in said]
        return self._join(contents).decode(encoding, errors)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """The whole body. Raises as the `as_bytes` of its parts does."""
        return self._join([await part.payload.as_bytes(encoding, errors) for part in self._parts])

    def in_memory(self) -> bytes | None:
        contents = [content for part in self._parts if (content := part.payload.in_memory()) is not None]
        written_here = type(self).write is MultipartWriter.write
        return self._join(contents) if written_here and len(contents) == len(self._parts) else None

    def _join(self, contents: list[bytes]) -> bytes:
        pieces = []
        for number, (part, content) in enumerate(zip(self._parts, contents, strict=True)):
            encoder = part_encoder(part.coding, part.transfer_encoding)
            packed = content if encoder is None else encoder.encode(content) + encoder.finish()
            pieces += [self._head(number), packed, b"\r\n"]
        return b"".join((*pieces, self._close_delimiter))

    async def write(self, writer: Writer, close_boundary: bool = True) -> None:
        """Write it all; without `close_boundary` more parts may be written after it.

        Raises what writing its parts raises, and `ValueError` for a field that cannot be written.
        """
        ahead = bytearray()  # is written along with what comes next
        for number, part in enumerate(self._parts):
            payload = part.payload
            ahead += self._head(number)
            encoder = part_encoder(part.coding, part.transfer_encoding)
            if encoder is None and _is_small(payload):
                ahead += payload.value
            else:
                await writer.write(bytes(ahead))
                ahead.clear()
                if encoder is None:
                    await payload.write(writer)
                else:
                    await payload.write(_Packing(writer, encoder))
                    ahead += encoder.finish()
            ahead += b"\r\n"
            if len(ahead) >= CHUNK_SIZE:
                await writer.write(bytes(ahead))
                ahead.clear()
        if close_boundary:
            ahead += self._close_delimiter
        if ahead:
            await writer.write(bytes(ahead))

    async def close(self) -> None:
        """Close every part."""
        for part in self._parts:
            if not part.payload.autoclose:
                try:
                    await part.payload.close()
                except Exception:
                    logger.exception("A part of a multipart body cannot be closed")

    def _head(self, number: int) -> bytes:
        payload = self._parts[number].payload
        headers = payload.headers
        # A part that is made of parts may have grown since.
        length = headers.get(hdrs.CONTENT_LENGTH)
        if length is not None and payload.size is not None and length != str(payload.size):
            headers[hdrs.CONTENT_LENGTH] = str(payload.size)
        version, head = self._heads[number]
        if version != _version_of(headers):
            head = self._serialize(headers)
            self._heads[number] = _version_of(headers), head
        return head

    def _serialize(self, headers: CIMultiDict[str]) -> bytes:
        return b"--" + self._boundary.encode() + b"\r\n" + serialize_part_head(headers.items())

    @property
    def _close_delimiter(self) -> bytes:
        return b"--" + self._boundary.encode() + b"--\r\n"


def _version_of(headers: CIMultiDict[str]) -> int:
    """A number that changes with `headers`."""
    return getversion(headers)  # type: ignore[arg-type]  # it is declared for values that are `object`, no less


def _is_small(payload: Payload) -> TypeGuard[BytesPayload]:
    """It is in memory, and need not be asked to write itself."""
    return isinstance(payload, BytesPayload) and type(payload).write is BytesPayload.write and payload.size < CHUNK_SIZE


class _Packing:
    """Writes to a writer what an encoder makes of what is written here."""

    def __init__(self, writer: Writer, encoder: Encoder) -> None:
        self._writer = writer
        self._encode = encoder.encode

    async def write(self, chunk: Byteish, /) -> None:
        if data := self._encode(bytes(chunk)):
            await self._writer.write(data)
