"""net/connection.py: one connection and the exchange it carries.

Where the exact callbacks matter the transport is in memory (`Wire`); the rest is real sockets and a peer that plays exact bytes.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from aiohttpx.errors import (
    ClientConnectionError,
    ClientConnectionResetError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    HttpProcessingError,
    ServerDisconnectedError,
    ServerTimeoutError,
    SocketTimeoutError,
)
from aiohttpx.events import Chunks
from aiohttpx.net import connection as connection_module
from aiohttpx.net.connection import DRAIN_LIMIT, Answer, HTTPConnection
from aiohttpx.net.reader import StreamReader
from aiohttpx.net.receiver import BUFFER_SIZE
from aiohttpx.net.settings import DEFAULT_SETTINGS, Settings
from aiohttpx.testing import (
    Expect,
    ExpectRequest,
    HalfClose,
    LoopbackServer,
    Pause,
    Reset,
    Script,
    ScriptedPeer,
    Send,
    StallForever,
    StopReading,
    payload,
)

GET = b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
HEAD_OF_5 = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HEAD_TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\n"
RESET = ConnectionResetError(104, "Connection reset by peer")


class Wire(asyncio.Transport):
    """A transport in memory, as asyncio's are: closing is told a turn later."""

    def __init__(self, connection: HTTPConnection) -> None:
        super().__init__()
        self.sent = b""
        self.unsent = 0
        self.reading = True
        self.ended = ""
        self._connection = connection
        self._loop = asyncio.get_running_loop()

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self._end("closed")

    def abort(self) -> None:
        self._end("aborted")

    def _end(self, how: str) -> None:
        if not self.ended:
            self.ended = how
            if how == "aborted" or not self.unsent:
                self._loop.call_soon(self._connection.connection_lost, None)

    def lose(self, error: Exception | None = None) -> None:
        """The peer ends: with FIN, or with `error`."""
        self.ended = "lost"
        if error is None:
            self._connection.eof_received()
        self._connection.connection_lost(error)


class Talk:
    """A connection over a `Wire`, with one exchange begun on it."""

    def __init__(self, method: str = "GET", settings: Settings = DEFAULT_SETTINGS, upgrade: bool = False) -> None:
        self.connection = HTTPConnection(asyncio.get_running_loop())
        self.connection.peer = "example.org:80"
        self.wire = Wire(self.connection)
        self.connection.connection_made(self.wire)
        self.given_back: list[bool] = []  # may another exchange follow?
        self.begin(method, settings, upgrade)

    def begin(self, method: str = "GET", settings: Settings = DEFAULT_SETTINGS, upgrade: bool = False) -> None:
        give_back = self.note_given_back
        self.answer = self.connection.exchange(method, GET, give_back, settings, upgrade)

    def note_given_back(self) -> None:
        self.given_back.append(not self.connection.should_close)

    def hear(self, data: bytes, cut: int | None = None) -> None:
        for start in range(0, len(data), cut or len(data)):
            self.connection.data_received(data[start : start + (cut or len(data))])


async def whole(answer: Answer) -> bytes:
    _, body = answer
    if isinstance(body, StreamReader):
        return await body.read()
    return body.data if isinstance(body, Chunks) else body


Dial = Callable[[ScriptedPeer | LoopbackServer], Awaitable[HTTPConnection]]


@pytest.fixture(params=[False, True], ids=["own reads", "shared buffer"])
def dial(request: pytest.FixtureRequest) -> Dial:
    """Connects by a real socket, and receives in either way."""

    async def dial(peer: ScriptedPeer | LoopbackServer) -> HTTPConnection:
        loop = asyncio.get_running_loop()
        buffer = bytearray(BUFFER_SIZE) if request.param else None
        _, connection = await loop.create_connection(lambda: HTTPConnection(loop, buffer), peer.host, peer.port)
        connection.peer = f"{peer.host}:{peer.port}"
        return connection

    return dial


async def ask(connection: HTTPConnection, settings: Settings = DEFAULT_SETTINGS) -> Answer:
    return await connection.exchange("GET", GET, lambda: None, settings)


# -- answers

