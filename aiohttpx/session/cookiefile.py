"""Cookies in files: as JSON in aiohttp's form, and as Netscape's cookies.txt. What is read is data, and is never run."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path
from typing import Any, Final

from ..wire.setcookie import ATTRIBUTES, expiry
from .cookiestore import StoredCookie, is_within

_FIRST_LINE: Final = "# Netscape HTTP Cookie File"
_HTTP_ONLY: Final = "#HttpOnly_"
#: The end of a cookie is saved as such, and not as how long it lasted when it was set.
_SAVED: Final = tuple(sorted(ATTRIBUTES - {"domain", "path", "expires", "max-age"}))


def write_private(path: Path, text: str) -> None:
    """Put `text` in the place of the file at once, or not at all. A new file can be read by its owner only; one that was there
    keeps its permissions. Raises `OSError`."""
    path = path.resolve()  # a link stays a link
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mode = 0o600
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        draft.chmod(mode)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


# -- JSON: {"domain|path": {"name": {"key": ..., "value": ..., "coded_value": ..., ...}}}


def to_json(cookies: Iterable[StoredCookie]) -> str:
    places: dict[str, dict[str, dict[str, Any]]] = {}
    for cookie in cookies:
        place = places.setdefault(f"{cookie.domain}|{cookie.path.rstrip('/')}", {})
        label = cookie.name
        while label in place:  # another path, or not host-only; the name itself is "key"
            label += "'"
        place[label] = _to_record(cookie)
    return json.dumps(places, indent=2)


def _to_record(cookie: StoredCookie) -> dict[str, Any]:
    morsel = cookie.morsel()
    record: dict[str, Any] = {
        "key": cookie.name,
        "value": cookie.coded_value if morsel is None else morsel.value,
        "coded_value": cookie.coded_value,
        "domain": cookie.domain,
        "path": cookie.path,
    }
    for name in _SAVED:
        if name in cookie.attributes:
            record[name] = cookie.attributes[name] or True  # those without a value are flags
    if cookie.host_only:
        record["host_only"] = True
    if cookie.expires is not None:
        record["expires_timestamp"] = cookie.expires
    return record


def of_json(content: bytes, now: float) -> Iterator[StoredCookie]:
    """Raises `ValueError` or `TypeError` for another form, and never shows a value. `now` is the time now."""
    if content.startswith(b"\x80"):
        from pickle import UnpicklingError

        raise UnpicklingError("Forbidden classes could be in a pickle, so it is not loaded: cookies are kept as JSON")
    places = json.loads(content)
    for place, records in _items(places, "the file"):
        host, bar, _ = place.partition("|")
        if not bar:
            raise ValueError(f"Not a domain and a path: {place!r}")
        for label, record in _items(records, repr(place)):
            cookie = _of_record(record, host, f"Cookie {label!r} in {place!r}", now)
            if is_within(host, cookie.domain):
                yield cookie


def _items(value: Any, what: str) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise ValueError(f"Not a JSON object: {what}")
    return value.items()


def _of_record(record: Any, host: str, what: str, now: float) -> StoredCookie:
    fields: dict[str, Any] = dict(_items(record, what))
    for name in ("key", "coded_value"):
        if name not in fields:
            raise ValueError(f"{what} has no {name!r}")
    for name in fields.keys() & {"key", "coded_value", "domain", "path"}:
        if not isinstance(fields[name], str):
            raise TypeError(f"{what}: {name!r} is no string")
    attributes = {name: fields[name] for name in fields.keys() & ATTRIBUTES if fields[name]}
    for name, value in attributes.items():
        if not isinstance(value, (str, int, float)):
            raise TypeError(f"{what}: {name!r} is neither a string nor a number")
    host_only = bool(fields.get("host_only")) or not fields.get("domain")
    end = fields.get("expires_timestamp")
    path = fields.get("path", "")
    return StoredCookie(
        fields["key"],
        fields["coded_value"],
        host if host_only else fields["domain"],
        path if path.startswith("/") else "/",
        host_only=host_only and bool(host),
        secure="secure" in attributes,
        guarded="secure" in attributes,
        expires=expiry(attributes, now) if end is None else _timestamp(end, what),
        attributes=attributes,
    )


def _timestamp(value: Any, what: str) -> float:
    try:
        timestamp = float(value)
        if isfinite(timestamp):
            return timestamp
    except (OverflowError, TypeError, ValueError):
        pass
    raise ValueError(f"{what}: its end must be a finite number")


# -- cookies.txt: domain, whether subdomains count, path, Secure, end, name, value, with tabs in between


def to_cookies_txt(cookies: Iterable[StoredCookie]) -> str:
    """Cookies for every host are left out: the format has no place for them."""
    lines = [_FIRST_LINE, ""]
    for cookie in cookies:
        if cookie.domain:
            dot, subdomains = ("", "FALSE") if cookie.host_only else (".", "TRUE")
            domain = f"{_HTTP_ONLY if 'httponly' in cookie.attributes else ''}{dot}{cookie.domain}"
            end = "0" if cookie.expires is None else str(max(1, int(cookie.expires)))
            secure = "TRUE" if cookie.secure else "FALSE"
            lines.append("\t".join((domain, subdomains, cookie.path, secure, end, cookie.name, cookie.coded_value)))
    return "\n".join(lines) + "\n"


def of_cookies_txt(text: str) -> Iterator[StoredCookie]:
    """Raises `ValueError`, which names the line and does not show it, for another form."""
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        http_only = line.startswith(_HTTP_ONLY)
        line = line.removeprefix(_HTTP_ONLY)
        if not line.strip() or (line.startswith("#") and not http_only):
            continue
        # Editors drop the tab before a value that is empty.
        domain, subdomains, path, secure, end, name, value = _columns(line, number)
        attributes = {"httponly": True} if http_only else {}
        if secure == "TRUE":
            attributes["secure"] = True
        expires = _timestamp(end or 0, f"Line {number} of cookies.txt")
        yield StoredCookie(
            name,
            value,
            domain.lower().removeprefix("."),
            path if path.startswith("/") else "/",
            host_only=subdomains != "TRUE",
            secure=secure == "TRUE",
            guarded=secure == "TRUE",
            expires=expires if expires > 0 else None,
            attributes=attributes,
        )


def _columns(line: str, number: int) -> list[str]:
    columns = line.split("\t")
    if len(columns) == 6:
        columns.append("")
    if len(columns) != 7 or not columns[0].strip("."):
        raise ValueError(f"Line {number} is no cookie of a cookies.txt: it has {len(columns)} columns")
    return columns
