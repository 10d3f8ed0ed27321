"""Little on the wire that is much in memory: neither grows, nor holds up the loop."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib

import pytest

from aiohttpx import ClientPayloadError, ClientSession
from aiohttpx.testing import LoopbackServer, Response
from aiohttpx.wire.codings import ACCEPT_ENCODING, make_encoder

MIB = 2**20
SIZE = 64 * MIB  # a quarter of what it is made for, in a quarter of the time


def packed(coding: str) -> bytes:
    encoder = make_encoder(coding)
    return b"".join([*[encoder.encode(bytes(MIB)) for _ in range(SIZE // MIB)], encoder.finish()])


BOMBS = {
    "gzip": lambda: packed("gzip"),
    "deflate": lambda: packed("deflate"),
    "gzip, gzip": lambda: gzip.compress(packed("gzip")),
    **{coding: lambda coding=coding: packed(coding) for coding in ("br", "zstd") if coding in ACCEPT_ENCODING},
}


class Turns:
    """Counts the turns of the loop."""

    def __init__(self) -> None:
        self.count = 0
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.count += 1

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))


@pytest.mark.parametrize("coding", BOMBS)
async def test_a_bomb_is_streamed_in_little_memory_and_many_turns(coding: str) -> None:
    bomb = BOMBS[coding]()
    assert len(bomb) < SIZE // 900
    served = LoopbackServer({"/": lambda request: Response(200, [("Content-Encoding", coding)], bomb)})
    async with served as server, ClientSession() as session:
        tracemalloc.start()
        turns = Turns()
        try:
            async with session.get(server.url) as response:
                before, got, most = turns.count, 0, 0
                async for piece in response.content.iter_any():
                    got += len(piece)
                    most = max(most, len(piece))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            await turns.stop()
        assert got == SIZE
        assert turns.count - before >= SIZE // (2 * MIB)
        assert most <= MIB
        assert peak < 8 * MIB


async def test_a_bomb_nobody_reads_is_not_inflated() -> None:
    bomb = packed("gzip")
    served = LoopbackServer({"/": lambda request: Response(200, [("Content-Encoding", "gzip")], bomb)})
    async with served as server, ClientSession() as session:
        tracemalloc.start()
        try:
            for _ in range(3):
                async with session.get(server.url) as response:
                    assert response.status == 200
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 4 * MIB


async def test_many_tiny_members_are_read_in_many_turns() -> None:
    members = gzip.compress(b"x", 1) * 20_000
    served = LoopbackServer({"/": lambda request: Response(200, [("Content-Encoding", "gzip")], members)})
    async with served as server, ClientSession() as session, session.get(server.url) as response:
        turns = Turns()
        body = await response.read()
        assert body == b"x" * 20_000
        assert turns.count >= 10
        await turns.stop()


@pytest.mark.parametrize("cut", [1, 9, 20, -1])
async def test_a_coding_cut_short_is_an_error_also_where_the_length_is_right(cut: int) -> None:
    body = gzip.compress(b"some content" * 20)[:cut]
    served = LoopbackServer({"/": lambda request: Response(200, [("Content-Encoding", "gzip")], body)})
    async with served as server, ClientSession() as session, session.get(server.url) as response:
        with pytest.raises(ClientPayloadError, match="cut short"):
            await response.read()


async def test_deflate_without_a_header_is_read_too() -> None:
    raw = zlib.compressobj(wbits=-15)
    body = raw.compress(b"raw") + raw.flush()
    served = LoopbackServer({"/": lambda request: Response(200, [("Content-Encoding", "deflate")], body)})
    async with served as server, ClientSession() as session, session.get(server.url) as response:
        assert await response.read() == b"raw"
