"""The opening handshake (RFC 6455, section 4) and the one extension it may agree on, permessage-deflate (RFC 7692, section 7.1).

key = make_key()
offer = offer_deflate(15)               # for Sec-WebSocket-Extensions
agreed = check_answer(101, headers, key, ["chat"], 15)     # Agreement("chat", DeflateParameters(...))
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from multidict import CIMultiDict, CIMultiDictProxy

from .. import hdrs
from ..errors import WSHandshakeError

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
# RFC 6455, section 9.1; what a quoted-string says has to be a token too.
_PARAMETER: Final = re.compile(rf'[ \t]*+;[ \t]*+({_TOKEN})(?:[ \t]*+=[ \t]*+(?:({_TOKEN})|"({_TOKEN})"))?+')
_NAME: Final = re.compile(rf"[ \t,]*+({_TOKEN})")
_END_OF_EXTENSION: Final = re.compile(r"[ \t]*+(?:,|\Z)")
_BITS: Final = re.compile(r"[89]|1[0-5]")

_DEFLATE: Final = "permessage-deflate"
_SERVER_BITS, _CLIENT_BITS = "server_max_window_bits", "client_max_window_bits"
_SERVER_NO_TAKEOVER, _CLIENT_NO_TAKEOVER = "server_no_context_takeover", "client_no_context_takeover"

_Headers = CIMultiDict[str] | CIMultiDictProxy[str]


class Extension(NamedTuple):
    """An element of Sec-WebSocket-Extensions: its name, and its parameters in their order; None for one without a value."""

    name: str
    parameters: tuple[tuple[str, str | None], ...]


class DeflateParameters(NamedTuple):
    """How both sides compress: windows of 2 ** bits bytes, 8 to 15, kept from message to message when there is takeover."""

    client_bits: int = 15
    server_bits: int = 15
    client_takeover: bool = True
    server_takeover: bool = True


class Agreement(NamedTuple):
    """What an opening handshake agreed on."""

    protocol: str | None
    deflate: DeflateParameters | None


def make_key() -> str:
    """A value for Sec-WebSocket-Key: 16 random bytes as base64 (section 4.1)."""
    return base64.b64encode(os.urandom(16)).decode()


def accept_key(key: str) -> str:
    """The Sec-WebSocket-Accept that answers this key (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def offer_deflate(compress: int) -> str:
    """A value for Sec-WebSocket-Extensions that offers permessage-deflate: the server's window has at most 2 ** `compress` bytes,
    and it may choose ours.

    :raises ValueError: `compress` is not 9 to 15; zlib cannot write with a window of 8 bits.
    """
    if not 9 <= compress <= 15:
        raise ValueError(f"compress must be 0, or 9 to 15 window bits, not {compress!r}")
    offer = f"{_DEFLATE}; {_CLIENT_BITS}"
    return offer if compress == 15 else f"{offer}; {_SERVER_BITS}={compress}"


def check_answer(
    status: int,
    headers: _Headers,
    key: str,
    protocols: Iterable[str] = (),
    compress: int = 0,
) -> Agreement:
    """What the server's answer agrees to (section 4.1).

    :param key: the Sec-WebSocket-Key that was sent.
    :param protocols: the subprotocols that were offered.
    :param compress: what `offer_deflate` was given; 0: nothing was offered.
    :raises WSHandshakeError: the answer is wrong.
    """
    if status != 101:
        raise WSHandshakeError("Invalid response status")
    if [value.lower() for value in _values(headers, hdrs.UPGRADE)] != ["websocket"]:
        raise WSHandshakeError("Invalid upgrade header")
    if "upgrade" not in [token.strip(" \t").lower() for value in _values(headers, hdrs.CONNECTION) for token in value.split(",")]:
        raise WSHandshakeError("Invalid connection header")
    if _values(headers, hdrs.SEC_WEBSOCKET_ACCEPT) != [accept_key(key)]:
        raise WSHandshakeError("Invalid challenge response")
    return Agreement(_agreed_protocol(headers, protocols), _agreed_deflate(headers, compress))


def _values(headers: _Headers, name: str) -> list[str]:
    return [value.strip(" \t") for value in headers.getall(name, ())]


def _agreed_protocol(headers: _Headers, protocols: Iterable[str]) -> str | None:
    chosen = _values(headers, hdrs.SEC_WEBSOCKET_PROTOCOL)
    if not chosen:
        return None
    if len(chosen) > 1 or chosen[0] not in protocols:
        raise WSHandshakeError(f"Invalid subprotocol: {', '.join(chosen)!r} was not offered")
    return chosen[0]


def _agreed_deflate(headers: _Headers, compress: int) -> DeflateParameters | None:
    extensions = parse_extensions(", ".join(_values(headers, hdrs.SEC_WEBSOCKET_EXTENSIONS)))
    if not extensions:
        return None
    [extension, *others] = extensions
    if not compress or extension.name != _DEFLATE or others:
        raise WSHandshakeError(f"Invalid extension: {(others or extensions)[0].name!r} was not offered")
    return check_deflate(extension, compress)


def parse_extensions(value: str) -> list[Extension]:
    """The elements of Sec-WebSocket-Extensions (section 9.1).

    :raises WSHandshakeError: it is malformed.
    """
    extensions = []
    at = 0
    while name := _NAME.match(value, at):
        at = name.end()
        parameters = []
        while found := _PARAMETER.match(value, at):
            parameters.append((found[1], found[2] or found[3]))
            at = found.end()
        extensions.append(Extension(name[1], tuple(parameters)))
        end = _END_OF_EXTENSION.match(value, at)
        if end is None:
            break
        at = end.end()
    if value[at:].strip(" \t,"):
        raise WSHandshakeError(f"Invalid extension header: {value!r}")
    return extensions


def check_deflate(extension: Extension, compress: int = 15) -> DeflateParameters:
    """What the server's answer to `offer_deflate(compress)` makes of permessage-deflate (RFC 7692, section 7.1).

    :raises WSHandshakeError: a parameter is unknown, there twice, without a legal value, or no answer to the offer.
    """
    given = dict(extension.parameters)
    if len(given) != len(extension.parameters):
        raise WSHandshakeError(f"Invalid {_DEFLATE}: a parameter is there twice")
    for name, value in given.items():
        if name in (_SERVER_NO_TAKEOVER, _CLIENT_NO_TAKEOVER):
            legal = value is None
        elif name in (_SERVER_BITS, _CLIENT_BITS):
            legal = value is not None and _BITS.fullmatch(value) is not None
        else:
            legal = False
        if not legal or (name == _SERVER_BITS and int(value or 0) > compress):
            raise WSHandshakeError(f"Invalid {_DEFLATE}: {name if value is None else f'{name}={value}'!r}")
    return DeflateParameters(
        client_bits=int(given.get(_CLIENT_BITS) or 15),
        server_bits=int(given.get(_SERVER_BITS) or 15),
        client_takeover=_CLIENT_NO_TAKEOVER not in given,
        server_takeover=_SERVER_NO_TAKEOVER not in given,
    )
