"""The opening handshake of a WebSocket (RFC 6455, section 4), as a request of a session."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

from multidict import CIMultiDict

from .. import hdrs
from .._impl import FrameParser
from ..errors import BODY_LIMIT, ClientConnectionError, ClientError, WSHandshakeError, WSServerHandshakeError
from ..message.response import ClientResponse
from ..net.handler import ResponseHandler
from ..net.websocket import WebSocketReader, WebSocketWriter
from ..timeouts import DEFAULT_WS_CLIENT_TIMEOUT, ClientWSTimeout
from ..typedefs import LooseHeaders, StrOrURL
from ..wire.deflate import Deflater, Inflater
from ..wire.handshake import Agreement, DeflateParameters, check_answer, make_key, offer_deflate
from .websocket import ClientWebSocketResponse

#: Seconds that the content of a refusal is waited for.
_MOMENT = 1.0


async def open_websocket(
    request: Callable[..., Awaitable[ClientResponse]],
    response_class: type[ClientWebSocketResponse[Any]] | None,
    url: StrOrURL,
    *,
    method: str,
    protocols: Iterable[str],
    timeout: ClientWSTimeout | float | None,
    receive_timeout: float | None,
    autoclose: bool,
    autoping: bool,
    heartbeat: float | None,
    origin: str | None,
    headers: LooseHeaders | None,
    compress: int,
    max_msg_size: int,
    decode_text: bool,
    **options: Any,
) -> ClientWebSocketResponse[Any]:
    """Open a WebSocket, an instance of `response_class`, by what makes requests. See `ClientSession.ws_connect`."""
    limits = _limits(timeout, receive_timeout)
    protocols = tuple(protocols)
    fields: CIMultiDict[str] = CIMultiDict(headers or ())
    key = make_key()
    _open(fields, key, protocols, origin, compress)
    given = {name: value for name, value in options.items() if value is not None}
    response = await request(
        method, url, headers=fields, allow_redirects=False, read_until_eof=False, raise_for_status=False, **given
    )
    try:
        try:
            agreement = check_answer(response.status, response.headers, key, protocols, compress)
        except WSHandshakeError as error:
            raise await _refused(response, str(error)) from error
        reader, writer = _speak(response, agreement, autoping, max_msg_size, decode_text)
        deflate = agreement.deflate
        return (response_class or ClientWebSocketResponse)(
            reader,
            writer,
            agreement.protocol,
            response,
            limits,
            autoclose,
            autoping,
            asyncio.get_running_loop(),
            heartbeat=heartbeat,
            compress=deflate.client_bits if deflate else 0,
            client_notakeover=deflate is not None and not deflate.client_takeover,
        )
    except BaseException:
        response.close()
        raise


def _limits(timeout: ClientWSTimeout | float | None, receive_timeout: float | None) -> ClientWSTimeout:
    if timeout is None:
        limits = DEFAULT_WS_CLIENT_TIMEOUT
    elif isinstance(timeout, ClientWSTimeout):
        limits = timeout
    else:
        text = "parameter 'timeout' of type 'float' is deprecated, please use 'timeout=ClientWSTimeout(ws_close=...)'"
        warnings.warn(text, DeprecationWarning, stacklevel=3)
        limits = ClientWSTimeout(ws_close=timeout)
    if receive_timeout is not None:
        text = "float parameter 'receive_timeout' is deprecated, please use parameter 'timeout=ClientWSTimeout(ws_receive=...)'"
        warnings.warn(text, DeprecationWarning, stacklevel=3)
        limits = limits.__replace__(ws_receive=receive_timeout)
    return limits


def _open(fields: CIMultiDict[str], key: str, protocols: tuple[str, ...], origin: str | None, compress: int) -> None:
    """Put into `fields` what makes the request an opening handshake (section 4.1)."""
    fields.setdefault(hdrs.UPGRADE, "websocket")
    fields.setdefault(hdrs.CONNECTION, "Upgrade")
    fields.setdefault(hdrs.SEC_WEBSOCKET_VERSION, "13")
    fields[hdrs.SEC_WEBSOCKET_KEY] = key
    if protocols:
        fields[hdrs.SEC_WEBSOCKET_PROTOCOL] = ",".join(protocols)
    if origin is not None:
        fields[hdrs.ORIGIN] = origin
    if compress:
        fields[hdrs.SEC_WEBSOCKET_EXTENSIONS] = offer_deflate(compress)


def _speak(
    response: ClientResponse, agreement: Agreement, autoping: bool, max_size: int, decode_text: bool
) -> tuple[WebSocketReader, WebSocketWriter]:
    """From here on the connection speaks WebSocket. Frames may have come with the head."""
    connection = None if response.connection is None else response.connection.protocol
    if not isinstance(connection, ResponseHandler):
        raise ClientConnectionError("The connection was lost right after the opening handshake")
    deflate = agreement.deflate
    parser = FrameParser(max_size, deflate is not None, decode_text)
    inflater = None if deflate is None else Inflater(max_size, deflate.server_bits, deflate.server_takeover, decode_text)
    writer = WebSocketWriter(connection, _deflater(deflate))
    reader = WebSocketReader(connection, writer, parser, inflater, autoping)
    early = response.content.read_nowait()
    connection.hand_over(reader)
    if early:
        reader.data_received(early)
    return reader, writer


def _deflater(deflate: DeflateParameters | None) -> Deflater | None:
    # zlib cannot write with a window of 8 bits; a message may always go as it is (RFC 7692, section 6).
    return None if deflate is None or deflate.client_bits < 9 else Deflater(deflate.client_bits, deflate.client_takeover)


async def _refused(response: ClientResponse, message: str) -> WSServerHandshakeError:
    """The error for an answer that is not what was asked for. It carries the start of the content, if that comes in a moment."""
    body = None
    if response.status != 101:
        with suppress(ClientError, TimeoutError):
            async with asyncio.timeout(_MOMENT):
                body = await response.content.read(BODY_LIMIT)
    return WSServerHandshakeError(
        response.request_info, response.history, status=response.status, message=message, headers=response.headers, body=body
    )
