"""TLS: what the `ssl=` setting of a request means, pinned certificates, and the resumption of sessions.

A setting is True (verified with the system's CAs), False (not verified), an `ssl.SSLContext`, or a `Fingerprint` (one certificate
and no other). Contexts of our own are made when they are first needed, and never again.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import ssl
import sys
import threading
import warnings
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TypeAlias

from ..errors import ServerFingerprintMismatch

__all__ = (
    "Fingerprint",
    "SSLSetting",
    "TLSSessions",
    "check_protocol",
    "context_for",
    "known_context",
    "merge_ssl_settings",
    "pin_of",
)

_DIGESTS = {16: "md5", 20: "sha1", 32: "sha256"}


class Fingerprint:
    """Trust exactly one certificate, whoever signed it: `ssl=Fingerprint(digest)`.

    :param fingerprint: the digest of the certificate in DER form: 32 bytes of SHA-256. MD5 (16) and SHA-1 (20) are deprecated.
    :raises ValueError: the digest has another length.
    """

    __slots__ = ("_algorithm", "_digest")

    def __init__(self, fingerprint: bytes) -> None:
        if not isinstance(fingerprint, bytes | bytearray | memoryview):
            raise TypeError(f"fingerprint should be bytes, not {fingerprint!r}")
        digest = bytes(fingerprint)
        algorithm = _DIGESTS.get(len(digest))
        if algorithm is None:
            raise ValueError("fingerprint has invalid length")
        if algorithm != "sha256":
            warnings.warn(f"{algorithm} fingerprints are insecure and deprecated, use sha256", DeprecationWarning, stacklevel=2)
        self._algorithm = algorithm
        self._digest = digest

    @property
    def fingerprint(self) -> bytes:
        return self._digest

    def check(self, transport: asyncio.BaseTransport) -> None:
        """Compare with the certificate of the peer of `transport`; a transport without TLS has none to compare.

        :raises ServerFingerprintMismatch: it is another one.
        """
        tls = transport.get_extra_info("ssl_object")
        if tls is None:
            return
        import hashlib

        certificate = tls.getpeercert(binary_form=True) or b""
        got = hashlib.new(self._algorithm, certificate).digest()
        if got != self._digest:
            host, port, *_ = transport.get_extra_info("peername") or ("", 0)
            raise ServerFingerprintMismatch(self._digest, got, host, port)

    # Equal pins share connections: a setting is a part of the connection key.
    def __eq__(self, other: object) -> bool:
        return self._digest == other._digest if isinstance(other, Fingerprint) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return f"Fingerprint({self._digest!r})"


SSLSetting: TypeAlias = bool | ssl.SSLContext | Fingerprint

_MODERN_FORMS = {"verify_ssl": "ssl=False", "ssl_context": "ssl=context", "fingerprint": "ssl=Fingerprint(fingerprint)"}


def merge_ssl_settings(
    setting: SSLSetting | None,
    verify_ssl: bool | None = None,
    ssl_context: ssl.SSLContext | None = None,
    fingerprint: bytes | None = None,
) -> SSLSetting:
    """The one setting that `ssl=` or one of its three old forms gives. True, and None in the old forms, say nothing.

    :raises ValueError: more than one is given.
    :raises TypeError: it is none of the types that can be given.
    """
    if setting is None:
        setting = True
    if not isinstance(setting, SSLSetting):
        raise TypeError(f"ssl should be SSLContext, bool, Fingerprint or None, got {setting!r} instead")
    if ssl_context is not None and not isinstance(ssl_context, ssl.SSLContext):
        raise TypeError(f"ssl_context should be SSLContext or None, got {ssl_context!r} instead")
    given: list[tuple[str, SSLSetting]] = []
    if setting is not True:
        given.append(("ssl", setting))
    if verify_ssl is not None and not verify_ssl:
        given.append(("verify_ssl", False))
    if ssl_context is not None:
        given.append(("ssl_context", ssl_context))
    if fingerprint is not None:
        given.append(("fingerprint", Fingerprint(fingerprint)))
    if len(given) > 1:
        raise ValueError(f"{' and '.join(name for name, _ in given)} can not be used at the same time")
    if not given:
        return True
    name, setting = given[0]
    if name in _MODERN_FORMS:
        warnings.warn(f"{name} is deprecated, use {_MODERN_FORMS[name]}", DeprecationWarning, stacklevel=3)
    return setting


def check_protocol(transport: asyncio.BaseTransport) -> None:
    """See that the peer speaks HTTP/1.1 from here on (ALPN, RFC 7301): a context may have offered more than that.

    :raises ssl.SSLError: it speaks HTTP/2.
    """
    tls = transport.get_extra_info("ssl_object")
    if isinstance(tls, ssl.SSLObject) and tls.selected_alpn_protocol() == "h2":
        text = "The server chose HTTP/2 (h2), which the SSLContext offers: let it offer what is spoken here, "
        raise ssl.SSLError(ssl.SSL_ERROR_SSL, text + "context.set_alpn_protocols(['http/1.1'])")


#: A session for the next handshake of this task, put there by `TLSSessions.offered`.
_offer: ContextVar[list[ssl.SSLSession] | None] = ContextVar("_offer", default=None)


_WRAP_BIO = ssl.SSLContext.wrap_bio


class _ResumingEnd(ssl.SSLObject):
    """A client's end of TLS whose handshake takes up the session on offer: event loops have no parameter for one."""

    def do_handshake(self) -> None:
        if not self.server_side and (offer := _offer.get()):
            self.session = offer.pop()
        super().do_handshake()


