"""Who takes part: one row a contestant. Each class does the same operations with another client."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Entry:
    """Where a contestant's class lives, and what its process needs."""

    #: "module:class" below this package.
    where: str
    #: The distributions whose versions are printed.
    distributions: tuple[str, ...] = ()
    #: Environment variables of its process.
    environment: dict[str, str] = field(default_factory=dict)
    #: Takes part without being asked by name.
    always: bool = True
    #: What part of the usual number of requests it makes in a round.
    share: float = 1.0
    #: Works it does not do.
    leaves_out: frozenset[str] = frozenset()


_UPLOADS: Final = frozenset({"upload", "multipart"})

CONTESTANTS: Final = {
    "floor": Entry("floor:Floor", leaves_out=_UPLOADS | {"gzip4"}),  # it looks at no content
    "floor+await": Entry("floor_await:FloorAwait", environment={"AIOHTTPX_IMPL": "c"}),
    "aiohttpx": Entry("aiohttp_api:Aiohttpx", ("aiohttpx",), {"AIOHTTPX_IMPL": "c"}),
    "aiohttpx-python": Entry("aiohttp_api:Aiohttpx", ("aiohttpx",), {"AIOHTTPX_IMPL": "python"}, always=False),
    "aiohttp": Entry("aiohttp_api:Aiohttp", ("aiohttp",)),
    "wreq": Entry("wreq_client:Wreq", ("wreq",), leaves_out=_UPLOADS),
    "pyreqwest": Entry("pyreqwest_client:Pyreqwest", ("pyreqwest",), leaves_out=_UPLOADS),
    # Its pool walks over all requests and connections at every change: 64 at once cost ten times as much for each as one,
    # and 1,024 at once take minutes a round.
    "httpx": Entry("httpx_client:Httpx", ("httpx",), share=0.1, leaves_out=frozenset({"get1024"})),
}
