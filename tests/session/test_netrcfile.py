"""session.netrcfile.py: credentials from a netrc file."""

from __future__ import annotations

import logging
import os
from netrc import netrc
from pathlib import Path

import pytest

from aiohttpx import BasicAuth, ClientSession, encode_basic_auth
from aiohttpx.session.netrcfile import credentials_of, netrc_credentials, netrc_path

from .site import Site

FILE = "machine example.org login me password secret\nmachine 127.0.0.1 login here password pass\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "credentials"
    path.write_text(FILE, encoding="utf-8")
    monkeypatch.setenv("NETRC", str(path))
    return path


def write(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
    else:
        file.write_text(text, encoding="utf-8", errors="surrogateescape")


def test_the_file_is_the_named_one_or_the_one_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert netrc_path({"NETRC": "/some/file"}) == Path("/some/file")
    home = netrc_path({"NETRC": ""})
    assert home is not None
    assert home.name in {".netrc", "_netrc"}
    assert home.parent == tmp_path or os.name == "nt"


def test_a_user_without_a_home_has_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert netrc_path({}) is None


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("example.org", BasicAuth("me", "secret")),
        ("example.org.evil.test", None),
        ("org", None),
        ("named.test", BasicAuth("account", "")),
        ("unicode.test", BasicAuth("имя", "пароль", "utf-8")),
    ],
)
def test_nothing_but_the_host_decides(tmp_path: Path, host: str, found: BasicAuth | None) -> None:
    path = tmp_path / "netrc"
    path.write_text(FILE + "machine named.test account account\nmachine unicode.test login имя password пароль\n", "utf-8")
    assert credentials_of(netrc(str(path)), host) == found


def test_the_default_entry_is_for_all_other_hosts(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_text(FILE + "default login any password one\n", "utf-8")
    assert credentials_of(netrc(str(path)), "elsewhere.test") == BasicAuth("any", "one")


async def test_a_file_is_read_again_when_it_changes(file: Path) -> None:
    assert await netrc_credentials("example.org") == BasicAuth("me", "secret")
    write(file, "machine example.org login me password another-one")
    assert await netrc_credentials("example.org") == BasicAuth("me", "another-one")
    write(file, None)
    assert await netrc_credentials("example.org") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("machine example.org login me password x\nsecret-word\n", "Could not parse"), ("machine \udcff", "Could not read")],
)
async def test_a_broken_file_is_a_warning_without_its_words(
    file: Path, text: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(file, text)
    with caplog.at_level(logging.WARNING, "aiohttpx.client"):
        assert await netrc_credentials("example.org") is None
    assert said in caplog.text
    assert str(file) in caplog.text
    assert "secret-word" not in caplog.text


async def test_a_named_file_that_is_missing_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert await netrc_credentials("example.org") is None
    assert not caplog.text
    monkeypatch.setenv("NETRC", str(tmp_path / "missing"))
    assert await netrc_credentials("example.org") is None
    assert "missing: FileNotFoundError" in caplog.text


# -- a session with trust_env


def sent(site: Site) -> list[str | None]:
    return [request.headers.get("authorization") for request in site.asked]


async def test_a_session_that_trusts_the_environment_uses_the_file(file: Path, here: Site) -> None:
    async with ClientSession(trust_env=True) as session:
        assert session.trust_env is True
        await session.get(here.url)
        await session.get(here.url.replace("127.0.0.1", "localhost"))
    async with ClientSession() as session:
        assert session.trust_env is False
        await session.get(here.url)
    assert sent(here) == [encode_basic_auth("here", "pass"), None, None]


async def test_whatever_is_given_goes_before_the_file(file: Path, here: Site) -> None:
    async with ClientSession(trust_env=True) as session:
        await session.get(here.url, auth=BasicAuth("a", "b"))
        await session.get(here.url.replace("//", "//c:d@"))
        await session.get(here.url, headers={"Authorization": "Bearer e"})
    async with ClientSession(trust_env=True, headers={"authorization": "Bearer f"}) as session:
        await session.get(here.url)
    async with ClientSession(trust_env=True, auth=BasicAuth("g", "h")) as session:
        await session.get(here.url)
    expected = [encode_basic_auth("a", "b"), encode_basic_auth("c", "d"), "Bearer e", "Bearer f", encode_basic_auth("g", "h")]
    assert sent(here) == expected


async def test_a_redirect_to_another_origin_does_not_look_into_the_file(file: Path, here: Site, there: Site) -> None:
    async with ClientSession(trust_env=True) as session:
        await session.get(here.to("/to/302?" + there.url))
        await session.get(here.to(there.url), headers={"Authorization": "Bearer dropped"})
    assert sent(here) == [encode_basic_auth("here", "pass")] * 2 + ["Bearer dropped"]
    assert sent(there) == [None, None]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1@{}/", "http://127.0.0.1:80@{}/", "http://{}/?@127.0.0.1", "http://{}#@127.0.0.1"]
)
async def test_a_crafted_url_gets_nothing_of_another_host(file: Path, here: Site, url: str) -> None:
    host = here.url.replace("http://127.0.0.1", "localhost")
    async with ClientSession(trust_env=True) as session:
        await session.get(url.format(host))
    (field,) = sent(here)
    assert field is None or BasicAuth.decode(field).password != "pass"
