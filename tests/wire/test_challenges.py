"""wire/challenges.py: the challenges in WWW-Authenticate fields (RFC 9110, section 11.6.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpx.wire.challenges import Challenge, parse_challenges, quoted

NEWAUTH = Challenge("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'})


@pytest.mark.parametrize(
    ("field", "challenges"),
    [
        ("", []),
        (" , ,", []),
        ("Basic", [Challenge("basic", {})]),
        ('Basic realm="x"', [Challenge("basic", {"realm": "x"})]),
        ('BASIC  Realm = "x" ,\tcharset="UTF-8"', [Challenge("basic", {"realm": "x", "charset": "UTF-8"})]),
        (
            r'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\""',  # the RFC's example
            [Challenge("basic", {"realm": "simple"}), NEWAUTH],
        ),
        (r'Newauth realm="apps", type=1, title="Login to \"apps\"", Basic', [NEWAUTH, Challenge("basic", {})]),
        ("Negotiate abc==, NTLM", [Challenge("negotiate", {}, "abc=="), Challenge("ntlm", {})]),
        ("Negotiate, Digest a=b", [Challenge("negotiate", {}), Challenge("digest", {"a": "b"})]),
        ('Digest domain="/a, /b", x=1', [Challenge("digest", {"domain": "/a, /b", "x": "1"})]),
        (r'Digest realm="a\\b"', [Challenge("digest", {"realm": "a\\b"})]),
        ('Digest realm=""', [Challenge("digest", {"realm": ""})]),
        ('Digest nonce="1", nonce="2"', [Challenge("digest", {"nonce": "1"})]),
    ],
)  # fmt: skip
def test_challenges(field: str, challenges: list[Challenge]) -> None:
    assert parse_challenges(field) == challenges


@pytest.mark.parametrize(
    ("field", "challenges"),
    [
        ('Digest realm="open', [Challenge("digest", {})]),
        ('Digest a=b, realm="open, Basic realm="x"', [Challenge("digest", {"a": "b"})]),
        ("Digest =invalid, format", [Challenge("digest", {})]),
        ('"Basic" realm=x', []),
        ("Digest a=b c=d", [Challenge("digest", {})]),
    ],
)
def test_nothing_is_read_from_where_it_is_broken(field: str, challenges: list[Challenge]) -> None:
    assert parse_challenges(field) == challenges


@given(st.text(alphabet='aB=", \\\t;\x00é', max_size=40))
def test_any_text_has_an_end(text: str) -> None:
    for challenge in parse_challenges(text):
        assert challenge.scheme


@given(st.text())
def test_what_is_quoted_is_read_as_it_was(text: str) -> None:
    text = text.replace("\n", "")
    assert parse_challenges(f"X a={quoted(text)}, b=1") == [Challenge("x", {"a": text, "b": "1"})]


@pytest.mark.parametrize("piece", ['"', "a=", "a ", 'a="', "\\", "a,", "="])
def test_a_long_field_takes_no_long_time(piece: str) -> None:
    """One that scanned it all again for each of its pieces would not come to an end."""
    assert parse_challenges("Digest " + piece * (2**18 // len(piece)))[0].scheme == "digest"
