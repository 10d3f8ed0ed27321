"""The walk of one warm `async with session.get(url) as response: await response.json()` through a package's own Python.

    python benchmarks/walk.py --package aiohttpx

Every frame of the package's own files is listed in the order in which it is entered, indented by its floor: what a caller calls
is high, the socket is low. The rule of the count:

- a frame counts when its code is in a file of the package; the standard library, multidict, yarl and compiled code do not;
- entering a frame counts once; going on in a suspended coroutine or generator is a resumption and is counted apart;
- properties, comprehensions and callbacks that the event loop runs for this request are frames like others;
- a change of direction is a step down after one up, or the other way round; steps within a floor are none.

By this rule aiohttp 3.14.5 on CPython 3.11 enters 119 frames and resumes 5, in 39 changes of direction.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

_BODY = json.dumps({"name": "value", "numbers": [1, 2, 3]}).encode()
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
_WARM = 5
#: The floor of a file or folder at the top of a package; what is not named is ground, 0.
_FLOORS = {
    "aiohttpx": {"session": 5, "message": 4, "pool": 4, "net": 3, "wire": 2, "_http_parser_py.py": 1, "_impl.py": 1},
    "aiohttp": {
        "client.py": 5,
        "client_reqrep.py": 4,
        "connector.py": 3,
        "client_proto.py": 2,
        "streams.py": 2,
        "http_writer.py": 2,
        "base_protocol.py": 1,
    },
}


class Step(NamedTuple):
    """One frame entered or resumed."""

    floor: int
    #: The file below the package, and the function in it.
    where: str
    resumed: bool


class Walk:
    """Takes the steps of one package, as a profile function."""

    def __init__(self, package: Any, floors: dict[str, int]) -> None:
        self.steps: list[Step] = []
        self._folder = str(Path(package.__file__).parent) + os.sep
        self._floors = floors
        # A frame is held so that no other takes its identity.
        self._seen: dict[int, FrameType] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(self._folder):
            return
        file = frame.f_code.co_filename.removeprefix(self._folder)
        resumed = id(frame) in self._seen
        self._seen[id(frame)] = frame
        floor = self._floors.get(file.partition(os.sep)[0], 0)
        self.steps.append(Step(floor, f"{file} {frame.f_code.co_qualname}", resumed))


async def walk(name: str, url: str) -> list[Step]:
    """The steps of the request after the warm ones."""
    http = importlib.import_module(name)

    async def get(session: Any) -> Any:
        async with session.get(url) as response:
            return await response.json()

    taken = Walk(http, _FLOORS[name])
    async with http.ClientSession() as session:
        for _ in range(_WARM):
            await get(session)
        sys.setprofile(taken)
        try:
            await get(session)
        finally:
            sys.setprofile(None)
    return taken.steps


def serve() -> str:
    """Answer every request with one write, from a daemon thread; the URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _address = listener.accept()
        received = b""
        while data := connection.recv(65536):
            received += data
            if received.endswith(b"\r\n\r\n"):
                received = b""
                connection.sendall(_HEAD + _BODY)

    threading.Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


def lines(name: str, steps: list[Step]) -> list[str]:
    """The walk, one line a step, and its sums."""
    text = []
    last, direction, changes = steps[0].floor, 0, 0
    for number, step in enumerate(steps, 1):
        mark = " "
        if step.floor != last:
            way = 1 if step.floor > last else -1
            mark = "↑" if way > 0 else "↓"
            changes += direction == -way
            last, direction = step.floor, way
        text.append(f"{number:4} {mark} {'. ' * (5 - step.floor)}{step.where}{' (resumed)' if step.resumed else ''}")
    resumed = sum(step.resumed for step in steps)
    text.append(f"{name}: {len(steps) - resumed} frames entered, {resumed} resumed, {changes} changes of direction")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", choices=_FLOORS, default="aiohttpx")
    name = parser.parse_args().package
    sys.path.append(str(Path(__file__).parent.parent))
    print("\n".join(lines(name, asyncio.run(walk(name, serve())))))


if __name__ == "__main__":
    main()
