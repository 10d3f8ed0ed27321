"""WebSocket frames: many small messages in one read, a large one in several, and frames on their way out; both twins."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aiohttpx.messages import Message

TWINS = [
    importlib.import_module(f"aiohttpx.{name}")
    for name in ("_frame_parser", "_frame_parser_py")
    if importlib.util.find_spec(f"aiohttpx.{name}") is not None
]

READ = 2**16
TEXT, BINARY = 1, 2


@pytest.fixture(params=TWINS, ids=lambda twin: twin.__name__.rpartition(".")[2])
def framing(request: pytest.FixtureRequest) -> ModuleType:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_a_flood_of_256_bytes(benchmark: BenchmarkFixture, framing: ModuleType, opcode: int) -> None:
    wire = framing.serialize_frame(opcode, b"x" * 256, b"") * 250
    parser = framing.FrameParser(2**22)
    assert len(benchmark(parser.feed, wire)) == 250


@pytest.mark.parametrize(
    ("opcode", "payload"),
    [(BINARY, b"x"), (TEXT, b"x"), (TEXT, "aäö€ xyz".encode())],
    ids=["binary", "ASCII", "text"],
)
def test_a_megabyte_in_reads(benchmark: BenchmarkFixture, framing: ModuleType, opcode: int, payload: bytes) -> None:
    payload *= 2**20 // len(payload)
    wire = framing.serialize_frame(opcode, payload, b"")
    reads = [wire[at : at + READ] for at in range(0, len(wire), READ)]
    parser = framing.FrameParser(2**22)

    def work() -> list[Message]:
        for read in reads:
            messages = parser.feed(read)
        return messages  # type: ignore[no-any-return]

    assert len(benchmark(work)) == 1


@pytest.mark.parametrize("size", [32, 4096, 2**20])
def test_a_masked_frame(benchmark: BenchmarkFixture, framing: ModuleType, size: int) -> None:
    assert len(benchmark(framing.serialize_frame, BINARY, bytes(size))) > size
