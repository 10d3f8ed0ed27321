"""The works that are measured, and what aiohttpx must reach in each: one row a work."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

HELLO: Final = b"Hello, World!"
MIB: Final = 2**20
DOWNLOAD_MIB: Final = 100
UPLOAD_MIB: Final = DOWNLOAD_MIB
FORM_MIB: Final = 20
#: The document of the JSON work, about 10 KB on the wire.
DOCUMENT: Final[list[dict[str, Any]]] = [
    {"id": n, "name": f"item number {n}", "price": n * 1.25, "tags": ["red", "green"], "stock": {"here": n % 7, "there": None}}
    for n in range(88)
]
PAGE: Final = json.dumps(DOCUMENT).encode()
#: The document of the work with gzip, 1 MB before that.
LARGE_DOCUMENT: Final[list[dict[str, Any]]] = [
    {"id": n, "price": n * 1.25, "text": f"item number {n} is like number {n * n}; " * 20} for n in range(1400)
]
LARGE_PAGE: Final = json.dumps(LARGE_DOCUMENT).encode()
#: What is posted, about 0.5 KB on the wire.
PAYLOAD: Final[dict[str, Any]] = {f"field {n}": f"a value that is {n} long" for n in range(13)}
#: The urlencoded form.
FORM: Final[dict[str, str]] = {f"field {n}": f"the value of number {n}" for n in range(10)}


@dataclass(frozen=True)
class Target:
    """What aiohttpx must reach, in client CPU for each operation."""

    #: Times as fast as aiohttp.
    faster: float
    #: The same on uvloop, where it differs.
    faster_on_uvloop: float | None = None
    #: A contestant it may not be behind.
    not_behind: str | None = None
    #: Peak memory may not be above aiohttp's.
    memory: bool = False


@dataclass(frozen=True)
class Work:
    """One row: `count` requests of one kind, `at_once` of them under way. Without more said: GET of 13 bytes."""

    name: str
    title: str
    at_once: int
    #: Requests in one round.
    count: int
    target: Target
    #: The method of a contestant that does it once: get, get_json, post_json, post_form, download, download_chunks, upload,
    #: upload_form.
    operation: str = "get"
    path: str = "/hello"
    #: What each request must give: the length of the body; of the parsed list for get_json.
    length: int = len(HELLO)
    #: Operations in one request: a download or upload counts its MiB.
    weight: int = 1
    tls: bool = False
    keep_alive: bool = True
    #: Every request has a URL of its own.
    distinct: bool = False

    @property
    def warm_up(self) -> int:
        """Requests made before a round is measured: all connections are open and all code has run."""
        return max(2 * self.at_once, self.count // 10)

    def scaled(self, factor: float) -> Work:
        """The same work with `factor` times the requests."""
        return replace(self, count=max(1, round(self.count * factor)))

    def urls(self, origin: str, first: int, count: int) -> list[str]:
        """`count` URLs below `origin`; distinct ones are numbered from `first` on."""
        if self.distinct:
            return [f"{origin}{self.path}{number}" for number in range(first, first + count)]
        return [origin + self.path] * count


_GET_64: Final = Target(4.5, faster_on_uvloop=5, not_behind="wreq")
_LARGE: Final[dict[str, Any]] = {"path": "/large", "length": DOWNLOAD_MIB * MIB, "weight": DOWNLOAD_MIB}
_ROWS: Final = [
    Work("get1", "GET 13 B, one after the other", 1, 4000, Target(2.1)),
    Work("get64", "GET 13 B, 64 at once", 64, 6400, _GET_64),
    Work("distinct64", "GET 13 B, 64 at once, distinct URLs", 64, 6400, _GET_64, path="/item/", distinct=True),
    Work("get1024", "GET 13 B, 1,024 at once", 1024, 10240, Target(4, not_behind="wreq")),
    Work("json32", "GET 10 KB JSON and json(), 32 at once", 32, 3200, Target(1.8), "get_json", "/page.json", len(DOCUMENT)),
    Work(
        "gzip4",
        "GET 1 MB JSON in gzip and json(), 4 at once",
        4,
        200,
        Target(1.8),
        "get_json",
        "/large.json",
        len(LARGE_DOCUMENT),
    ),
    Work("headers32", "GET with 20 headers, 3 cookies, 32 at once", 32, 3200, Target(6, not_behind="wreq"), path="/headers"),
    Work("post32", "POST 0.5 KB JSON, 32 at once", 32, 4800, Target(3.3, not_behind="pyreqwest"), "post_json", "/post"),
    Work("form32", "POST urlencoded form of 10 fields, 32 at once", 32, 4800, Target(3), "post_form", "/post"),
    Work("download", "download 100 MiB with read(), per MiB", 1, 5, Target(1.5, memory=True), "download", **_LARGE),
    Work("chunks", "download 100 MiB in chunks, per MiB", 1, 5, Target(2.6, not_behind="wreq"), "download_chunks", **_LARGE),
    Work("upload", "upload 100 MiB from a file, per MiB", 1, 5, Target(2.3, 1.8), "upload", "/upload", weight=UPLOAD_MIB),
    Work("multipart", "upload 20 MiB in a form, per MiB", 1, 20, Target(1.8), "upload_form", "/upload", weight=FORM_MIB),
    Work("tls32", "TLS GET 13 B, 32 at once", 32, 4800, Target(3.3, not_behind="wreq"), tls=True),
    Work("tlsconnect", "TLS, a new connection each", 1, 400, Target(1.05), tls=True, keep_alive=False),
]
WORKS: Final = {work.name: work for work in _ROWS}
