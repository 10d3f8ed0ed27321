"""`ws_connect`: the opening handshake of a WebSocket (RFC 6455, section 4), as a request of a session."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from multidict import CIMultiDict

from .. import hdrs
from .._impl import FrameParser
from ..errors import BODY_LIMIT, ClientConnectionError, ClientError, WSHandshakeError, WSServerHandshakeError
from ..message.response import ClientResponse
from ..net.handler import ResponseHandler
from ..net.tls import SSLSetting
from ..net.websocket import WebSocketReader, WebSocketWriter
from ..timeouts import DEFAULT_WS_CLIENT_TIMEOUT, ClientWSTimeout
from ..typedefs import LooseHeaders, Query, StrOrURL
from ..wire.deflate import Deflater, Inflater
from ..wire.handshake import Agreement, DeflateParameters, check_answer, make_key, offer_deflate
from .context import RequestContextManager
from .reconnecting import OnConnect, WebSocketStream
from .websocket import ClientWebSocketResponse

#: Bytes of one message.
MAX_MSG_SIZE = 4 * 1024 * 1024
#: Seconds that the content of a refusal is waited for.
_MOMENT = 1.0


class WebSocketConnecting:
    """What a session does for WebSockets."""

    _ws_response_class: type[ClientWebSocketResponse[Any]]

    @property
    def closed(self) -> bool:
        raise NotImplementedError

    def request(self, method: str, url: StrOrURL, **kwargs: Any) -> RequestContextManager[ClientResponse]:
        raise NotImplementedError

    def ws_connect(
        self,
        url: StrOrURL,
        *,
        method: str = hdrs.METH_GET,
        protocols: Iterable[str] = (),
        timeout: ClientWSTimeout | float | None = None,
        receive_timeout: float | None = None,
        autoclose: bool = True,
        autoping: bool = True,
        heartbeat: float | None = None,
        auth: Any = None,
        origin: str | None = None,
        params: Query = None,
        headers: LooseHeaders | None = None,
        proxy: StrOrURL | None = None,
        proxy_auth: Any = None,
        ssl: SSLSetting = True,
        verify_ssl: bool | None = None,
        fingerprint: bytes | None = None,
        ssl_context: Any = None,
        server_hostname: str | None = None,
        proxy_headers: LooseHeaders | None = None,
        compress: int = 0,
        max_msg_size: int = MAX_MSG_SIZE,
        decode_text: bool = True,
    ) -> RequestContextManager[ClientWebSocketResponse[Any]]:
        """Open a WebSocket: await it, or use it in `async with`.

        :param url: http(s) or ws(s).
        :param protocols: subprotocols to offer, the preferred ones first.
        :param timeout: a `ClientWSTimeout`.
        :param autoclose: answer the peer's close frame when it is received; False: that is left to `close()`.
        :param autoping: answer pings as they come, and keep pings and pongs from whoever receives.
        :param heartbeat: seconds of silence after which to ping; a peer that stays silent for half as many more is given up.
        :param origin: the Origin field.
        :param compress: offer permessage-deflate, with a window of 2 ** `compress` bytes for the server, 9 to 15; 0: do not.
        :param max_msg_size: bytes of a message, larger ones end the connection with 1009; 0: no limit.
        :param decode_text: TEXT is str; False: bytes, as they came.

        Everything else is as in `request`. Redirects are not followed. Raises `WSServerHandshakeError` when the server does not
        agree, `ValueError` for a bad `compress`, and what `request` raises.
        """
        return RequestContextManager(
            self._ws_connect(
                url,
                method=method,
                protocols=protocols,
                timeout=timeout,
                receive_timeout=receive_timeout,
                autoclose=autoclose,
                autoping=autoping,
                heartbeat=heartbeat,
                auth=auth,
                origin=origin,
                params=params,
                headers=headers,
                proxy=proxy,
                proxy_auth=proxy_auth,
                ssl=ssl,
                verify_ssl=verify_ssl,
                fingerprint=fingerprint,
                ssl_context=ssl_context,
                server_hostname=server_hostname,
                proxy_headers=proxy_headers,
                compress=compress,
                max_msg_size=max_msg_size,
                decode_text=decode_text,
            )
        )

    def ws_stream(
        self,
        url: StrOrURL,
        *,
        on_connect: OnConnect | None = None,
        backoff: tuple[float, float] = (0.5, 60.0),
        attempts: int | None = None,
        **options: Any,
    ) -> WebSocketStream:
        """Iterate over the messages of a WebSocket that is opened again whenever it is lost: see `WebSocketStream`.

        :param on_connect: awaited with each WebSocket that is open, to subscribe to what is to come.
        :param backoff: seconds before it is opened again: the first time, and at the most.
        :param attempts: give up after so many in a row that brought no message.
        :param options: as for `ws_connect`; a `heartbeat` notices a connection that is lost without a word.
        """
        return WebSocketStream(self, url, on_connect, backoff, attempts, options)

    async def _ws_connect(
        self,
        url: StrOrURL,
        *,
        method: str = hdrs.METH_GET,
        protocols: Iterable[str] = (),
        timeout: ClientWSTimeout | float | None = None,
        receive_timeout: float | None = None,
        autoclose: bool = True,
        autoping: bool = True,
        heartbeat: float | None = None,
        origin: str | None = None,
        headers: LooseHeaders | None = None,
        compress: int = 0,
        max_msg_size: int = MAX_MSG_SIZE,
        decode_text: bool = True,
        **options: Any,
    ) -> ClientWebSocketResponse[Any]:
        limits = _limits(timeout, receive_timeout)
        protocols = tuple(protocols)
        fields: CIMultiDict[str] = CIMultiDict(headers or ())
        key = make_key()
        _open(fields, key, protocols, origin, compress)
        given = {name: value for name, value in options.items() if value is not None}
        response = await self.request(
            method, url, headers=fields, allow_redirects=False, read_until_eof=False, raise_for_status=False, **given
        )
        try:
            try:
                agreement = check_answer(response.status, response.headers, key, protocols, compress)
            except WSHandshakeError as error:
                raise await _refused(response, str(error)) from error
            reader, writer = _speak(response, agreement, autoping, max_msg_size, decode_text)
            deflate = agreement.deflate
            return self._ws_response_class(
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
        limits = replace(limits, ws_receive=receive_timeout)
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
