from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from aiohttpx.net.key import ConnectionKey

KEY = ConnectionKey("example.org", 443, True, True, None, None, None)

OTHERS: dict[str, Any] = {
    "host": "example.com",
    "port": 8443,
    "is_ssl": False,
    "ssl": False,
    "proxy": URL("http://proxy.example/"),
    "proxy_auth": ("user", "secret"),
    "proxy_headers_hash": 1,
    "server_hostname": "www.example.org",
    "tunnel": True,
}


def test_every_field_is_varied_below() -> None:
    assert tuple(OTHERS) == ConnectionKey._fields


@pytest.mark.parametrize("field", OTHERS)
def test_peers_that_differ_in_anything_have_different_keys(field: str) -> None:
    other = KEY._replace(**{field: OTHERS[field]})
    assert other != KEY
    assert {KEY: "pooled"}.get(other) is None


def test_equal_peers_share_a_key() -> None:
    assert {KEY: "pooled"}[ConnectionKey(*KEY)] == "pooled"
