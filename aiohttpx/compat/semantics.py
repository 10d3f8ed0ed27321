"""Small facts of HTTP that code for aiohttp asks its helpers for (RFC 9110)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate
from http import HTTPStatus
from typing import Any, Final

from ..message.sources import filename_of
from ..wire.codings import ACCEPT_ENCODING

#: What a status means: (its phrase, its description).
RESPONSES: Final = {status.value: (status.phrase, status.description) for status in HTTPStatus}
#: Responses to these have no content (section 9.3.2), and neither have those with these statuses (sections 15.2, 15.3.5, 15.4.5).
EMPTY_BODY_METHODS: Final = frozenset({"HEAD"})
EMPTY_BODY_STATUS_CODES: Final = frozenset({204, 304, *range(100, 200)})
#: What is hashed with the key of an opening handshake (RFC 6455, section 1.3).
WS_KEY: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HAS_BROTLI: Final = "br" in ACCEPT_ENCODING
HAS_ZSTD: Final = "zstd" in ACCEPT_ENCODING
ETAG_ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class ETag:
    """An entity tag (section 8.8.3)."""

    value: str
    is_weak: bool = False


def must_be_empty_body(method: str, code: int) -> bool:
    """A response to `method` with this status has no content."""
    return method in EMPTY_BODY_METHODS or should_remove_content_length(method, code)


def should_remove_content_length(method: str, code: int) -> bool:
    """Such a response has no Content-Length either (section 8.6)."""
    return code in EMPTY_BODY_STATUS_CODES or (method == "CONNECT" and 200 <= code < 300)


def parse_http_date(date_str: str | None) -> datetime | None:
    """The time that the value of a field names (section 5.6.7), None when it names none."""
    parts = None if date_str is None else parsedate(date_str)
    try:
        return None if parts is None else datetime(*parts[:6], tzinfo=UTC)
    except ValueError:
        return None


def is_ip_address(host: str | None) -> bool:
    """`host` is written as an IP address; it may be none."""
    return bool(host) and (":" in str(host) or str(host).replace(".", "").isdigit())


def guess_filename(obj: Any, default: str | None = None) -> str | None:
    """The name of a file object, without its folder."""
    return filename_of(obj) or default
