"""What cookies of others cost a request, in instructions of the client and its harness: counted, so it says the same at any time.

    python benchmarks/cookies.py

Needs valgrind. Each row is a fresh process that asks a host on a warm connection whose answers come out of memory; what its start
costs, and putting the cookies into the jar, is subtracted. The jar has so many cookies, each of another host.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent))

from yarl import URL

import aiohttpx

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
_COOKIES = (0, 1, 10_000)
_FEW, _MANY = 200, 700


class Memory(asyncio.Transport):
    """Answers whatever is written."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self._protocol = protocol

    def write(self, data: Any) -> None:
        self._protocol.loop.call_soon(self._protocol.data_received, _ANSWER)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self._protocol.loop.call_soon(self._protocol.connection_lost, None)

    abort = close


class Connector(aiohttpx.BaseConnector):
    async def _create_connection(self, req: Any, traces: Any, timeout: Any) -> Any:
        protocol = self._factory()
        protocol.connection_made(Memory(protocol))
        return protocol


async def ask(cookies: int, requests: int, distinct: bool) -> None:
    jar = aiohttpx.CookieJar()
    for number in range(cookies):
        jar.update_cookies_from_headers(["name=value; Path=/"], URL(f"http://host{number}.example.com/"))
    async with aiohttpx.ClientSession(connector=Connector(), cookie_jar=jar) as session:
        for number in range(requests):
            async with session.get(f"http://www.example.org/{number if distinct else ''}") as response:
                await response.read()


def instructions(cookies: int, requests: int, distinct: bool) -> int:
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", sys.executable, __file__]
    command += map(str, (cookies, requests, int(distinct)))
    told = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True).stderr
    found = re.search(r"I +refs: +([0-9,]+)", told)
    if found is None:
        raise RuntimeError(told)
    return int(found[1].replace(",", ""))


def main() -> None:
    print("| cookies of other hosts | one URL | distinct URLs |\n|---:|---:|---:|")
    for cookies in _COOKIES:
        counts = [
            (instructions(cookies, _MANY, distinct) - instructions(cookies, _FEW, distinct)) // (_MANY - _FEW)
            for distinct in (False, True)
        ]
        print(f"| {cookies} | {counts[0]} | {counts[1]} |")


if __name__ == "__main__":
    if sys.argv[1:]:
        asyncio.run(ask(*map(int, sys.argv[1:3]), sys.argv[3] == "1"))
    else:
        main()
