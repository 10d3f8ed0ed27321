"""The credentials of a session with `trust_env`: those in the netrc file of the user."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from netrc import NetrcParseError, netrc
from pathlib import Path

from ..wire.basicauth import BasicAuth, credentials

_log = logging.getLogger("aiohttpx.client")


def netrc_path(environ: Mapping[str, str]) -> Path | None:
    """The file that NETRC names, or the one in the user's home directory; None when there is none."""
    if named := environ.get("NETRC"):
        return Path(named)
    try:
        return Path.home() / ("_netrc" if sys.platform == "win32" else ".netrc")
    except RuntimeError:  # the user has no home
        return None


def credentials_of(entries: netrc, host: str) -> BasicAuth | None:
    """The credentials for `host`, which is one that was parsed out of a URL: nothing but the host decides."""
    entry = entries.authenticators(host)
    if entry is None:
        return None
    login, account, password = entry
    return credentials(login or account or "", password or "")


async def netrc_credentials(host: str) -> BasicAuth | None:
    """The credentials that the user's netrc file has for `host`. A file that cannot be read has none, and a warning is logged."""
    path = netrc_path(os.environ)
    if path is None:
        return None
    stamp = _stamp(path)
    known = _known.get(path)
    if known is None or known[0] != stamp:
        known = stamp, await asyncio.to_thread(_read, path)
        _known.clear()  # there is one file, but for tests
        _known[path] = known
    return None if known[1] is None else credentials_of(known[1], host)


def read_netrc() -> netrc | None:
    """The user's netrc file, None when there is none that can be read."""
    path = netrc_path(os.environ)
    return None if path is None else _read(path)


#: What the file says, and what it looked like when it was read.
_known: dict[Path, tuple[tuple[int, int] | None, netrc | None]] = {}


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when the file does."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _read(path: Path) -> netrc | None:
    try:
        return netrc(str(path))
    except NetrcParseError as error:  # its message may show a password
        _log.warning("Could not parse .netrc file: %s, line %s", path, error.lineno)
    except (OSError, UnicodeError) as error:
        if os.environ.get("NETRC") or not isinstance(error, FileNotFoundError):
            _log.warning("Could not read .netrc file: %s: %s", path, type(error).__name__)
    return None
