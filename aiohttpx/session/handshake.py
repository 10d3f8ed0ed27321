"""What a session offers for WebSockets. What it does for them is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from .. import hdrs
from ..message.response import ClientResponse
from ..timeouts import ClientWSTimeout
from ..typedefs import LooseHeaders, Params, StrOrURL
from .context import RequestContextManager

if TYPE_CHECKING:
    from ..net.tls import SSLSetting
    from .options import RequestOptions, WebSocketOptions
    from .reconnecting import OnConnect, WebSocketStream
    from .websocket import ClientWebSocketResponse

#: Bytes of one message.
MAX_MSG_SIZE = 4 * 1024 * 1024


class WebSocketConnecting:
    """What a session does for WebSockets."""

    _ws_response_class: type[ClientWebSocketResponse[Any]] | None

    @property
    def closed(self) -> bool:
        raise NotImplementedError

    def request(self, method: str, url: StrOrURL, **kwargs: Unpack[RequestOptions]) -> RequestContextManager[ClientResponse]:
        raise NotImplementedError

    @overload
    def ws_connect(
        self, url: StrOrURL, *, decode_text: Literal[True] = True, **options: Unpack[WebSocketOptions]
    ) -> RequestContextManager[ClientWebSocketResponse[Literal[True]]]: ...
    @overload
    def ws_connect(
        self, url: StrOrURL, *, decode_text: Literal[False], **options: Unpack[WebSocketOptions]
    ) -> RequestContextManager[ClientWebSocketResponse[Literal[False]]]: ...
    @overload
    def ws_connect(
        self, url: StrOrURL, *, decode_text: bool, **options: Unpack[WebSocketOptions]
    ) -> RequestContextManager[ClientWebSocketResponse[Any]]: ...
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
        params: Params = None,
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
        from .reconnecting import WebSocketStream

        return WebSocketStream(self, url, on_connect, backoff, attempts, options)

    def _ws_connect(self, url: StrOrURL, **options: Any) -> Coroutine[Any, Any, ClientWebSocketResponse[Any]]:
        from .opening import open_websocket

        return open_websocket(self.request, self._ws_response_class, url, **options)
