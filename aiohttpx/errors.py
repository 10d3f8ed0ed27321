"""Every exception of the package, in one tree. The names and their inheritance are aiohttp's: consumers compare identities.

    ClientError
    ├── ClientResponseError                     a response came, and says no
    │   ├── ContentTypeError                    json() of something that is not JSON
    │   ├── WSServerHandshakeError              the answer to an opening handshake is wrong
    │   ├── ClientHttpProxyError                the proxy refused
    │   └── TooManyRedirects
    ├── ClientConnectionError                   the connection failed
    │   ├── ClientConnectionResetError          (ConnectionResetError) while sending
    │   ├── ClientOSError                       (OSError)
    │   │   └── ClientConnectorError            it could not be opened
    │   │       ├── ClientConnectorDNSError
    │   │       ├── ClientProxyConnectionError
    │   │       ├── UnixClientConnectorError
    │   │       ├── SSRFError                       a guard does not let anyone connect there
    │   │       └── ClientSSLError
    │   │           ├── ClientConnectorSSLError          (ssl.SSLError)
    │   │           └── ClientConnectorCertificateError  (ssl.CertificateError)
    │   └── ServerConnectionError               it was open, and the peer failed
    │       ├── ServerDisconnectedError
    │       ├── ServerTimeoutError              (TimeoutError)
    │       │   ├── ConnectionTimeoutError      connect, sock_connect, pool, dns, tls
    │       │   └── SocketTimeoutError          sock_read
    │       └── ServerFingerprintMismatch       = FingerprintMismatch
    ├── ClientPayloadError                      a body is broken or cut short
    │   ├── BodyTooLarge                        it is over `max_body_size`
    │   └── ChecksumMismatch                    a download is not what it should be
    ├── UploadAbortedError                      an `UploadTracker`'s request is over, its body was not sent whole
    ├── InvalidURL                              (ValueError)
    │   ├── InvalidUrlClientError
    │   └── NonHttpUrlClientError
    └── RedirectClientError
        ├── InvalidUrlRedirectClientError       (InvalidUrlClientError)
        └── NonHttpUrlRedirectClientError       (NonHttpUrlClientError)

    HttpProcessingError                         they broke the protocol: raised by the engine, which knows no host
    └── BadHttpMessage
        ├── BadStatusLine
        ├── InvalidHeader
        ├── LineTooLong                         a limit was passed
        └── PayloadEncodingError
            ├── ContentEncodingError
            ├── ContentLengthError
            └── TransferEncodingError

    WSMessageTypeError                          (TypeError) another message than the one asked for
    WebSocketError                              they broke the WebSocket protocol: what an ERROR message holds
    WSHandshakeError                            ... already in the opening handshake; the user sees WSServerHandshakeError

The engine's errors become the user's once, in message/response.py: a broken head is a ClientResponseError with status 400,
a broken body a ClientPayloadError.
"""

from __future__ import annotations

import ssl
import warnings
from typing import TYPE_CHECKING, Any, Final

from .patterns import pattern
from .secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

#: As much of a refused response's body as an error carries, in bytes.
BODY_LIMIT = 4096
_BODY_SHOWN = 200
#: What is before the authority of a URL, as browsers read it, and the authority.
_SCHEME: Final = pattern(r"[^:/?#\\@]*:[/\\]*|[/\\]{2,}")
_AUTHORITY: Final = pattern(r"[^/?#\\]*")


class ClientError(Exception):
    """Anything that can go wrong with a request."""


