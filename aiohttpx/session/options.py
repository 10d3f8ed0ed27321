"""The keyword arguments of a request, for type checkers: `**options: Unpack[aiohttpx.RequestOptions]`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ssl import SSLContext
from typing import Any, TypedDict

from ..message.form import Files
from ..message.trailers import Trailers
from ..net.settings import OnInformational
from ..net.tls import SSLSetting
from ..net.upload import UploadTracker
from ..timeouts import ClientTimeout, ClientWSTimeout
from ..typedefs import LooseCookies, LooseHeaders, Params, StrOrURL
from ..wire.basicauth import BasicAuth
from .hops import AllowRedirects
from .middlewares import ClientMiddlewareType
from .statuscheck import RaiseForStatus


class _Options(TypedDict, total=False):
    params: Params
    json: Any
    files: Files | None
    cookies: LooseCookies | None
    headers: LooseHeaders | None
    skip_auto_headers: Iterable[str] | None
    auth: BasicAuth | None
    allow_redirects: AllowRedirects
    max_redirects: int | None
    compress: str | bool | None
    chunked: bool | None
    expect100: bool
    raise_for_status: RaiseForStatus | None
    read_until_eof: bool
    verify_ssl: bool | None
    fingerprint: bytes | None
    ssl_context: SSLContext | None
    ssl: SSLSetting
    server_hostname: str | None
    proxy: StrOrURL | None
    proxy_auth: BasicAuth | None
    proxy_headers: LooseHeaders | None
    trace_request_ctx: object
    read_bufsize: int | None
    auto_decompress: bool | None
    max_line_size: int | None
    max_field_size: int | None
    max_headers: int | None
    max_body_size: int | None
    on_informational: OnInformational | None
    timings: bool
    middlewares: Sequence[ClientMiddlewareType] | None
    trailers: Trailers | None
    upload_tracker: UploadTracker | None


class OptionsWithoutTimeout(_Options, total=False):
    """Those of `aiohttpx.request`, which names its `timeout`."""

    data: Any


class SendOptions(_Options, total=False):
    """Those of `post`, `put` and their like, which name their `data`."""

    timeout: ClientTimeout | float | None


class RequestOptions(OptionsWithoutTimeout, SendOptions, total=False):
    """What `ClientSession.request` takes besides a method and a URL, and what it says there."""


class WebSocketOptions(TypedDict, total=False):
    """What `ClientSession.ws_connect` takes besides a URL and `decode_text`."""

    method: str
    protocols: Iterable[str]
    timeout: ClientWSTimeout | float | None
    receive_timeout: float | None
    autoclose: bool
    autoping: bool
    heartbeat: float | None
    auth: BasicAuth | None
    origin: str | None
    params: Params
    headers: LooseHeaders | None
    proxy: StrOrURL | None
    proxy_auth: BasicAuth | None
    ssl: SSLSetting
    verify_ssl: bool | None
    fingerprint: bytes | None
    ssl_context: SSLContext | None
    server_hostname: str | None
    proxy_headers: LooseHeaders | None
    compress: int
    max_msg_size: int
