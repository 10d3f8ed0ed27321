"""The keyword arguments of a request, for who types them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict

from ..typedefs import LooseCookies, LooseHeaders, Query, StrOrURL


class _RequestOptions(TypedDict, total=False):
    params: Query
    data: Any
    json: Any
    cookies: LooseCookies | None
    headers: LooseHeaders | None
    skip_auto_headers: Iterable[str] | None
    auth: Any
    allow_redirects: bool
    max_redirects: int
    compress: str | bool | None
    chunked: bool | None
    expect100: bool
    raise_for_status: Any
    read_until_eof: bool
    proxy: StrOrURL | None
    proxy_auth: Any
    timeout: Any
    ssl: Any
    server_hostname: str | None
    proxy_headers: LooseHeaders | None
    trace_request_ctx: object
    read_bufsize: int | None
    auto_decompress: bool | None
    max_line_size: int | None
    max_field_size: int | None
    max_headers: int | None
    middlewares: Any
    upload_tracker: Any
