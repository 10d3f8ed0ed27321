"""Content codings: what a body was packed in on its way (RFC 9110, section 8.4).

Decoding is by demand: a decoder gives no more than it is asked for and does a bounded amount of work a call, whatever it is fed.

    decoder = make_decoder("gzip")
    content = decoder.decode(data, 65536)           # at most so many bytes
    while decoder.pending:
        content = decoder.decode(b"", 65536)        # what else was in `data`
    decoder.finish()                                # raises if the body was cut short

What follows the end of a coded body is judged as most clients judge it. After gzip: another member if it begins like one; else it
is padding or junk, and ignored. After deflate: ignored. After zstd: another frame, else an error. After br: an error.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..errors import ContentEncodingError
from ..records import NamedTuple

#: The most codings that are taken off one body; each could multiply the work by a thousand.
MAX_CODINGS = 5

# Coded bytes handed over at a time. A decompressor copies what it leaves over: behind the first member, where thousands of tiny
# ones may follow, it is given little at first, so that the copies stay in proportion to what is used up.
_WINDOW = 2**16
_SMALL_WINDOW = 2**10
# Calls of a decompressor in one `decode`: members and blocks may be empty.
_STEPS = 16
# zlib's names for its formats (its `wbits`), with the largest window.
_GZIP, _ZLIB, _RAW = 31, 15, -15
# RFC 9659, section 3: what a zstd decoder on the web has to remember is limited to 8 MiB.
_ZSTD_WINDOW_LOG = 23
_GZIP_MAGIC = b"\x1f\x8b"
# Brotli's own 11 is made for files compressed once and served for years: it takes a second for a megabyte.
_BROTLI_QUALITY = 5


def _find_brotli() -> Any:
    """Brotli or brotlicffi, from 1.2 on: older ones inflate without bound."""
    for name in ("brotli", "brotlicffi"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        if hasattr(module.Decompressor, "can_accept_more_data"):
            return module
    return None


def _find_zstd() -> str:
    """The name of the module that has zstd, "" when there is none. It is imported by the first body that needs it."""
    name, needs = ("compression.zstd", "_zstd") if sys.version_info >= (3, 14) else ("backports.zstd", "backports.zstd")
    try:
        return name if importlib.util.find_spec(needs) else ""
    except ModuleNotFoundError:
        return ""


class _Inflate:
    """zlib-ng, which inflates what zlib inflates, and refuses what zlib refuses, faster; or else zlib. It is loaded by
    the first body that needs it.

    isal is faster still, but takes some broken bodies for good ones: whoever wants that says so by `set_zlib_backend`.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            module = importlib.import_module("zlib_ng.zlib_ng")
        except ImportError:
            module = zlib
        value = self.__dict__[name] = getattr(module, name)
        return value


_zlib: Any = zlib
_inflate: Any = _Inflate()
_brotli = _find_brotli()
_zstd_name = _find_zstd()

#: The value of Accept-Encoding: what can be decoded here.
ACCEPT_ENCODING = ", ".join(["gzip", "deflate"] + ["br"] * (_brotli is not None) + ["zstd"] * bool(_zstd_name))


def set_zlib_backend(module: ModuleType) -> None:
    """Let `module`, which offers what `zlib` does (isal.isal_zlib, zlib_ng.zlib_ng), do gzip and deflate from now on."""
    global _zlib, _inflate
    _zlib = _inflate = module


def zlib_backend() -> Any:
    """What compresses where time counts more than size: what `set_zlib_backend` was given; or else zlib-ng, or zlib."""
    return _inflate