@contextmanager
def handshakes_in_turn() -> Iterator[list[ssl.SSLSession]]:
    """Around the opening of a connection and a handshake through it, which uvloop makes in the context that the connection was
    opened in: what is offered later must be seen there."""
    offer: list[ssl.SSLSession] = []
    token = _offer.set(offer)
    try:
        yield offer
    finally:
        _offer.reset(token)


class TLSSessions:
    """TLS sessions to be resumed, by peer: what was proven to one is never shown to another.

    It keeps the TLS objects of the last connections, since the server sends its tickets at any time after the handshake
    (RFC 8446, section 4.6.1). A ticket is used once, so that nobody can link two connections by it (appendix C.4).

    :param max_size: how many are kept, some 30 KB each.
    """

    def __init__(self, max_size: int = 128) -> None:
        self._max_size = max_size
        self._known: dict[ssl.SSLObject, Hashable] = {}

    @contextmanager
    def offered(self, peer: Hashable, context: ssl.SSLContext) -> Iterator[None]:
        """A handshake by `context` that this task starts inside resumes the oldest session that `peer` has."""
        if getattr(type(context), "wrap_bio", None) is _WRAP_BIO and context.sslobject_class is ssl.SSLObject:
            # Those of their own (truststore's) look at the certificates after the handshake: a resumed one shows none.
            context.sslobject_class = _ResumingEnd
        tls = next((tls for tls, known in self._known.items() if known == peer), None)
        session = None
        if tls is not None:
            del self._known[tls]
            session = tls.session
        outer = _offer.get()
        with handshakes_in_turn() if outer is None else nullcontext(outer) as offer:
            offer[:] = [] if session is None else [session]
            try:
                yield
            finally:
                offer.clear()

    def keep(self, peer: Hashable, transport: asyncio.BaseTransport) -> None:
        """Remember the connection of `transport`, whose other end has proven to be `peer`."""
        tls = transport.get_extra_info("ssl_object")
        if isinstance(tls, _ResumingEnd):
            self._known[tls] = peer
            if len(self._known) > self._max_size:
                del self._known[next(iter(self._known))]


_contexts: dict[bool, ssl.SSLContext] = {}
_lock = threading.Lock()
_loading: concurrent.futures.Future[ssl.SSLContext] | None = None


async def context_for(setting: SSLSetting) -> ssl.SSLContext:
    """The context that does what `setting` says; one of the user's as it is. A pin takes the place of verification."""
    if setting is True and True not in _contexts:
        # Reading the CAs would hold up the loop. All who ask meanwhile wait for the same thread.
        await asyncio.wrap_future(_load())
    return known_context(setting)


def pin_of(setting: SSLSetting) -> Fingerprint | None:
    """The one certificate that `setting` accepts, if it is one."""
    return setting if isinstance(setting, Fingerprint) else None


def known_context(setting: SSLSetting) -> ssl.SSLContext:
    """As `context_for`, which must have been awaited for the setting True before."""
    if isinstance(setting, ssl.SSLContext):
        return setting
    if setting is not True and False not in _contexts:
        _contexts[False] = _trusting()
    return _contexts[setting is True]


def _load() -> concurrent.futures.Future[ssl.SSLContext]:
    global _loading
    with _lock:
        if _loading is None or (_loading.done() and _loading.exception() is not None):
            _loading = concurrent.futures.Future()
            _loading.set_running_or_notify_cancel()  # so that one who leaves does not cancel it for the others
            threading.Thread(target=_fill, args=(_loading,), daemon=True).start()
        return _loading


def _fill(loading: concurrent.futures.Future[ssl.SSLContext]) -> None:
    try:
        loading.set_result(_verifying())
    except Exception as error:
        loading.set_exception(error)


def _verifying() -> ssl.SSLContext:
    context = _system_trust() or ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    _contexts[True] = context
    return context


def _system_trust() -> ssl.SSLContext | None:
    """Verification by the system, where OpenSSL does not find its CAs. It looks at the whole chain: no sessions are resumed."""
    if sys.platform == "win32" or sys.platform == "darwin":
        try:
            import truststore
        except ImportError:
            return None
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return None


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
