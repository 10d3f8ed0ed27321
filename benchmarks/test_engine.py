"""The engine: a small response in one read, chunks, and the head of a request; both twins where the compiled one is built."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aiohttpx.events import END_OF_MESSAGE, Event

TWINS = [
    importlib.import_module(f"aiohttpx.{name}")
    for name in ("_http_parser", "_http_parser_py")
    if importlib.util.find_spec(f"aiohttpx.{name}") is not None
]

SMALL = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 21 Nov 2025 10:00:00 GMT\r\nContent-Type: text/plain\r\n"
    b"Content-Length: 13\r\nConnection: keep-alive\r\n\r\nHello, World!"
)
TWENTY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n%s\r\nHello, World!" % b"".join(
    b"X-Field-%d: the value of field number %d\r\n" % (number, number) for number in range(18)
)
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n" % (b"400\r\n%s\r\n" % bytes(1024) * 100)
TINY_CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s0\r\n\r\n" % (b"1\r\nx\r\n" * 1000)
DEFAULTS = b"Host: example.org\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\nUser-Agent: Python/3.11 aiohttpx/0.1\r\n"


@pytest.fixture(params=TWINS, ids=lambda twin: twin.__name__.rpartition(".")[2])
def engine(request: pytest.FixtureRequest) -> ModuleType:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "wire", [SMALL, TWENTY, CHUNKS, TINY_CHUNKS], ids=["small head", "20 fields", "100 chunks of 1 KiB", "1,000 chunks of 1 B"]
)
def test_one_exchange(benchmark: BenchmarkFixture, engine: ModuleType, wire: bytes) -> None:
    parser = engine.ResponseParser()

    def work() -> list[Event]:
        parser.expect("GET")
        return parser.feed(wire)  # type: ignore[no-any-return]

    assert benchmark(work)[-1] is END_OF_MESSAGE


def test_head_in_two_reads(benchmark: BenchmarkFixture, engine: ModuleType) -> None:
    parser = engine.ResponseParser()
    half = len(TWENTY) // 2

    def work() -> list[Event]:
        parser.expect("GET")
        parser.feed(TWENTY[:half])
        return parser.feed(TWENTY[half:])  # type: ignore[no-any-return]

    assert benchmark(work)[-1] is END_OF_MESSAGE


@pytest.mark.parametrize("extra", [(), (("Content-Length", "512"), ("Content-Type", "application/json"))], ids=["block", "pairs"])
def test_serialize_head(benchmark: BenchmarkFixture, engine: ModuleType, extra: tuple[tuple[str, str], ...]) -> None:
    assert benchmark(engine.serialize_head, "GET", "/path?number=1", DEFAULTS, extra).endswith(b"\r\n\r\n")


def test_parse_20_fields(benchmark: BenchmarkFixture, engine: ModuleType) -> None:
    block = TWENTY.partition(b"\r\n")[2].partition(b"\r\n\r\n")[0] + b"\r\n"
    assert len(benchmark(engine.parse_fields, block)) == 20