class Decoder(ABC):
    """Takes a content coding off a body.

    `pending` is True when `decode` can give more, or find out that it cannot, without new input.
    """

    pending = False

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Keep `data` for later calls of `decode`."""

    @abstractmethod
    def decode(self, data: bytes, max_length: int) -> bytes:
        """Decode what was kept, then `data`: at most `max_length` (1 or more) bytes, the rest is kept.

        b"" with `pending` means that enough was done for one call, not that all was done.
        Raises `ContentEncodingError`, after which the decoder is of no use.
        """

    @abstractmethod
    def finish(self) -> None:
        """Nothing more is fed, and nothing is pending: raises `ContentEncodingError` when the coded body is cut short.

        A body without a single byte is accepted: servers announce codings for empty bodies.
        """


class _MemberDecoder(Decoder):
    """A coding whose bodies are one or more members, each with a decompressor of its own."""

    #: Its decompressors keep the input for which they have no room (`needs_input`), rather than give it back (`unconsumed_tail`).
    _keeps_input = True

    def __init__(self, coding: str, error: type[Exception]) -> None:
        self._coding = coding
        self._error = error
        self._input = b""
        self._at = 0  # how much of the input was handed over
        self._member: Any = None
        self._window = _WINDOW

    @abstractmethod
    def _begin(self) -> Any:
        """A decompressor for the member that begins here in the input; None when there is none, or not enough of it to know."""

    def feed(self, data: bytes) -> None:
        if data:
            self._input = self._input[self._at :] + data if self._at < len(self._input) else data
            self._at = 0
            self.pending = True

    def decode(self, data: bytes, max_length: int) -> bytes:
        if max_length < 1:
            raise ValueError(f"max_length must be at least 1, not {max_length}")
        if data:
            self.feed(data)
        parts = []
        for _ in range(_STEPS):
            if not max_length or not self.pending:
                break
            part = self._step(max_length)
            if part:
                parts.append(part)
                max_length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _step(self, room: int) -> bytes:
        member = self._member
        if member is None:
            member = self._member = self._begin()
            if member is None:
                self.pending = False
                return b""
        window = b""
        if not self._keeps_input or member.needs_input:
            # Content is seldom smaller than its coding: for a small room a small window does.
            window = self._input[self._at : self._at + min(self._window, max(room, _SMALL_WINDOW))]
            self._at += len(window)
        try:
            part: bytes = member.decompress(window, room)
        except self._error as wrong:
            raise self._broken(str(wrong)) from wrong
        if member.eof:
            self._take_back(member.unused_data)
            self._member = None
            self._window = _SMALL_WINDOW
            self.pending = self._at < len(self._input)
        else:
            if not self._keeps_input:
                self._take_back(member.unconsumed_tail)
            self._window = min(self._window * 4, _WINDOW)
            # A full room may have left more inside.
            self.pending = self._at < len(self._input) or len(part) == room or (self._keeps_input and not member.needs_input)
        return part

    def _take_back(self, unused: bytes) -> None:
        """The last of what was handed over was not used. It may be older than the input at hand."""
        if len(unused) <= self._at:
            self._at -= len(unused)
        else:
            self._input = unused + self._input[self._at :]
            self._at = 0

    def _broken(self, how: str) -> ContentEncodingError:
        return ContentEncodingError(f"Cannot decode content coding {self._coding!r}: {how}")

    def finish(self) -> None:
        if self._member is not None:
            raise self._broken("the body is cut short")


class _ZlibDecoder(_MemberDecoder):
    """gzip (RFC 1952), and deflate: zlib (RFC 1950) or, as some servers send it, the same without a header (RFC 1951)."""

    _keeps_input = False

    def __init__(self, coding: str) -> None:
        super().__init__(coding, _inflate.error)
        self._decompressobj = _inflate.decompressobj
        self._begun = False
        self._ignoring = False

    def _begin(self) -> Any:
        head = self._input[self._at : self._at + 2]
        if not self._begun:
            self._begun = True
            return self._decompressobj(wbits=_wbits(self._coding, head[0]))
        if self._coding != "gzip" or not _GZIP_MAGIC.startswith(head):
            self._ignoring = True
        if self._ignoring:
            self._at = len(self._input)
        elif head == _GZIP_MAGIC:
            return self._decompressobj(wbits=_GZIP)
        return None


class _ZstdDecoder(_MemberDecoder):
    """zstd (RFC 8878): one or more frames."""

    def __init__(self) -> None:
        zstd = importlib.import_module(_zstd_name)
        super().__init__("zstd", zstd.ZstdError)
        self._decompressor = zstd.ZstdDecompressor
        self._options = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}

    def _begin(self) -> Any:
        return self._decompressor(options=self._options) if self._at < len(self._input) else None


class _BrotliDecoder(_MemberDecoder):
    """br (RFC 7932): a single stream."""

    def __init__(self) -> None:
        super().__init__("br", _brotli.error)
        self._begun = False

    def _begin(self) -> Any:
        if self._begun:
            raise self._broken("data follows the end of the stream")
        self._begun = True
        return _BrotliMember()


class _BrotliMember:
    """A Brotli decompressor in the form of the others. It may give more than it is asked for, in blocks: the surplus is kept."""

    unused_data = b""  # bytes behind the end of the stream are an error of Brotli's own

    def __init__(self) -> None:
        self._decompressor = _brotli.Decompressor()
        self._surplus = b""
        self._at = 0
        self._full = False  # its limit was reached: there may be more inside

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._at == len(self._surplus):
            self._surplus = self._decompressor.process(data, output_buffer_limit=max_length)
            self._at = 0
            self._full = len(self._surplus) >= max_length
        part = self._surplus[self._at : self._at + max_length]
        self._at += len(part)
        return part

    @property
    def needs_input(self) -> bool:
        return self._at == len(self._surplus) and not self._full and bool(self._decompressor.can_accept_more_data())

    @property
    def eof(self) -> bool:
        return self._at == len(self._surplus) and bool(self._decompressor.is_finished())


class _StackedDecoder(Decoder):
    """Several codings, the one that was applied last first."""

    def __init__(self, stages: list[Decoder]) -> None:
        self._stages = stages

    def feed(self, data: bytes) -> None:
        self._stages[0].feed(data)
        self.pending = self.pending or bool(data)

    def decode(self, data: bytes, max_length: int) -> bytes:
        if data:
            self.feed(data)
        stages = self._stages
        # The last stage that can go on does so, and hands on to those behind it, which have nothing left to do.
        first = max((at for at, stage in enumerate(stages) if stage.pending), default=0)
        content = b""
        for stage in stages[first:-1]:
            content = stage.decode(content, _WINDOW)
        content = stages[-1].decode(content, max_length)
        self.pending = any(stage.pending for stage in stages)
        return content

    def finish(self) -> None:
        for stage in self._stages:
            stage.finish()


class _Refusal(Decoder):
    """Stands for codings that cannot be taken off, and says why to whoever wants the content."""

    def __init__(self, why: str) -> None:
        self._why = why

    def feed(self, data: bytes) -> None:
        self.pending = self.pending or bool(data)

    def decode(self, data: bytes, max_length: int) -> bytes:
        if data or self.pending:
            raise ContentEncodingError(self._why)
        return b""

    def finish(self) -> None:
        pass


def make_decoder(content_encoding: str) -> Decoder | None:
    """A decoder for the value of Content-Encoding, several codings in the order in which they were applied.

    None when there is no coding but `identity`, or an unknown one: such a body is handed on as it came. For `br` or `zstd` where
    its library is missing, and for more than `MAX_CODINGS` codings, the decoder raises `ContentEncodingError` when it is used.
    """
    codings = [coding for part in content_encoding.lower().split(",") if (coding := part.strip()) not in ("", "identity")]
    if not codings or not all(coding in _DECODERS for coding in codings):
        return None
    if len(codings) > MAX_CODINGS:
        return _Refusal(f"Cannot decode {len(codings)} content codings, the limit is {MAX_CODINGS}: {content_encoding!r}")
    stages = [_DECODERS[coding]() for coding in reversed(codings)]
    return stages[0] if len(stages) == 1 else _StackedDecoder(stages)


def _make_br() -> Decoder:
    return _BrotliDecoder() if _brotli is not None else _Refusal("Cannot decode content coding 'br': install Brotli 1.2 or newer")


def _make_zstd() -> Decoder:
    return _ZstdDecoder() if _zstd_name else _Refusal("Cannot decode content coding 'zstd': install backports.zstd")


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: _ZlibDecoder("gzip"),
    "x-gzip": lambda: _ZlibDecoder("gzip"),
    "deflate": lambda: _ZlibDecoder("deflate"),
    "br": _make_br,
    "zstd": _make_zstd,
}


def decode_at_once(content_encoding: str, data: bytes, max_length: int) -> bytes | None:
    """The content of a body that is there as a whole, if it is of the usual kind: one member of gzip or deflate, not damaged, and
    no more than `max_length` bytes of content. None for any other, which is for a decoder."""
    if not data or content_encoding not in ("gzip", "deflate"):
        return None
    # The last four bytes should be the size of the content (RFC 1952, section 2.3.1): that saves work, and is not relied on.
    if content_encoding == "gzip" and int.from_bytes(data[-4:], "little") > max_length:
        return None
    member = _inflate.decompressobj(wbits=_wbits(content_encoding, data[0]))
    try:
        content: bytes = member.decompress(data, max_length)
    except _inflate.error:
        return None
    return content if member.eof and not member.unused_data else None


def _wbits(coding: str, first: int) -> int:
    """zlib's name for the format of `coding`, whose first byte is `first`."""
    if coding == "gzip":
        return _GZIP
    # The low half of zlib's first byte is its method, 8 (RFC 1950, section 2.2); without that it is deflate's own format.
    return _ZLIB if first & 0x0F == 8 else _RAW


class Encoder(NamedTuple):
    """Puts a content coding on a body: what `encode` gives for its parts in turn, and then `finish`, is the coded body."""

    encode: Callable[[bytes], bytes]
    finish: Callable[[], bytes]


def make_encoder(coding: str, level: int | None = None) -> Encoder:
    """An encoder for `gzip`, `deflate`, `br` or `zstd`; `level` is in the coding's own terms.

    Raises ValueError for a coding that is unknown, or whose library is not there.
    """
    if coding in ("gzip", "deflate"):
        options = {} if level is None else {"level": level}
        compressor = _zlib.compressobj(wbits=_GZIP if coding == "gzip" else _ZLIB, **options)
        return Encoder(compressor.compress, compressor.flush)
    if coding == "br" and _brotli is not None:
        compressor = _brotli.Compressor(quality=_BROTLI_QUALITY if level is None else level)
        return Encoder(compressor.process, compressor.finish)
    if coding == "zstd" and _zstd_name:
        compressor = importlib.import_module(_zstd_name).ZstdCompressor(level)
        return Encoder(compressor.compress, compressor.flush)
    raise ValueError(f"Cannot encode with content coding {coding!r}; here there are {ACCEPT_ENCODING}")
