"""wire/basicauth.py: Basic credentials of fields and URLs (RFC 7617)."""

from __future__ import annotations

import pickle
import warnings

import pytest
from yarl import URL

from aiohttpx import BasicAuth, encode_basic_auth
from aiohttpx.wire.basicauth import split_credentials


def test_credentials_are_a_named_tuple_without_a_deprecation_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        auth = BasicAuth("Aladdin", "open sesame")
    assert auth == ("Aladdin", "open sesame", "latin1")
    assert (auth.login, auth.password, auth.encoding) == tuple(auth)
    assert BasicAuth("nkim") == BasicAuth("nkim", "")
    assert auth._replace(password="x").encode() == encode_basic_auth("Aladdin", "x")
    assert pickle.loads(pickle.dumps(auth)) == auth


def test_the_example_of_the_rfc() -> None:
    assert BasicAuth("Aladdin", "open sesame").encode() == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert encode_basic_auth("test", "123£") == "Basic dGVzdDoxMjPCow=="  # RFC 7617, section 2.1
    assert BasicAuth("test", "123£").encode() == "Basic dGVzdDoxMjOj"
    assert BasicAuth("test", "123£", "utf-16").encode().startswith("Basic ")


@pytest.mark.parametrize("field", ["Basic bmtpbTpwd2Q=", "basic bmtpbTpwd2Q="])
def test_a_field_is_decoded(field: str) -> None:
    assert BasicAuth.decode(field) == BasicAuth("nkim", "pwd")


def test_what_was_encoded_is_decoded() -> None:
    for auth in (BasicAuth("", ""), BasicAuth("a", "b:c"), BasicAuth("é", "ü"), BasicAuth("имя", "пароль", "utf-8")):
        assert BasicAuth.decode(auth.encode(), auth.encoding) == auth


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("Basic", "Could not parse"),
        ("Bearer bmtpbTpwd2Q=", "Unknown authorization method Bearer"),
        ("Basic bmtpbTpwd2Q", "Invalid base64"),
        ("Basic bmtpbTp\u0430", "Invalid base64"),
        ("Basic bmtpbQ==", "Invalid credentials"),
    ],
)
def test_a_broken_field_is_a_value_error(field: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BasicAuth.decode(field)


def test_octets_that_are_no_text_are_a_value_error_that_does_not_show_them() -> None:
    with pytest.raises(ValueError, match=r"^Invalid base64 encoding\.$") as caught:
        BasicAuth.decode(BasicAuth("a", "s\xe9cret").encode(), "utf-8")
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("arguments", [(None,), ("a", None), ("a:b", "c")])
def test_what_cannot_be_credentials_is_a_value_error(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        BasicAuth(*arguments)


def test_what_the_charset_lacks_is_a_value_error_that_does_not_show_it() -> None:
    with pytest.raises(ValueError, match="latin1") as caught:
        BasicAuth("a", "пароль").encode()
    assert "п" not in str(caught.value)
    assert r"\u" not in str(caught.value)
    with pytest.raises(ValueError, match="not allowed"):
        encode_basic_auth("a:b")


def test_no_repr_shows_a_password() -> None:
    assert repr(BasicAuth("me", "secret")) == "BasicAuth(login='me', password=..., encoding='latin1')"
    assert "secret" not in f"{BasicAuth('me', 'secret')}"


def test_credentials_of_a_url() -> None:
    assert BasicAuth.from_url(URL("http://user%40a:p%3Aw@example.org/")) == BasicAuth("user@a", "p:w")
    assert BasicAuth.from_url(URL("http://:pw@example.org/"), encoding="utf-8") == BasicAuth("", "pw", "utf-8")
    assert BasicAuth.from_url(URL("http://example.org/")) is None
    with pytest.raises(TypeError, match=r"yarl\.URL"):
        BasicAuth.from_url("http://user:pw@example.org/")  # type: ignore[arg-type]


def test_a_url_is_split_from_its_credentials() -> None:
    assert split_credentials(URL("http://example.org/a?b#c")) == (URL("http://example.org/a?b#c"), None)
    url, auth = split_credentials(URL("http://me:pw@example.org:8080/a?b#c"))
    assert (url, auth) == (URL("http://example.org:8080/a?b#c"), BasicAuth("me", "pw"))
    assert split_credentials(URL("http://имя:pw@example.org/"))[1] == BasicAuth("имя", "pw", "utf-8")
    with pytest.raises(ValueError, match="not allowed"):
        split_credentials(URL("http://a%3Ab:pw@example.org/"))
