"""The opening handshake (RFC 6455, section 4), and what it says of permessage-deflate (RFC 7692, section 7.1)."""

from __future__ import annotations

import base64

import pytest
from multidict import CIMultiDict

from aiohttpx.errors import WSHandshakeError
from aiohttpx.wire.handshake import (
    Agreement,
    DeflateParameters,
    Extension,
    accept_key,
    check_answer,
    check_deflate,
    make_key,
    offer_deflate,
    parse_extensions,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def answer(*more: tuple[str, str], without: str = "") -> CIMultiDict[str]:
    fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", ACCEPT)]
    return CIMultiDict([field for field in fields if field[0] != without] + list(more))


def test_the_accept_of_the_rfc() -> None:
    assert accept_key(KEY) == ACCEPT


def test_a_key_is_16_bytes_that_nobody_knows() -> None:
    keys = {make_key() for _ in range(100)}
    assert len(keys) == 100
    assert {len(base64.b64decode(key, validate=True)) for key in keys} == {16}


@pytest.mark.parametrize("without", ["Upgrade", "Connection", ""])
def test_a_right_answer(without: str) -> None:
    more = {"Upgrade": ("upgrade", "WebSocket "), "Connection": ("connection", "keep-alive ,\tUPGRADE"), "": ("X", "y")}[without]
    assert check_answer(101, answer(more, without=without), KEY) == Agreement(None, None)


@pytest.mark.parametrize(
    ("status", "without", "more", "message"),
    [
        (200, "", [], "Invalid response status"),
        (101, "Upgrade", [], "Invalid upgrade header"),
        (101, "Upgrade", [("Upgrade", "h2c")], "Invalid upgrade header"),
        (101, "Upgrade", [("Upgrade", "websocket, h2c")], "Invalid upgrade header"),
        (101, "Connection", [], "Invalid connection header"),
        (101, "Connection", [("Connection", "upgraded, x-upgrade")], "Invalid connection header"),
        (101, "Sec-WebSocket-Accept", [], "Invalid challenge response"),
        (101, "Sec-WebSocket-Accept", [("Sec-WebSocket-Accept", ACCEPT.lower())], "Invalid challenge response"),
        (101, "", [("Sec-WebSocket-Accept", ACCEPT)], "Invalid challenge response"),
        (101, "", [("Sec-WebSocket-Protocol", "other")], "Invalid subprotocol: 'other' was not offered"),
        (101, "", [("Sec-WebSocket-Protocol", "Chat")], "Invalid subprotocol: 'Chat' was not offered"),
        (101, "", [("Sec-WebSocket-Protocol", "chat, chat2")], "Invalid subprotocol: 'chat, chat2' was not offered"),
        (101, "", [("Sec-WebSocket-Protocol", "chat")] * 2, "Invalid subprotocol"),
        (101, "", [("Sec-WebSocket-Extensions", "permessage-deflate")], "Invalid extension: 'permessage-deflate'"),
        (101, "", [("Sec-WebSocket-Extensions", "x-zip")], "Invalid extension: 'x-zip' was not offered"),
        (101, "", [("Sec-WebSocket-Extensions", "x y")], "Invalid extension header: 'x y'"),
    ],
)
def test_a_wrong_answer(status: int, without: str, more: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(WSHandshakeError, match=message):
        check_answer(status, answer(*more, without=without), KEY, ["chat", "chat2"])


def test_the_subprotocol_that_was_chosen() -> None:
    assert check_answer(101, answer(("Sec-WebSocket-Protocol", " chat2 ")), KEY, iter(["chat", "chat2"])).protocol == "chat2"


def test_offers() -> None:
    assert offer_deflate(15) == "permessage-deflate; client_max_window_bits"
    assert offer_deflate(9) == "permessage-deflate; client_max_window_bits; server_max_window_bits=9"


@pytest.mark.parametrize("compress", [-15, 0, 8, 16])
def test_windows_that_cannot_be_offered(compress: int) -> None:
    with pytest.raises(ValueError, match=f"9 to 15 window bits, not {compress}"):
        offer_deflate(compress)


@pytest.mark.parametrize(
    ("value", "compress", "agreed"),
    [
        ("permessage-deflate", 15, DeflateParameters()),
        ("permessage-deflate", 10, DeflateParameters()),
        (", permessage-deflate ;server_max_window_bits=\t8,,", 15, DeflateParameters(server_bits=8)),
        ('permessage-deflate; client_max_window_bits="12"', 15, DeflateParameters(client_bits=12)),
        ("permessage-deflate;client_max_window_bits=8;server_max_window_bits=10", 11, DeflateParameters(8, 10)),
        (
            "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
            15,
            DeflateParameters(client_takeover=False, server_takeover=False),
        ),
    ],
)
def test_what_is_agreed(value: str, compress: int, agreed: DeflateParameters) -> None:
    assert check_answer(101, answer(("Sec-WebSocket-Extensions", value)), KEY, (), compress).deflate == agreed


@pytest.mark.parametrize(
    "parameters",
    [
        "x",
        "server_no_context_takeover=1",
        "client_no_context_takeover=true",
        "client_max_window_bits",
        "server_max_window_bits",
        "server_max_window_bits=16",
        "server_max_window_bits=7",
        "server_max_window_bits=08",
        "server_max_window_bits=15",  # more than was asked for
        "client_max_window_bits=1O",
        "client_max_window_bits=\u0661\u0660",
        "client_max_window_bits=10; client_max_window_bits=10",
        "server_no_context_takeover; server_no_context_takeover",
        "CLIENT_MAX_WINDOW_BITS=10",
        "server_max_window_bits=",
        "server_max_window_bits='10'",
        'server_max_window_bits="1 0"',
        "=10",
        "",
    ],
)
def test_parameters_that_cannot_be(parameters: str) -> None:
    with pytest.raises(WSHandshakeError, match=r"Invalid (permessage-deflate|extension)"):
        check_answer(101, answer(("Sec-WebSocket-Extensions", f"permessage-deflate; {parameters}")), KEY, (), 14)


def test_one_extension_at_most() -> None:
    twice = answer(*[("Sec-WebSocket-Extensions", "permessage-deflate")] * 2)
    with pytest.raises(WSHandshakeError, match="Invalid extension: 'permessage-deflate' was not offered"):
        check_answer(101, twice, KEY, (), 15)
    with pytest.raises(WSHandshakeError, match="Invalid extension: 'x' was not offered"):
        check_answer(101, answer(("Sec-WebSocket-Extensions", "permessage-deflate, x")), KEY, (), 15)


def test_extensions() -> None:
    assert parse_extensions("") == []
    assert parse_extensions(' a;b ; c=d;e="f" ,,b') == [Extension("a", (("b", None), ("c", "d"), ("e", "f"))), Extension("b", ())]
    assert check_deflate(*parse_extensions("permessage-deflate")) == DeflateParameters()


@pytest.mark.parametrize(
    "value",
    ["a" + "; b=c" * 20_000 + "?", "a," * 50_000 + "?", " " * 100_000 + "?", 'a; b="' + "c" * 100_000],
    ids=["parameters", "names", "spaces", "quotes"],
)
def test_long_extensions_take_linear_time(value: str) -> None:
    with pytest.raises(WSHandshakeError, match="Invalid extension header"):
        parse_extensions(value)
