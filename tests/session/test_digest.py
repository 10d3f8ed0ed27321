"""session/digest.py: the sums of Digest authentication, against the examples of the RFCs."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from aiohttpx import ClientError
from aiohttpx.session.digest import DigestChallenge, DigestSession, authorization, covers, find_challenge, protection_spaces
from aiohttpx.wire.challenges import parse_challenges

MUFASA: dict[str, Any] = {"login": "Mufasa", "method": "GET", "target": "/dir/index.html"}
OLD = DigestChallenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41")
NEW = DigestChallenge(
    "http-auth@example.org",
    "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    qop=frozenset({"auth", "auth-int"}),
    opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
)
AUTH = frozenset({"auth"})


def fields(value: str) -> dict[str, str]:
    (challenge,) = parse_challenges(value)
    assert challenge.scheme == "digest"
    return challenge.parameters


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    challenge = NEW._replace(algorithm=algorithm)
    assert fields(authorization(challenge, password="Circle of Life", cnonce=cnonce, **MUFASA)) == {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "nonce": NEW.nonce,
        "uri": "/dir/index.html",
        "response": response,
        "algorithm": algorithm,
        "opaque": NEW.opaque,
        "qop": "auth",
        "nc": "00000001",
        "cnonce": cnonce,
    }


def test_rfc_7616_section_3_9_2_as_its_erratum_has_it() -> None:
    challenge = DigestChallenge("api@example.org", "n", "SHA-512-256", AUTH, userhash=True, utf8=True)
    said = fields(authorization(challenge, "J\u00e4s\u00f8n Doe", "Secret, or not?", "GET", "/doe.json", cnonce="c"))
    assert said["username"] == "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    assert said["userhash"] == "true"


def test_rfc_2617_section_3_5() -> None:
    said = authorization(OLD._replace(qop=AUTH), password="Circle Of Life", cnonce="0a4f113b", **MUFASA)
    assert fields(said)["response"] == "6629fae49393a05397450978507c4ef1"


def test_rfc_2069_as_its_erratum_has_it() -> None:
    said = fields(authorization(OLD, password="CircleOfLife", cnonce="unused", **MUFASA))
    assert said["response"] == "1949323746fe6a43ef61f9606e7febea"
    assert not said.keys() & {"qop", "nc", "cnonce"}


def test_integrity_covers_the_body() -> None:
    said = [fields(authorization(NEW, password="p", cnonce="c", body=body, **MUFASA)) for body in (None, b"", b"x")]
    assert [each["qop"] for each in said] == ["auth", "auth-int", "auth-int"]
    assert len({each["response"] for each in said}) == 3


def test_a_session_counts_and_keeps_its_client_nonce() -> None:
    session = DigestSession(NEW._replace(algorithm="MD5-sess"), ())
    said = [fields(session.authorize("me", "pw", "GET", "/", None)) for _ in range(3)]
    assert [each["nc"] for each in said] == ["00000001", "00000002", "00000003"]
    assert len({each["cnonce"] for each in said}) == 1
    assert fields(DigestSession(NEW, ()).authorize("me", "pw", "GET", "/", None))["cnonce"] != said[0]["cnonce"]


def test_a_session_algorithm_says_its_client_nonce_without_qop_too() -> None:
    said = fields(authorization(OLD._replace(algorithm="SHA-256-sess"), "me", "pw", "GET", "/", cnonce="c"))
    assert (said["algorithm"], said["cnonce"], "nc" in said) == ("SHA-256-sess", "c", False)


@pytest.mark.parametrize("text", ['a"b', "a\\", '\\"', 'x", response="forged'])
def test_nothing_breaks_out_of_its_quotes(text: str) -> None:
    challenge = DigestChallenge(text, text, opaque=text)
    said = fields(authorization(challenge, text.replace(":", ""), "pw", "GET", "/?" + text, cnonce="c"))
    assert (said["username"], said["realm"], said["nonce"], said["opaque"]) == (text, text, text, text)
    assert said["uri"] == "/?" + text
    assert len(said["response"]) == 32


def test_a_name_beyond_ascii() -> None:
    challenge = DigestChallenge("r", "n", utf8=True)
    assert "username*=UTF-8''J%C3%A4s%C3%B8n, realm=" in authorization(challenge, "J\u00e4s\u00f8n", "p", "GET", "/", cnonce="c")
    assert 'username="J\u00e4s' in authorization(challenge._replace(utf8=False), "J\u00e4s", "p", "GET", "/", cnonce="c")


# -- challenges


def test_a_challenge_is_understood() -> None:
    field = 'Basic realm="b", Digest realm="r", nonce="n", qop="Auth, auth-int,token", stale=TRUE, userhash=true, charset=utf-8'
    field += ', domain="/a"'
    expected = DigestChallenge("r", "n", "MD5", frozenset({"auth", "auth-int"}), None, "/a", True, True, True)
    assert find_challenge([field]) == expected
    assert find_challenge(["Negotiate", 'Digest realm="", nonce="n", opaque=""']) == DigestChallenge("", "n", opaque="")


@pytest.mark.parametrize(
    "field", ["", "Basic realm=x", "Digest", "Digest ", "Digest =invalid, format", "DigestX realm=a, nonce=b"]
)
def test_where_there_is_none_none_is_found(field: str) -> None:
    assert find_challenge([field]) is None
    assert find_challenge([]) is None


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("Digest nonce=n", "Missing 'realm'"),
        ("Digest realm=r", "Missing 'nonce'"),
        ('Digest realm=r, nonce=""', "empty 'nonce'"),
        ("Digest realm=r, nonce=n, algorithm=ROT13", "Unsupported hash algorithm: ROT13. Supported algorithms: MD5"),
        ("Digest realm=r, nonce=n, qop=auth-conf", "Unsupported Quality of Protection"),
    ],
)
def test_one_that_cannot_be_met_is_an_error(field: str, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        find_challenge([field])
    found = find_challenge([field, "Digest realm=r, nonce=second"])  # if there is no other one
    assert found is not None
    assert found.nonce == "second"


def test_the_server_prefers_the_first_that_can_be_met() -> None:
    found = find_challenge(
        ["Digest realm=r, nonce=1, algorithm=UNKNOWN, Digest realm=r, nonce=2, algorithm=SHA-256", "Digest realm=r, nonce=3"]
    )
    assert found is not None
    assert (found.nonce, found.algorithm) == ("2", "SHA-256")


# -- protection spaces

HERE = URL("https://example.org/a/b")


@pytest.mark.parametrize(
    ("domain", "covered", "not_covered"),
    [
        ("", ["https://example.org/", "https://example.org/x?y"], ["http://example.org/", "https://example.org:8443/", "https://www.example.org/"]),
        ("/a", ["https://example.org/a", "https://example.org/a/b?c"], ["https://example.org/ab", "https://example.org/"]),
        ("/a/", ["https://example.org/a/b"], ["https://example.org/a", "https://example.org/a/../b"]),
        ("/a https://other.test/x", ["https://other.test/x/y", "https://example.org/a"], ["https://other.test/", "https://other.test.evil/x"]),
        ("http://other.test/ http://example.org/", ["https://example.org/"], ["http://other.test/", "http://example.org/"]),
        ('"', ["https://example.org/"], ["https://other.test/"]),
        ("https://[", ["https://example.org/"], []),
    ],
)  # fmt: skip
def test_protection_spaces(domain: str, covered: list[str], not_covered: list[str]) -> None:
    spaces = protection_spaces(domain, HERE, others=True)
    for url in covered:
        assert any(covers(space, URL(url)) for space in spaces), url
    for url in not_covered:
        assert not any(covers(space, URL(url)) for space in spaces), url


def test_who_may_not_name_others_names_only_itself() -> None:
    assert protection_spaces("https://other.test/ /a", HERE, others=False) == ((("https", "example.org", 443), "/a"),)
