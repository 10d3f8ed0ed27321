"""What `import aiohttpx as aiohttp` has to offer: aiohttp's names, and what its errors and settings can be taken for."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import ssl
from typing import Any

import pytest

import aiohttpx

#: What code written for aiohttp's client asks of a session, a response, a stream and a connector.
OFFERS: dict[str, list[str]] = {
    "ClientSession": [
        "request", "get", "options", "head", "post", "put", "patch", "delete", "close", "detach", "closed", "connector",
        "connector_owner", "loop", "headers", "skip_auto_headers", "timeout", "version", "json_serialize", "raise_for_status",
        "auto_decompress",
    ],
    "ClientResponse": [
        "status", "reason", "version", "url", "real_url", "method", "headers", "raw_headers", "cookies", "history", "links",
        "content_type", "charset", "content_length", "content_disposition", "content", "read", "text", "json", "get_encoding",
        "release", "close", "closed", "wait_for_close", "raise_for_status", "ok", "request_info", "host", "connection",
    ],
    "ClientRequest": ["headers", "body", "update_body", "send", "is_ssl", "host", "port", "request_info"],
    "StreamReader": [
        "read", "readany", "readexactly", "readline", "readuntil", "readchunk", "read_nowait", "iter_any", "iter_chunked",
        "iter_chunks", "at_eof", "is_eof", "exception", "set_exception", "feed_data", "feed_eof", "on_eof", "wait_eof",
        "unread_data", "total_bytes", "__aiter__",
    ],
    "BaseConnector": ["connect", "close", "closed", "force_close", "limit", "limit_per_host"],
    "TCPConnector": ["family", "use_dns_cache", "clear_dns_cache"],
    "Connection": ["protocol", "transport", "connector", "closed", "release", "close", "add_callback"],
    "RequestInfo": ["url", "method", "headers", "real_url"],
    "ClientTimeout": ["total", "connect", "sock_read", "sock_connect", "ceil_threshold"],
    "Fingerprint": [],
    "HttpVersion": ["major", "minor"],
}  # fmt: skip

#: Each error, and all it can be caught as.
ERRORS: dict[str, tuple[type[Exception] | str, ...]] = {
    "ClientError": (Exception,),
    "ClientResponseError": ("ClientError",),
    "ContentTypeError": ("ClientResponseError",),
    "WSServerHandshakeError": ("ClientResponseError",),
    "ClientHttpProxyError": ("ClientResponseError",),
    "TooManyRedirects": ("ClientResponseError",),
    "ClientConnectionError": ("ClientError",),
    "ClientConnectionResetError": ("ClientConnectionError", ConnectionResetError),
    "ClientOSError": ("ClientConnectionError", OSError),
    "ClientConnectorError": ("ClientOSError",),
    "ClientConnectorDNSError": ("ClientConnectorError",),
    "ClientProxyConnectionError": ("ClientConnectorError",),
    "UnixClientConnectorError": ("ClientConnectorError",),
    "ClientSSLError": ("ClientConnectorError",),
    "ClientConnectorSSLError": ("ClientSSLError", ssl.SSLError),
    "ClientConnectorCertificateError": ("ClientSSLError", ssl.CertificateError),
    "ServerConnectionError": ("ClientConnectionError",),
    "ServerDisconnectedError": ("ServerConnectionError",),
    "ServerTimeoutError": ("ServerConnectionError", asyncio.TimeoutError),
    "ConnectionTimeoutError": ("ServerTimeoutError",),
    "SocketTimeoutError": ("ServerTimeoutError",),
    "ServerFingerprintMismatch": ("ServerConnectionError",),
    "ClientPayloadError": ("ClientError",),
    "InvalidURL": ("ClientError", ValueError),
    "InvalidUrlClientError": ("InvalidURL",),
    "NonHttpUrlClientError": ("InvalidURL",),
    "RedirectClientError": ("ClientError",),
    "InvalidUrlRedirectClientError": ("InvalidUrlClientError", "RedirectClientError"),
    "NonHttpUrlRedirectClientError": ("NonHttpUrlClientError", "RedirectClientError"),
}


@pytest.mark.parametrize("name", [*OFFERS, *ERRORS, "request", "hdrs", "EofStream", "HttpVersion10", "HttpVersion11"])
def test_the_names_are_there(name: str) -> None:
    assert name in aiohttpx.__all__
    value = getattr(aiohttpx, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert (value.__module__, value.__qualname__) == ("aiohttpx", name)


@pytest.mark.parametrize("name", OFFERS)
def test_they_offer_what_is_asked_of_them(name: str) -> None:
    cls = getattr(aiohttpx, name)
    assert [each for each in OFFERS[name] if not hasattr(cls, each) and each not in cls.__annotations__] == []


@pytest.mark.parametrize(("name", "kinds"), ERRORS.items(), ids=ERRORS)
def test_what_an_error_can_be_caught_as(name: str, kinds: tuple[type[Exception] | str, ...]) -> None:
    cls = getattr(aiohttpx, name)
    for kind in kinds:
        assert issubclass(cls, getattr(aiohttpx, kind) if isinstance(kind, str) else kind)
    # and as nothing else: consumers tell errors apart by asking in some order
    own = {base for base in cls.__mro__ if base.__module__ == "aiohttpx"} - {cls}
    wanted = {base for kind in kinds if isinstance(kind, str) for base in getattr(aiohttpx, kind).__mro__}
    assert own == {base for base in wanted if base.__module__ == "aiohttpx"}


def test_an_error_has_its_older_name_too() -> None:
    assert aiohttpx.FingerprintMismatch is aiohttpx.ServerFingerprintMismatch


def test_a_timeout_can_be_compared_and_changed() -> None:
    timeout = aiohttpx.ClientTimeout(1, 2, 3, 4, 5)
    assert timeout == aiohttpx.ClientTimeout(total=1, connect=2, sock_read=3, sock_connect=4, ceil_threshold=5)
    assert hash(timeout) == hash(aiohttpx.ClientTimeout(1, 2, 3, 4, 5))
    assert dataclasses.replace(timeout, total=None, sock_read=None) == aiohttpx.ClientTimeout(None, 2, None, 4, 5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        timeout.total = 5  # type: ignore[misc]


def test_a_timeout_can_be_changed_by_attrs() -> None:
    attrs: Any = pytest.importorskip("attrs")
    assert attrs.evolve(aiohttpx.ClientTimeout(1, 2, 3), total=None) == aiohttpx.ClientTimeout(None, 2, 3)


def test_everything_can_be_given_new_attributes() -> None:
    """As libraries do that trace requests."""
    open_to_all: list[Any] = [aiohttpx, aiohttpx.ClientSession, aiohttpx.ClientRequest, aiohttpx.ClientResponse]
    for value in open_to_all:
        value._seen = 1
        assert vars(value)["_seen"] == 1
        del value._seen