ANSWERS: dict[str, tuple[str, bytes, bytes]] = {
    "with a length": ("GET", HEAD_OF_5 + b"hello", b"hello"),
    "empty": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
    "chunked": ("GET", CHUNKED_HEAD + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n", b"hello"),
    "chunked, with trailers": ("GET", CHUNKED_HEAD + b"5\r\nhello\r\n0\r\nA: b\r\n\r\n", b"hello"),
    "to HEAD": ("HEAD", HEAD_OF_5, b""),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
    "after others": ("GET", b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nA: b\r\n\r\n" + HEAD_OF_5 + b"hello", b"hello"),
}


@pytest.mark.parametrize("cut", [None, 1, 2, 7])
@pytest.mark.parametrize(("method", "answer", "body"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_however_it_is_cut(method: str, answer: bytes, body: bytes, cut: int | None) -> None:
    talk = Talk(method)
    assert talk.wire.sent == GET
    talk.hear(answer, cut)
    assert await whole(await talk.answer) == body
    assert talk.given_back == [True]
    assert talk.wire.ended == ""


async def test_an_answer_that_came_in_one_read_needs_no_stream() -> None:
    talk = Talk()
    talk.hear(HEAD_OF_5 + b"hello")
    head, body = await talk.answer
    assert (head.status, head.reason, body) == (200, "OK", b"hello")
    talk.begin()
    talk.hear(CHUNKED_HEAD + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
    assert (await talk.answer)[1] == Chunks(b"hello", (2, 5))


async def test_the_head_is_there_before_the_body() -> None:
    talk = Talk()
    talk.hear(HEAD_OF_5 + b"he")
    _, body = await talk.answer
    assert isinstance(body, StreamReader)
    assert await body.readany() == b"he"
    assert talk.given_back == []
    talk.hear(b"llo")
    assert await body.read() == b"llo"
    assert talk.given_back == [True]


async def test_trailers_are_kept_with_the_stream() -> None:
    talk = Talk()
    talk.hear(CHUNKED_HEAD + b"5\r\nhello\r\n0\r\nA: b\r\n\r\n")
    _, body = await talk.answer
    assert isinstance(body, StreamReader)
    assert await body.read() == b"hello"
    assert body.trailers == b"A: b\r\n"


async def test_many_exchanges_follow_each_other_on_one_connection(dial: Dial) -> None:
    async with LoopbackServer() as server:
        connection = await dial(server)
        for number in range(5):
            head, _ = await ask(connection)
            assert (head.status, connection.exchanges) == (404, number + 1)
            assert not connection.should_close
        connection.close()
        await connection.wait_closed()
        assert server.connections == 1


async def test_a_body_that_lasts_to_the_end_of_the_connection(dial: Dial) -> None:
    async with ScriptedPeer([ExpectRequest(), HEAD_TO_THE_END + b"all ", Pause(0.01), b"of it", HalfClose()]) as peer:
        connection = await dial(peer)
        assert await whole(await ask(connection)) == b"all of it"
        assert connection.should_close
        await connection.wait_closed()


async def test_a_reset_is_not_the_end_of_a_body(dial: Dial) -> None:
    async with ScriptedPeer([ExpectRequest(), HEAD_TO_THE_END + b"some of it", Pause(0.01), Reset()]) as peer:
        connection = await dial(peer)
        answer = await ask(connection)
        with pytest.raises(ClientPayloadError, match=rf"from 127\.0\.0\.1:{peer.port} was cut short: .*reset"):
            await whole(answer)


async def test_read_until_eof_false_takes_no_body_without_framing() -> None:
    talk = Talk(settings=Settings(read_until_eof=False))
    talk.hear(HEAD_TO_THE_END + b"not ")
    assert (await talk.answer)[1] == b""
    talk.hear(b"read")
    assert talk.given_back == [False]


@pytest.mark.parametrize(("head", "persistent"), [(b"Connection: close\r\n", False), (b"Keep-Alive: timeout=7\r\n", True)])
async def test_what_the_server_says_about_the_connection(head: bytes, persistent: bool) -> None:
    talk = Talk()
    talk.hear(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + head + b"\r\n")
    await talk.answer
    assert talk.given_back == [persistent]
    assert talk.connection.keep_alive == (7 if persistent else None)


async def test_an_upgraded_connection_is_the_callers() -> None:
    talk = Talk(upgrade=True)
    talk.hear(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n\x00first")
    head, body = await talk.answer
    assert isinstance(body, StreamReader)
    assert talk.connection.upgraded
    assert head.status == 101
    assert await body.readany() == b"\x00first"
    talk.hear(b"HTTP/1.1 200 OK\r\n\r\n")
    assert await body.readany() == b"HTTP/1.1 200 OK\r\n\r\n"
    assert not talk.connection.discard_body(talk.note_given_back)
    talk.wire.lose()
    assert await body.read() == b""
    assert talk.given_back == [False]


async def test_a_transport_can_be_taken_away() -> None:
    talk = Talk(upgrade=True)
    lost: list[HTTPConnection] = []
    talk.connection.on_lost = lost.append
    talk.hear(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
    await talk.answer
    assert talk.connection.detach_transport() is talk.wire
    assert lost == [talk.connection]
    assert not talk.connection.is_connected()
    await talk.connection.wait_closed()
    assert talk.wire.ended == ""


# -- bytes that nobody asked for


async def test_bytes_after_an_answer_are_no_other_answer(dial: Dial) -> None:
    async with ScriptedPeer([ExpectRequest(), HEAD_OF_5 + b"hello" + HEAD_OF_5, StallForever()]) as peer:
        connection = await dial(peer)
        assert await whole(await ask(connection)) == b"hello"
        assert connection.should_close
        await connection.wait_closed()


async def test_bytes_after_an_answer_that_came_in_pieces() -> None:
    talk = Talk()
    talk.hear(HEAD_OF_5)
    answer = await talk.answer
    talk.hear(b"helloHTTP/1.1 200 OK\r\n\r\n")
    assert await whole(answer) == b"hello"
    assert talk.given_back == [False]
    assert talk.wire.ended


async def test_bytes_after_the_last_answer_are_nothing() -> None:
    talk = Talk()
    talk.hear(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nokgarbage")
    assert await whole(await talk.answer) == b"ok"
    assert talk.given_back == [False]


@pytest.mark.parametrize("data", [HEAD_OF_5, b"\x00", b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"])
async def test_bytes_while_idle_end_the_connection(data: bytes) -> None:
    talk = Talk()
    talk.hear(HEAD_OF_5 + b"hello")
    await talk.answer
    talk.hear(data)
    assert talk.connection.should_close
    with pytest.raises(ClientConnectionResetError, match=r"closing transport \(example\.org:80\)"):
        talk.begin()
    assert talk.wire.ended == "closed"


async def test_the_end_while_idle_ends_the_connection(dial: Dial) -> None:
    async with ScriptedPeer([ExpectRequest(), HEAD_OF_5 + b"hello", HalfClose()]) as peer:
        connection = await dial(peer)
        await ask(connection)
        await connection.wait_closed()
        assert connection.should_close


# -- broken answers

BROKEN_HEADS = {
    "no status line": b"SSH-2.0-OpenSSH\r\n",
    "a bad status": b"HTTP/1.1 2OO OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length and coding": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a field without a colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "NUL": b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
    "101 that nobody wanted": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("cut", [None, 1])
@pytest.mark.parametrize("head", BROKEN_HEADS.values(), ids=BROKEN_HEADS)
async def test_a_malformed_head(head: bytes, cut: int | None) -> None:
    talk = Talk()
    talk.hear(head, cut)
    with pytest.raises(HttpProcessingError, match=r"example\.org:80") as caught:
        await talk.answer
    assert "^" in str(caught.value)
    assert talk.given_back == [False]
    assert talk.wire.ended == "aborted"


async def test_limits_of_the_head_are_those_of_the_exchange() -> None:
    field = b"A: " + b"x" * 1000 + b"\r\n"
    talk = Talk(settings=Settings(max_field_size=500))
    talk.hear(b"HTTP/1.1 200 OK\r\n" + field + b"Content-Length: 0\r\n\r\n")
    with pytest.raises(HttpProcessingError, match="500"):
        await talk.answer
    other = Talk()
    other.hear(HEAD_OF_5 + b"hello")
    await other.answer
    other.begin(settings=Settings(max_field_size=500))
    other.hear(HEAD_OF_5 + b"hello")
    await other.answer
    other.begin()
    other.hear(b"HTTP/1.1 200 OK\r\n" + field + b"Content-Length: 0\r\n\r\n")
    assert (await other.answer)[0].status == 200


@pytest.mark.parametrize("bad", [b"zz\r\n", b"2\r\nheXX", b"5\r\nhelloo\r\n", b"0\r\n: b\r\n"])
async def test_a_malformed_chunk_in_a_later_read_is_told_at_once(dial: Dial, bad: bytes) -> None:
    good = CHUNKED_HEAD + b"3\r\nabc\r\n"
    async with asyncio.timeout(10), ScriptedPeer([ExpectRequest(), good, Pause(0.01), bad, StallForever()]) as peer:
        connection = await dial(peer)
        _, body = await ask(connection)
        assert isinstance(body, StreamReader)
        assert await body.readany() == b"abc"
        with pytest.raises(ClientPayloadError, match=rf"malformed(.|\n)*from 127\.0\.0\.1:{peer.port}") as caught:
            [piece async for piece in body.iter_any()]
        assert isinstance(caught.value.__cause__, HttpProcessingError)
        await connection.wait_closed()


async def test_a_malformed_chunk_in_the_same_read_as_the_head() -> None:
    talk = Talk()
    talk.hear(CHUNKED_HEAD + b"3\r\nabc\r\nzz\r\n")
    with pytest.raises((ClientPayloadError, HttpProcessingError), match=r"example\.org:80"):
        await whole(await talk.answer)
    assert talk.given_back == [False]


CUT = {
    "with a length": HEAD_OF_5 + b"hello",
    "chunked": CHUNKED_HEAD + b"2\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello" * 10, mtime=0),
}


@pytest.mark.parametrize("error", [None, RESET], ids=["FIN", "RST"])
@pytest.mark.parametrize("answer", CUT.values(), ids=CUT)
async def test_an_answer_cut_at_any_byte_is_an_error(answer: bytes, error: Exception | None) -> None:
    head_ends = answer.index(b"\r\n\r\n") + 4
    for cut in range(len(answer)):
        if cut == head_ends and error is None and b"gzip" in answer:
            continue  # no content at all is no content coding either
        talk = Talk()
        if cut:
            talk.hear(answer[:cut])
        talk.wire.lose(error)
        assert talk.given_back == [False]
        if cut >= head_ends:
            with pytest.raises(ClientPayloadError):
                await whole(await talk.answer)
        else:
            with pytest.raises(ServerDisconnectedError if error is None else ClientOSError, match=r"example\.org:80") as caught:
                await talk.answer
            assert (cut > 0) == talk.connection.answered
            assert error is None or caught.value.errno == RESET.errno  # type: ignore[attr-defined]


async def test_a_real_reset_at_any_byte_is_an_error(dial: Dial) -> None:
    answer = CUT["chunked"]
    scripts: list[Script] = [[ExpectRequest(), *([answer[:cut]] if cut else []), Reset()] for cut in range(len(answer))]
    async with asyncio.timeout(30), ScriptedPeer(*scripts) as peer:
        for _ in scripts:
            connection = await dial(peer)
            with pytest.raises((ClientConnectionError, ClientPayloadError), match=str(peer.port)):
                await whole(await ask(connection))
            await connection.wait_closed()


async def test_anything_else_that_the_loop_says_of_a_lost_connection() -> None:
    talk = Talk()
    talk.wire.lose(RuntimeError("the loop is broken"))
    with pytest.raises(ClientConnectionError, match=r"the loop is broken \(example\.org:80\)"):
        await talk.answer


# -- time


@pytest.mark.parametrize("before", [(), (b"HTTP/1.1 100 Continue\r\n\r\n",), (b"HTTP/1.1 200",)])
async def test_sock_read_strikes_before_the_head(dial: Dial, before: tuple[bytes, ...]) -> None:
    async with asyncio.timeout(10), ScriptedPeer([ExpectRequest(), *before, StallForever()]) as peer:
        connection = await dial(peer)
        with pytest.raises(SocketTimeoutError, match=rf"127\.0\.0\.1:{peer.port} \(sock_read, 0\.05 s\)") as caught:
            await ask(connection, Settings(sock_read=0.05))
        assert isinstance(caught.value, TimeoutError)
        await connection.wait_closed()


async def test_sock_read_strikes_in_the_body_and_not_while_it_comes(dial: Dial) -> None:
    slow = [step for _ in range(7) for step in (Pause(0.05), b"x")]
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    async with asyncio.timeout(10), ScriptedPeer([ExpectRequest(), head, *slow, StallForever()]) as peer:
        connection = await dial(peer)
        _, body = await ask(connection, Settings(sock_read=0.3))
        assert isinstance(body, StreamReader)
        assert await body.readexactly(7) == b"x" * 7
        with pytest.raises(SocketTimeoutError, match="sock_read"):
            await body.read()


async def test_sock_read_does_not_strike_while_the_reader_takes_nothing() -> None:
    """Nor does the time in which it took nothing count once it reads again."""
    talk = Talk(settings=Settings(sock_read=0.05, read_bufsize=10))
    talk.hear(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50)
    _, body = await talk.answer
    assert isinstance(body, StreamReader)
    assert not talk.wire.reading
    await asyncio.sleep(0.2)
    assert await body.readexactly(50) == b"x" * 50
    assert talk.wire.reading
    talk.connection._watched(0.05)  # as if the alarm rang in this moment
    talk.hear(b"x" * 50)
    assert await body.read() == b"x" * 50


async def test_sock_read_does_not_strike_while_the_request_is_sent() -> None:
    talk = Talk(settings=Settings(sock_read=0.05))
    talk.connection.start_upload(asyncio.sleep(0.2))
    await asyncio.sleep(0.15)
    assert not talk.answer.done()
    with pytest.raises(SocketTimeoutError):
        await talk.answer


async def test_sock_read_is_over_with_the_exchange() -> None:
    talk = Talk(settings=Settings(sock_read=0.02))
    talk.hear(HEAD_OF_5 + b"hello")
    await asyncio.sleep(0.1)
    assert await whole(await talk.answer) == b"hello"
    assert talk.wire.ended == ""


async def test_limit_head() -> None:
    talk = Talk()
    talk.connection.limit_head(0.02)
    with pytest.raises(ServerTimeoutError, match=r"0\.02 s \(headers\) on example\.org:80 while waiting for the head"):
        await talk.answer
    other = Talk()
    other.connection.limit_head(0.02)
    other.hear(HEAD_OF_5)
    await asyncio.sleep(0.1)
    assert not (await other.answer)[1].exception()  # type: ignore[union-attr]
    other.connection.close()


async def test_limit_head_begins_when_the_request_is_sent() -> None:
    talk = Talk()
    talk.connection.start_upload(asyncio.sleep(0.1))
    talk.connection.limit_head(0.03)
    await asyncio.sleep(0.08)
    assert not talk.answer.done()
    with pytest.raises(ServerTimeoutError, match="headers"):
        await talk.answer


# -- flow control


@pytest.mark.every_loop
async def test_a_slow_reader_holds_up_a_fast_server(dial: Dial) -> None:
    size = 8 * 2**20
    request = b"GET /bytes/%d HTTP/1.1\r\nHost: a\r\n\r\n" % size
    async with asyncio.timeout(30), LoopbackServer() as server:
        connection = await dial(server)
        transport = connection.transport
        assert transport is not None
        _, body = await connection.exchange("GET", request, lambda: None)
        assert isinstance(body, StreamReader)
        most, got = 0, b""
        while not body.at_eof():
            for _ in range(10):
                await asyncio.sleep(0)
            if len(got) < size // 2:
                most = max(most, body.total_bytes - len(got))
            got += await body.read(50_000)
        assert got == payload(size)
        assert most < 3 * 2**17 + 2**18  # the upper mark, and the reads that were under way
        assert not connection.should_close
        connection.close()
        await connection.wait_closed()


async def test_reading_goes_on_for_the_next_exchange() -> None:
    talk = Talk(settings=Settings(read_bufsize=1))
    talk.hear(HEAD_OF_5 + b"hell")
    answer = await talk.answer
    assert not talk.wire.reading
    talk.hear(b"o")
    assert talk.wire.reading
    assert talk.given_back == [True]
    assert await whole(answer) == b"hello"


# -- a body that nobody wants


async def test_a_short_rest_is_drained_and_the_connection_lives() -> None:
    talk = Talk(settings=Settings(read_bufsize=1))
    talk.hear(HEAD_OF_5 + b"hel")
    await talk.answer
    assert not talk.wire.reading
    assert talk.connection.discard_body(talk.note_given_back)
    assert talk.wire.reading
    assert talk.given_back == []
    talk.hear(b"lo")
    assert talk.given_back == [True]
    talk.begin()
    talk.hear(HEAD_OF_5 + b"other")
    assert await whole(await talk.answer) == b"other"


async def test_a_drained_body_is_not_decoded() -> None:
    talk = Talk()
    talk.hear(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n")
    await talk.answer
    assert talk.connection.discard_body(talk.note_given_back)
    talk.hear(b"not gzip!")
    assert talk.given_back == [True]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_long_rest_ends_the_connection(chunked: bool) -> None:
    talk = Talk()
    talk.hear(CHUNKED_HEAD if chunked else b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    await talk.answer
    assert talk.connection.discard_body(talk.note_given_back)
    piece = b"x" * 1000
    for _ in range(DRAIN_LIMIT // 1000 + 2):
        if not talk.wire.ended:
            talk.hear(b"3e8\r\n" + piece + b"\r\n" if chunked else piece)
    assert talk.given_back == [False]
    assert talk.wire.ended == "aborted"


async def test_a_rest_that_does_not_come_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "DRAIN_TIME", 0.02)
    talk = Talk()
    talk.hear(HEAD_OF_5)
    await talk.answer
    assert talk.connection.discard_body(talk.note_given_back)
    async with asyncio.timeout(10):
        await talk.connection.wait_closed()
    assert talk.given_back == [False]


async def rest_of(connection: HTTPConnection, body: StreamReader) -> bytes:
    rest = await connection.receive_whole(body)
    return await body.read() if rest is None else rest


@pytest.mark.parametrize("left", [30_000, 400_000])
async def test_a_rest_is_drained_though_someone_still_waits_for_all_of_it(dial: Dial, left: int) -> None:
    content = payload(500_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n"
    go_on = Expect(b"go on")
    script: Script = [ExpectRequest(), head + content[:100_000], go_on, content[100_000:-left], go_on, content[-left:]]
    async with ScriptedPeer(script) as peer, asyncio.timeout(10):
        connection = await dial(peer)
        _, body = await ask(connection)
        assert isinstance(body, StreamReader)
        await body.readexactly(100_000)
        receiving = asyncio.ensure_future(rest_of(connection, body))
        connection.write([b"go on"])
        while connection._parser.content_left > left:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        body.set_exception(ClientConnectionError("released"))
        over = asyncio.get_running_loop().create_future()
        assert connection.discard_body(lambda: over.set_result(not connection.should_close))
        with pytest.raises(ClientConnectionError, match="released"):
            await receiving
        connection.write([b"go on"])
        assert await over == (left < DRAIN_LIMIT)
        connection.close()
        await connection.wait_closed()


async def test_a_broken_rest_ends_the_connection() -> None:
    talk = Talk()
    talk.hear(CHUNKED_HEAD)
    await talk.answer
    assert talk.connection.discard_body(talk.note_given_back)
    talk.hear(b"zz\r\n")
    assert talk.given_back == [False]
    assert talk.wire.ended == "aborted"


async def test_what_cannot_be_kept_is_not_drained() -> None:
    talk = Talk()
    talk.hear(HEAD_TO_THE_END + b"x")
    await talk.answer
    assert not talk.connection.discard_body(talk.note_given_back)
    other = Talk()
    other.connection.start_upload(asyncio.sleep(10))
    other.hear(HEAD_OF_5)
    await other.answer
    assert not other.connection.discard_body(other.note_given_back)
    other.connection.close()
    talk.connection.close()


# -- uploads


async def test_a_final_answer_ends_an_upload() -> None:
    talk = Talk("POST")
    upload = talk.connection.start_upload(asyncio.sleep(10))
    assert talk.connection.uploading
    talk.hear(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
    assert (await talk.answer)[0].status == 413
    assert talk.given_back == [False]
    await asyncio.wait([upload])
    assert upload.cancelled()
    assert not talk.connection.uploading


async def test_an_upload_goes_on_beside_the_body_of_its_answer() -> None:
    talk = Talk("POST")
    upload = talk.connection.start_upload(asyncio.sleep(0))
    talk.hear(HEAD_OF_5 + b"he")
    answer = await talk.answer
    await upload
    talk.hear(b"llo")
    assert await whole(answer) == b"hello"
    assert talk.given_back == [True]


async def fails(error: Exception) -> None:
    raise error


async def test_an_upload_that_raises_ends_the_exchange() -> None:
    talk = Talk("POST")
    talk.connection.start_upload(fails(ClientOSError(5, "the disk is broken")))
    with pytest.raises(ClientOSError, match="the disk is broken"):
        await talk.answer
    assert talk.given_back == [False]
    assert talk.wire.ended == "aborted"


async def test_an_upload_that_raises_ends_the_body() -> None:
    talk = Talk("POST")
    talk.hear(HEAD_OF_5)
    _, body = await talk.answer
    assert isinstance(body, StreamReader)
    talk.connection.start_upload(fails(ClientOSError(5, "the disk is broken")))
    with pytest.raises(ClientOSError, match="the disk is broken"):
        await body.read()


async def test_an_upload_that_is_cancelled_ends_the_exchange() -> None:
    talk = Talk("POST")
    talk.connection.start_upload(asyncio.sleep(10)).cancel()
    with pytest.raises(ClientConnectionError, match=r"example\.org:80 was not sent whole"):
        await talk.answer


async def test_nothing_follows_an_upload_that_failed_as_the_answer_came() -> None:
    """The upload has ended, but the loop has not told it yet when the answer is there."""
    talk = Talk("POST")
    upload = talk.connection.start_upload(fails(ClientOSError(5, "the disk is broken")))
    asyncio.get_running_loop().call_soon(talk.hear, HEAD_OF_5 + b"hello")
    assert await whole(await talk.answer) == b"hello"
    assert upload.done()
    assert talk.given_back == [False]


async def test_100_is_told_to_who_waits_for_it() -> None:
    talk = Talk("POST")
    told = talk.connection.expect_continue()
    talk.hear(b"HTTP/1.1 102 Processing\r\n\r\n")
    assert not told.done()
    talk.hear(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    assert told.done()
    talk.connection.close()
    with pytest.raises(ClientConnectionError):
        await talk.answer


async def test_100_is_told_to_an_upload_that_begins_at_once() -> None:
    """As tasks do that are eager."""
    talk = Talk("POST")
    loop = asyncio.get_running_loop()
    told: list[asyncio.Future[None]] = []

    def begin(loop: asyncio.AbstractEventLoop, upload: Any, **options: Any) -> asyncio.Task[Any]:
        told.append(talk.connection.expect_continue())
        return asyncio.Task(upload, loop=loop, **options)

    loop.set_task_factory(begin)
    upload = talk.connection.start_upload(asyncio.sleep(10))
    loop.set_task_factory(None)
    talk.hear(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert told[0].done()
    upload.cancel()
    with pytest.raises(ClientConnectionError):
        await talk.answer


async def test_drain_waits_until_the_peer_takes_more() -> None:
    talk = Talk("POST")
    await talk.connection.drain()
    talk.connection.pause_writing()
    drained = asyncio.ensure_future(talk.connection.drain())
    await asyncio.sleep(0)
    assert not drained.done()
    talk.connection.resume_writing()
    await drained
    talk.connection.close()
    assert talk.answer.exception() is not None


@pytest.mark.parametrize("how", ["lost", "closed", "failed"])
async def test_a_connection_that_ends_while_draining(how: str) -> None:
    talk = Talk("POST")
    talk.connection.pause_writing()
    upload = talk.connection.start_upload(talk.connection.drain())
    draining = asyncio.ensure_future(talk.connection.drain())
    await asyncio.sleep(0)
    endings: dict[str, Callable[[], object]] = {
        "lost": lambda: talk.wire.lose(RESET),
        "closed": talk.connection.close,
        "failed": lambda: talk.connection.fail(ServerTimeoutError("too late")),
    }
    endings[how]()
    with pytest.raises(ClientConnectionResetError, match=r"Connection lost \(example\.org:80\)"):
        await draining
    with pytest.raises(ClientError):
        await talk.answer
    await asyncio.wait([upload])
    with pytest.raises(ClientConnectionResetError):
        talk.connection.write([b"more"])
    with pytest.raises(ClientConnectionResetError):
        await talk.connection.drain()


async def flood(connection: HTTPConnection) -> None:
    while True:
        connection.write([b"x" * 2**16, b"y" * 2**16])
        await connection.drain()


@pytest.mark.every_loop
@pytest.mark.parametrize("ending", [HalfClose(), Reset()])
async def test_a_peer_that_ends_without_taking_the_request(dial: Dial, ending: Callable[[Any], Awaitable[None]]) -> None:
    """With FIN, asyncio would wait until what is buffered is sent, which is never."""
    async with asyncio.timeout(10), ScriptedPeer([StopReading(), Pause(0.05), ending, StallForever()]) as peer:
        connection = await dial(peer)
        answer = connection.exchange("POST", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n", lambda: None)
        upload = connection.start_upload(flood(connection))
        with pytest.raises(ClientConnectionError):
            await answer
        await asyncio.wait([upload])
        await connection.wait_closed()


@pytest.mark.every_loop
async def test_an_answer_before_the_request_was_taken_does_not_hold_up_the_end(dial: Dial) -> None:
    answer = b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"
    async with asyncio.timeout(10), ScriptedPeer([StopReading(), Send(answer), StallForever()]) as peer:
        connection = await dial(peer)
        head, _ = await connection.exchange("POST", GET + b"x" * 2**24, connection.close)
        assert head.status == 413
        await connection.wait_closed()


# -- endings


async def test_close_ends_whoever_waits() -> None:
    for heard in (b"", HEAD_OF_5):
        talk = Talk()
        if heard:
            talk.hear(heard)
        waiting = asyncio.ensure_future(_read(talk.answer))
        await asyncio.sleep(0)
        talk.connection.close()
        with pytest.raises(ClientConnectionError, match=r"Connection closed \(example\.org:80\)"):
            await waiting
        assert talk.given_back == [False]
        await talk.connection.wait_closed()
        talk.connection.close()
        talk.connection.abort()
        await talk.connection.wait_closed()
        assert talk.given_back == [False]


async def _read(answer: asyncio.Future[Answer]) -> bytes:
    return await whole(await answer)


async def test_on_lost_is_called_once_the_transport_is_gone() -> None:
    talk = Talk()
    lost: list[tuple[HTTPConnection, bool]] = []
    talk.connection.on_lost = lambda connection: lost.append((connection, connection.transport is None))
    talk.hear(HEAD_OF_5 + b"hello")
    talk.connection.close()
    assert lost == []
    await talk.connection.wait_closed()
    assert lost == [(talk.connection, True)]


async def test_give_back_is_called_once_whatever_ends_first() -> None:
    talk = Talk()
    talk.hear(HEAD_OF_5)
    await talk.answer
    talk.connection.fail(ServerTimeoutError("too late"))
    talk.hear(b"hello")
    talk.connection.close()
    talk.wire.lose(RESET)
    assert talk.given_back == [False]


async def test_its_repr_says_what_it_does() -> None:
    talk = Talk()
    assert repr(talk.connection) == "<HTTPConnection example.org:80 waiting for the head, exchanges=1>"
    talk.hear(HEAD_OF_5)
    await talk.answer
    assert "reading the body" in repr(talk.connection)
    talk.hear(b"hello")
    assert "idle" in repr(talk.connection)
    talk.connection.close()
    assert "closed" in repr(talk.connection)
