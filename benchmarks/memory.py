"""How much memory a large body takes on its way: the peak above an idle session, for a GiB up and down in every way there is.

    python benchmarks/memory.py                                   # 1 GiB each
    python benchmarks/memory.py --mib 64 --work file bomb --loop asyncio

Each way is a fresh process, whose peak is reset when the session has made one small request. The server is a process, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

sys.path.append(str(Path(__file__).parent.parent))

import aiohttpx
from aiohttpx.testing import DEFAULT_ROUTES, LoopbackServer, Request, Response

MIB: Final = 2**20
#: What may be held above an idle session.
LIMIT_MIB: Final = 8
#: For how long the loop may be kept from its other callbacks, in milliseconds.
LIMIT_PAUSE: Final = 50
_PIECE: Final = bytes(64 * 1024)

Work = Callable[[aiohttpx.ClientSession, str, Path, int], Awaitable[int]]


# -- the ways, each of which gives how many bytes went it


async def _count(session: aiohttpx.ClientSession, url: str, data: Any, **options: Any) -> int:
    async with session.post(f"{url}/count", data=data, **options) as response:
        return int(await response.text())


async def up_file(session: aiohttpx.ClientSession, url: str, file: Path, size: int) -> int:
    return await _count(session, url, file.open("rb"))


async def up_chunked_file(session: aiohttpx.ClientSession, url: str, file: Path, size: int) -> int:
    return await _count(session, url, file.open("rb"), chunked=True)


async def up_form(session: aiohttpx.ClientSession, url: str, file: Path, size: int) -> int:
    return await _count(session, url, {"name": "value", "file": file.open("rb")})


async def up_iterator(session: aiohttpx.ClientSession, url: str, file: Path, size: int) -> int:
    return await _count(session, url, _pieces(size))


async def up_async_iterator(session: aiohttpx.ClientSession, url: str, file: Path, size: int) -> int:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in _pieces(size):
            yield piece

    return await _count(session, url, pieces())


async def down_chunks(session: aiohttpx.ClientSession, url: str, file: Path, size: int) -> int:
    return await _read(session, f"{url}/bytes/{size}")


async def down_file(session: aiohttpx.ClientSession, url: str, file: Path, size: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        return (await session.download(f"{url}/bytes/{size}", Path(folder) / "copy")).size


async def bomb(session: aiohttpx.ClientSession, url: str, file: Path, size: int) -> int:
    return await _read(session, f"{url}/bomb/{size}")


async def _read(session: aiohttpx.ClientSession, url: str) -> int:
    length = 0
    async with session.get(url) as response:
        async for chunk in response.content.iter_chunked(64 * 1024):
            length += len(chunk)
    return length


def _pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // len(_PIECE)):
        yield _PIECE


WORKS: Final[dict[str, Work]] = {
    "file": up_file,
    "tls-file": up_file,
    "chunked-file": up_chunked_file,
    "form": up_form,
    "tls-form": up_form,
    "iterator": up_iterator,
    "async-iterator": up_async_iterator,
    "chunks": down_chunks,
    "tls-chunks": down_chunks,
    "download": down_file,
    "bomb": bomb,
}


# -- the two processes


def _bomb(request: Request) -> Response:
    size = int(request.path.rpartition("/")[2])
    compressor = zlib.compressobj(9, wbits=31)
    body = b"".join(compressor.compress(bytes(MIB)) for _ in range(size // MIB)) + compressor.flush()
    return Response(200, {"Content-Encoding": "gzip"}, body)


async def serve() -> None:
    """Says its two URLs, and serves until its input ends."""
    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    routes = {**DEFAULT_ROUTES, "/bomb/": _bomb}
    async with LoopbackServer(routes) as plain, LoopbackServer(routes, ssl_context=context) as secure:
        print(json.dumps([plain.url, secure.url]), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def measure(name: str, url: str, size: int) -> dict[str, float]:
    """MiB when idle, at most above that, and the longest pause of the loop in milliseconds."""
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(size)
        timeout = aiohttpx.ClientTimeout(total=None)
        async with aiohttpx.ClientSession(connector=aiohttpx.TCPConnector(ssl=False), timeout=timeout) as session:
            await _count(session, url, b"small")
            await asyncio.to_thread(int)
            Path("/proc/self/clear_refs").write_text("5")  # noqa: ASYNC240  # the peak is what is held now
            idle = _held("VmRSS")
            pauses = _Pauses()
            watching = asyncio.create_task(pauses.watch())
            went = await WORKS[name](session, url, Path(file.name), size)
            watching.cancel()
            if not size <= went < size + MIB:
                raise ValueError(f"{went} bytes went, not {size}")
            return {"idle": idle, "above": _held("VmHWM") - idle, "pause": pauses.longest * 1000}


class _Pauses:
    """How long the loop keeps a callback waiting."""

    longest = 0.0

    async def watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.perf_counter() - before)
            await asyncio.sleep(0.001)


def _held(what: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise LookupError(f"no {what} in /proc/self/status")


def _run(coroutine: Any, loop: str) -> Any:
    if loop == "uvloop":
        import uvloop

        return uvloop.run(coroutine)
    return asyncio.run(coroutine)


def table(options: argparse.Namespace) -> bool:
    """Prints a row for each way; says whether all are within the limits."""
    own = [sys.executable, __file__]
    server = subprocess.Popen([*own, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    good = True
    try:
        plain, secure = json.loads(server.stdout.readline())  # type: ignore[union-attr]
        print(f"| {'work':14} | {'loop':7} | idle MiB | above it MiB | longest pause ms |\n| - | - | -: | -: | -: |")
        for loop in options.loop:
            for name in options.work:
                # A bomb is held whole by the server, but for its zeros: a quarter of the size is enough.
                size = max(1, options.mib // 4 if name == "bomb" else options.mib) * MIB
                url = secure if name.startswith("tls") else plain
                said = subprocess.run(
                    [*own, "--measure", name, url, str(size), "--loop", loop], check=True, capture_output=True, text=True
                ).stdout
                row = json.loads(said)
                good = good and row["above"] <= LIMIT_MIB and (name != "bomb" or row["pause"] <= LIMIT_PAUSE)
                print(f"| {name:14} | {loop:7} | {row['idle']:8.1f} | {row['above']:12.1f} | {row['pause']:16.1f} |", flush=True)
    finally:
        server.communicate()
    print(f"\n{'reached' if good else '**missed**'}: at most {LIMIT_MIB} MiB above idle, and {LIMIT_PAUSE} ms for a bomb")
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024, help="size of the body; a bomb inflates to a quarter of that")
    parser.add_argument("--work", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--loop", nargs="+", choices=["asyncio", "uvloop"], default=["asyncio", "uvloop"])
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
    elif options.measure:
        name, url, size = options.measure
        print(json.dumps(_run(measure(name, url, int(size)), options.loop[0])))
    else:
        sys.exit(not table(options))


if __name__ == "__main__":
    main()
