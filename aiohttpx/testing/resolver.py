"""A resolver for which every host lives at one address."""

from __future__ import annotations

import socket

from ..net.resolver import AbstractResolver, ResolveResult


class OneAddressResolver(AbstractResolver):
    """Says `host` and `port` whatever it is asked for."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return [
            {
                "hostname": host,
                "host": self._host,
                "port": self._port,
                "family": socket.AF_INET6 if ":" in self._host else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            }
        ]

    async def close(self) -> None:
        """It holds nothing."""
