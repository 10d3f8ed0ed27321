"""Bodies in parts over a connection, both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from aiohttpx import BodyPartReader, ClientConnectionError, ClientPayloadError, ClientSession, MultipartReader, MultipartWriter
from aiohttpx.testing import Close, LoopbackServer, Request, Response, ScriptedPeer, StallForever

BODY = b"--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b\r\nContent-Type: application/json\r\n\r\n[2]\r\n--b--\r\n"
FIELDS = [("Content-Type", "multipart/mixed; boundary=b")]


async def in_pieces(size: int, body: bytes = BODY) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize("size", [1, 10, 1000])
async def test_the_parts_of_a_response(size: int) -> None:
    def answer(request: Request) -> Response:
        return Response(200, FIELDS, in_pieces(size))

    async with LoopbackServer({"/": answer}) as server, ClientSession() as session:
        for _ in range(3):
            async with session.get(server.url) as response:
                reader = MultipartReader.from_response(response)
                first = await reader.next()
                assert isinstance(first, BodyPartReader)
                assert await first.text() == "one"
                assert not reader.at_eof()
                second = await reader.next()
                assert isinstance(second, BodyPartReader)
                assert await second.json() == [2]
                assert await reader.next() is None
                assert reader.at_eof()
                assert await reader.next() is None
        assert server.connections == 1


async def test_the_end_of_a_response_is_not_waited_for_for_ever() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    async with (
        ScriptedPeer([head + BODY, StallForever()]) as peer,
        ClientSession() as session,
        session.get(peer.url) as response,
    ):
        reader = MultipartReader.from_response(response)
        assert len([part async for part in reader]) == 2
        assert reader.at_eof()
        assert response.closed


async def test_iterating_over_a_response() -> None:
    def answer(request: Request) -> Response:
        return Response(200, FIELDS, BODY)

    async with LoopbackServer({"/": answer}) as server, ClientSession() as session, session.get(server.url) as response:
        wrapper = MultipartReader.from_response(response, max_parts=2)
        assert [await part.read() async for part in wrapper] == [b"one", b"[2]"]  # type: ignore[union-attr]
        assert wrapper.at_eof()
        assert wrapper.resp is response


async def test_a_response_can_be_released_between_its_parts() -> None:
    async with (
        ScriptedPeer(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n") as peer,
        ClientSession() as session,
    ):
        response = await session.get(peer.url)
        reader = MultipartReader.from_response(response)
        part = await reader.next()
        assert isinstance(part, BodyPartReader)
        assert await part.read() == b"one"
        await reader.release()
        assert response.closed
        with pytest.raises(ClientConnectionError, match="Connection closed"):
            await reader.next()


async def test_a_response_that_is_cut_short_is_an_error() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Length: 100\r\n\r\n"
    async with (
        ScriptedPeer([head + b"--b\r\n\r\non", Close()]) as peer,
        ClientSession() as session,
        session.get(peer.url) as response,
    ):
        part = await MultipartReader.from_response(response).next()
        assert isinstance(part, BodyPartReader)
        with pytest.raises(ClientPayloadError):
            await part.read()


async def test_a_response_that_is_not_multipart_is_refused() -> None:
    async with LoopbackServer() as server, ClientSession() as session, session.get(f"{server.url}/anything") as response:
        with pytest.raises(ValueError, match="multipart/\\* content type expected, not 'application/json'"):
            MultipartReader.from_response(response)


async def test_a_writer_is_a_body() -> None:
    received: list[Request] = []

    def keep(request: Request) -> Response:
        received.append(request)
        return Response(204)

    async with LoopbackServer({"/": keep}) as server, ClientSession() as session:
        with MultipartWriter("related", boundary="b") as writer:
            writer.append("text")
            writer.append_json({"a": 1})
        async with session.post(server.url, data=writer):
            pass
        assert received[0].headers["content-type"] == "multipart/related; boundary=b"
        assert received[0].body == await writer.as_bytes()
        assert received[0].content_length == writer.size
        writer.append(b"x" * 100, {"Content-Encoding": "gzip"})
        async with session.post(server.url, data=writer):
            pass
        assert received[1].content_length is None
        assert received[1].body == await writer.as_bytes()


async def test_a_part_of_a_response_can_be_sent_on() -> None:
    received: list[Request] = []

    def source(request: Request) -> Response:
        return Response(200, FIELDS, in_pieces(7))

    def keep(request: Request) -> Response:
        received.append(request)
        return Response(204)

    async with (
        LoopbackServer({"/source": source, "/sink": keep}) as server,
        ClientSession() as session,
        session.get(f"{server.url}/source") as response,
    ):
        async for part in MultipartReader.from_response(response):
            async with session.post(f"{server.url}/sink", data=part):
                pass
    assert [request.body for request in received] == [b"one", b"[2]"]
    assert [request.headers["content-type"] for request in received] == ["text/plain", "application/json"]