class ClientResponseError(ClientError):
    """A response arrived and its status, or its content, is an error.

    :param request_info: what was asked for (`RequestInfo`).
    :param history: the responses that led here by redirects.
    :param status: the HTTP status code; 0 when there was none.
    :param message: the reason phrase, or what is wrong.
    :param headers: the response's headers.
    :param body: the start of the response's body, at most 4 KiB, when it was read.
    """

    def __init__(
        self,
        request_info: Any,
        history: tuple[Any, ...],
        *,
        code: int | None = None,
        status: int | None = None,
        message: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        if code is not None:
            if status is not None:
                raise ValueError("code and status were both given; code is deprecated, use status")
            warnings.warn("code is deprecated, use status", DeprecationWarning, stacklevel=2)
            status = code
        super().__init__(request_info, history)
        self.request_info = request_info
        self.history = history
        self.status = status or 0
        self.message = message
        self.headers = headers
        self.body = body

    def __str__(self) -> str:
        said = f"{self.status}, message={self.message!r}, url={str(self.request_info.real_url)!r}"
        if self.body is not None:
            shown = self.body[:_BODY_SHOWN].decode("utf-8", "replace")
            more = "..." if len(self.body) > _BODY_SHOWN else ""
            said += f", method={self.request_info.method!r}, body={shown + more!r}"
        return said

    def __repr__(self) -> str:
        said = [repr(self.request_info), repr(self.history)]
        if self.status:
            said.append(f"status={self.status!r}")
        if self.message:
            said.append(f"message={self.message!r}")
        if self.headers is not None:
            said.append(f"headers={without_secrets(self.headers)!r}")
        return f"{type(self).__name__}({', '.join(said)})"

    @property
    def code(self) -> int:
        """The old name of `status`."""
        warnings.warn("code is deprecated, use status", DeprecationWarning, stacklevel=2)
        return self.status

    @code.setter
    def code(self, value: int) -> None:
        warnings.warn("code is deprecated, use status", DeprecationWarning, stacklevel=2)
        self.status = value


class ContentTypeError(ClientResponseError):
    """The response's content type is not what was asked for."""


class WSServerHandshakeError(ClientResponseError):
    """The server's answer to the opening handshake is wrong (RFC 6455, section 4.1)."""


class ClientHttpProxyError(ClientResponseError):
    """The proxy answered a CONNECT with something other than success."""


class TooManyRedirects(ClientResponseError):
    """More redirects than `max_redirects`; `history` holds them."""


class ClientConnectionError(ClientError):
    """The connection failed."""


class ClientConnectionResetError(ClientConnectionError, ConnectionResetError):
    """The connection was lost while the request was being sent."""


class ClientOSError(ClientConnectionError, OSError):
    """The operating system refused."""


def _name(key: Any) -> str:
    """The peer of a connection key, which may be any object with `host` and `port`."""
    proxy = getattr(key, "proxy", None)
    return f"{key.host}:{key.port}" if proxy is None else f"{key.host}:{key.port} through {proxy}"


def _said_by(os_error: OSError) -> str:
    return os_error.strerror or str(os_error) or type(os_error).__name__


class ClientConnectorError(ClientOSError):
    """A connection could not be opened.

    :param connection_key: what it was to be opened to: an object with `host`, `port` and `ssl`.
    :param os_error: what the operating system said.
    """

    def __init__(self, connection_key: Any, os_error: OSError) -> None:
        super().__init__(os_error.errno, os_error.strerror)
        self._connection_key = connection_key
        self._os_error = os_error
        self.args = (connection_key, os_error)

    # OSError builds itself from (errno, strerror) when unpickled; our arguments are others.
    __reduce__ = BaseException.__reduce__

    @property
    def os_error(self) -> OSError:
        return self._os_error

    @property
    def host(self) -> str:
        return self._connection_key.host  # type: ignore[no-any-return]

    @property
    def port(self) -> int | None:
        return self._connection_key.port  # type: ignore[no-any-return]

    @property
    def ssl(self) -> Any:
        """The `ssl=` setting that was used: True, False, an SSLContext or a Fingerprint."""
        return self._connection_key.ssl

    def __str__(self) -> str:
        setting = "default" if self.ssl is True else self.ssl
        return f"Cannot connect to host {_name(self._connection_key)} ssl:{setting} [{_said_by(self._os_error)}]"


class ClientConnectorDNSError(ClientConnectorError):
    """The host's name could not be resolved."""


class ClientProxyConnectionError(ClientConnectorError):
    """The proxy could not be reached."""


class UnixClientConnectorError(ClientConnectorError):
    """The Unix socket at `path` could not be reached."""

    def __init__(self, path: str, connection_key: Any, os_error: OSError) -> None:
        super().__init__(connection_key, os_error)
        self._path = path
        self.args = (path, connection_key, os_error)

    @property
    def path(self) -> str:
        return self._path

    def __str__(self) -> str:
        setting = "default" if self.ssl is True else self.ssl
        return f"Cannot connect to unix socket {self.path} ssl:{setting} [{_said_by(self._os_error)}]"


class SSRFError(ClientConnectorError):
    """The connector's guard does not let anyone connect there."""


class ClientSSLError(ClientConnectorError):
    """TLS could not be established."""


class ClientConnectorSSLError(ClientSSLError, ssl.SSLError):
    """The TLS handshake failed."""


class ClientConnectorCertificateError(ClientSSLError, ssl.CertificateError):
    """The peer's certificate does not verify."""

    def __init__(self, connection_key: Any, certificate_error: Exception) -> None:
        os_error = certificate_error if isinstance(certificate_error, OSError) else OSError()
        super().__init__(connection_key, os_error)
        self._certificate_error = certificate_error
        self.args = (connection_key, certificate_error)

    @property
    def certificate_error(self) -> Exception:
        return self._certificate_error

    @property
    def ssl(self) -> bool:
        return self._connection_key.is_ssl  # type: ignore[no-any-return]

    def __str__(self) -> str:
        wrong = self._certificate_error
        return f"Cannot connect to host {_name(self._connection_key)} ssl:{self.ssl} [{type(wrong).__name__}: {wrong.args}]"


class ServerConnectionError(ClientConnectionError):
    """The connection was open, and the peer failed."""


class ServerDisconnectedError(ServerConnectionError):
    """The peer closed the connection before the response was there."""

    def __init__(self, message: Any = None) -> None:
        self.message = "Server disconnected" if message is None else message
        super().__init__(self.message)


class ServerTimeoutError(ServerConnectionError, TimeoutError):
    """A time limit struck; the text names the phase."""


class ConnectionTimeoutError(ServerTimeoutError):
    """A time limit struck before there was a connection."""


class SocketTimeoutError(ServerTimeoutError):
    """The peer sent nothing for `sock_read` seconds."""


class ServerFingerprintMismatch(ServerConnectionError):
    """The peer's certificate is not the pinned one. `expected` and `got` are digests."""

    def __init__(self, expected: bytes, got: bytes, host: str, port: int) -> None:
        super().__init__(expected, got, host, port)
        self.expected = expected
        self.got = got
        self.host = host
        self.port = port

    def __repr__(self) -> str:
        return f"<{type(self).__name__} expected={self.expected!r} got={self.got!r} host={self.host!r} port={self.port!r}>"


#: The name of seed 002.
FingerprintMismatch = ServerFingerprintMismatch


class ClientPayloadError(ClientError):
    """A body is malformed, cut short, or cannot be sent."""


class BodyTooLarge(ClientPayloadError):
    """The content of a response, or one event of it, is over `limit` bytes, decoded; `name` is the parameter that sets it."""

    def __init__(self, limit: int, name: str = "max_body_size") -> None:
        super().__init__(limit, name)
        self.limit = limit
        self.name = name

    def __str__(self) -> str:
        return f"The content of the response is larger than {self.limit} bytes ({self.name})"


class ChecksumMismatch(ClientPayloadError):
    """A file was downloaded and its digest is not the expected one. `expected` and `got` are hexadecimal."""

    def __init__(self, path: str, algorithm: str, expected: str, got: str) -> None:
        super().__init__(path, algorithm, expected, got)
        self.path = path
        self.algorithm = algorithm
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        return f"The {self.algorithm} digest of what was downloaded to {self.path!r} is {self.got}, not {self.expected}"


class UploadAbortedError(ClientError):
    """The body of a request was not sent whole, though no error of its own kept it from that."""


class InvalidURL(ClientError, ValueError):
    """The URL cannot be used; `url` is as it was given, and its credentials are not in the text."""

    def __init__(self, url: Any, description: str | None = None) -> None:
        super().__init__(*((url, description) if description else (url,)))
        self._url = url
        self._description = description

    @property
    def url(self) -> Any:
        return self._url

    @property
    def description(self) -> str | None:
        return self._description

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        url = _without_userinfo(str(self._url))
        return f"{url} - {self._description}" if self._description else url


def _without_userinfo(url: str) -> str:
    """With a slash in the password, a URL has no host, and what looks like its port is no number."""
    start = _SCHEME.match(url)
    if start is None:
        return url
    rest = url[start.end() :]
    authority = _AUTHORITY.match(rest)[0]  # type: ignore[index]  # it matches nothing, too
    has_no_host = "@" not in authority and authority.partition(":")[2].strip("0123456789")
    _, at, shown = (rest if has_no_host else authority).rpartition("@")
    return f"{start[0]}...@{shown}{'' if has_no_host else rest[len(authority) :]}" if at else url


class InvalidUrlClientError(InvalidURL):
    """The URL has no host, or cannot be parsed."""


class NonHttpUrlClientError(InvalidURL):
    """The URL's scheme is not one that is spoken here."""


class RedirectClientError(ClientError):
    """A redirect leads nowhere."""


class InvalidUrlRedirectClientError(InvalidUrlClientError, RedirectClientError):
    """A redirect leads to a URL that cannot be used."""


class NonHttpUrlRedirectClientError(NonHttpUrlClientError, RedirectClientError):
    """A redirect leads to another scheme than http(s)."""


class HttpProcessingError(Exception):
    """What the peer sent is not HTTP.

    `code` is the status that stands for it (400 for a broken message), `message` says what is wrong and shows the bytes.
    An engine that raises it has put into `events` what the same bytes said before the error.
    """

    code = 0
    message = ""

    def __init__(self, *, code: int | None = None, message: str = "", headers: Any = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.headers = headers
        self.message = message
        self.events: list[Any] = []

    def __str__(self) -> str:
        return f"{self.code}, message:\n  " + self.message.replace("\n", "\n  ")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.code}, message={self.message!r}>"


class BadHttpMessage(HttpProcessingError):
    """A message is malformed."""

    code = 400

    def __init__(self, message: str, *, headers: Any = None) -> None:
        super().__init__(message=message, headers=headers)


class BadStatusLine(BadHttpMessage):
    """A status line is malformed (RFC 9112, section 4)."""


class InvalidHeader(BadHttpMessage):
    """A field line is malformed (RFC 9112, section 5)."""


class LineTooLong(BadHttpMessage):
    """A line, or a head, is over the limit."""


class PayloadEncodingError(BadHttpMessage):
    """A body is malformed."""


class ContentEncodingError(PayloadEncodingError):
    """A content coding is broken (RFC 9110, section 8.4)."""


class ContentLengthError(PayloadEncodingError):
    """A body ended before its Content-Length (RFC 9112, section 6.3)."""


class TransferEncodingError(PayloadEncodingError):
    """A chunk is malformed (RFC 9112, section 7.1)."""


class WSMessageTypeError(TypeError):
    """A WebSocket message came that is not of the type that was asked for."""


class WebSocketError(Exception):
    """What the peer sent is not the WebSocket protocol.

    `code` is the close code that says so to the peer (RFC 6455, section 7.4), the text says what is wrong. An engine that raises
    it has put into `messages` what the same bytes said before the error.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.messages: list[Any] = []

    def __str__(self) -> str:
        return str(self.args[1])


class WSHandshakeError(Exception):
    """The answer to an opening handshake is wrong (RFC 6455, section 4.1): raised by wire/, which knows no host."""


class EofStream(Exception):
    """The end of a stream was read."""
