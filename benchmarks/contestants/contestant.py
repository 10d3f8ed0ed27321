"""What every contestant does, and the one loop that drives and checks them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from nginx import Site
from works import Work

#: Status and length of a response.
Answer = tuple[int, int]


class WrongAnswerError(Exception):
    """A response that is not what the work asked for."""


class Contestant:
    """One client doing one work. A subclass opens the client and has the operations: `async def get(self, url) -> Answer` ..."""

    def __init__(self, site: Site, work: Work) -> None:
        self.site = site
        self.work = work

    async def open(self) -> None:
        """Make the client."""

    async def close(self) -> None:
        """End the client."""

    async def run(self, urls: Sequence[str]) -> None:
        """Do the work's operation once for each URL, `at_once` of them under way. Raises WrongAnswerError."""
        supply = iter(urls)
        if self.work.at_once == 1:
            await self._take_from(supply)
            return
        async with asyncio.TaskGroup() as group:
            for _ in range(self.work.at_once):
                group.create_task(self._take_from(supply))

    async def _take_from(self, supply: Iterator[str]) -> None:
        operation: Callable[[str], Awaitable[Answer]] = getattr(self, self.work.operation)
        right = (200, self.work.length)
        for url in supply:
            answer = await operation(url)
            if answer != right:
                raise WrongAnswerError(f"{url} gave status and length {answer}, not {right}")

    def tls_context(self) -> ssl.SSLContext:
        """A context that verifies the server, for clients that use the standard library's TLS."""
        return ssl.create_default_context(cafile=self.site.ca_file)

    def open_file(self) -> BinaryIO:
        """The file that the work uploads."""
        return open(self.site.files[str(self.work.weight)], "rb")  # the client closes it

    def authority(self) -> bytes:
        """The certificate authority of the server in PEM, for clients with TLS of their own."""
        return Path(self.site.ca_file).read_bytes()
