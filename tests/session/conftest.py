"""Two origins, for tests of what may travel from one to another."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .site import Site


@pytest.fixture
async def here() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site


@pytest.fixture
async def there() -> AsyncIterator[Site]:
    async with Site() as site:
        yield site
