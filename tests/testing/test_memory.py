from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aiohttpx.testing.memory import MemoryTransport, connect


class Side(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.lost: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        self.stays = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, MemoryTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)

    def eof_received(self) -> bool:
        self.heard.append("eof")
        return self.stays

    def pause_writing(self) -> None:
        self.heard.append("pause")

    def resume_writing(self) -> None:
        self.heard.append("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)


class Buffered(asyncio.BufferedProtocol):
    def __init__(self, size: int) -> None:
        self.buffer = bytearray(size)
        self.heard: list[bytes] = []

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.heard.append(bytes(self.buffer[:nbytes]))


@pytest.fixture
async def sides() -> tuple[Side, Side]:
    here, there = Side(), Side()
    connect(asyncio.get_running_loop(), here, there, {"peername": ("example.org", 80)})
    return here, there


@pytest.mark.every_loop
async def test_what_one_writes_the_other_receives_a_turn_later(sides: tuple[Side, Side]) -> None:
    here, there = sides
    data = bytearray(b"hello")
    here.transport.write(data)
    data[:] = b"later"
    there.transport.writelines([b"a", b"b"])
    assert there.heard == []
    await asyncio.sleep(0)
    assert (there.heard, here.heard) == ([b"hello"], [b"ab"])
    assert here.transport.get_extra_info("peername") == ("example.org", 80)


async def test_closing_delivers_what_was_written_and_then_the_end(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.transport.write(b"last")
    here.transport.close()
    here.transport.write(b"too late")
    assert here.transport.is_closing()
    assert (await here.lost, await there.lost) == (None, None)
    assert there.heard == [b"last", "eof"]
    assert here.heard == []


async def test_an_abort_is_told_as_a_reset(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.transport.write(b"last")
    here.transport.abort()
    assert await here.lost is None
    assert isinstance(await there.lost, ConnectionResetError)
    assert there.heard == [b"last"]


async def test_half_of_it_can_be_closed(sides: tuple[Side, Side]) -> None:
    here, there = sides
    there.stays = True
    here.transport.write_eof()
    with pytest.raises(RuntimeError, match="after write_eof"):
        here.transport.write(b"more")
    await asyncio.sleep(0)
    there.transport.write(b"answer")
    there.transport.close()
    assert (await here.lost, here.heard, there.heard) == (None, [b"answer", "eof"], ["eof"])


async def test_a_writer_pauses_while_nobody_reads(sides: tuple[Side, Side]) -> None:
    here, there = sides
    there.transport.pause_reading()
    here.transport.write(bytes(70_000))
    assert here.heard == ["pause"]
    assert here.transport.get_write_buffer_size() == 70_000
    await asyncio.sleep(0)
    assert there.heard == []
    there.transport.resume_reading()
    await asyncio.sleep(0)
    assert here.heard == ["pause", "resume"]
    assert there.heard == [bytes(70_000)]


async def test_who_writes_to_one_that_has_gone_is_told(sides: tuple[Side, Side]) -> None:
    here, there = sides
    here.transport.pause_reading()
    there.transport.close()
    here.transport.write(b"anybody?")
    assert isinstance(await here.lost, BrokenPipeError)


async def test_a_buffer_is_filled_as_often_as_it_takes(sides: tuple[Side, Side]) -> None:
    here, there = sides
    protocol = Buffered(4)
    there.transport.set_protocol(protocol)
    assert there.transport.get_protocol() is protocol
    here.transport.write(b"123456789")
    await asyncio.sleep(0)
    assert protocol.heard == [b"1234", b"5678", b"9"]
    assert here.transport.get_write_buffer_size() == 0
