"""Cookies in files and out of them again: session/cookiefile.py, by way of the jar."""

from __future__ import annotations

import json
import os
import pickle
import stat
import sys
import time
from http.cookiejar import MozillaCookieJar
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from aiohttpx import CookieJar

HERE = URL("https://www.example.org/dir/page")
FIELDS = [
    "sid=s3cret; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=1000",
    "wide=x/y==; Domain=example.org; Path=/",
    'quoted="a b"; Expires=Wed, 09 Jun 2100 10:18:14 GMT',
    "empty=; Path=/a",
    "empty=2; Path=/a/",
    "ключ=знач; Path=/",
]
URLS = [HERE, URL("http://www.example.org/"), URL("https://sub.www.example.org/"), URL("https://www.example.org/a/b"), URL("/")]
posix = pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")


def full_jar(**kwargs: Any) -> CookieJar:
    jar = CookieJar(**kwargs)
    jar.update_cookies_from_headers(FIELDS, HERE)
    jar.update_cookies_from_headers(["twin=domain; Domain=www.example.org; Path=/"], URL("https://sub.www.example.org"))
    jar.update_cookies_from_headers(["twin=host; Path=/"], URL("https://www.example.org"))
    jar.update_cookies_from_headers(["twin=domain; Domain=www.example.org; Path=/"], URL("https://sub.www.example.org"))
    return jar


def seen(jar: CookieJar) -> list[list[str]]:
    """What the jar sends where. Creation order is not saved."""
    return [sorted(jar.cookie_header(url).split("; ")) for url in URLS]


def contents(jar: CookieJar) -> list[str]:
    return sorted(morsel.OutputString(["domain", "path", "secure", "httponly", "samesite"]) for morsel in jar)


# -- JSON


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    jar = full_jar()
    jar.update_cookies({"everywhere": "x y"})
    jar.save(tmp_path / "cookies.json")
    loaded = CookieJar()
    loaded.update_cookies({"earlier": "1"})
    loaded.load(str(tmp_path / "cookies.json"))
    assert seen(loaded) == seen(jar)
    assert contents(loaded) == contents(jar)
    assert loaded.host_only_cookies == jar.host_only_cookies
    assert len(loaded) == len(jar) == 9


def test_the_end_is_saved_and_not_the_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cookies.json"
    full_jar().save(file)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 999)
    jar = CookieJar()
    jar.load(file)
    assert "sid=s3cret" in jar.cookie_header(HERE)
    monkeypatch.setattr(time, "time", lambda: now + 1001)
    assert "sid" not in jar.cookie_header(HERE)
    jar.load(file)
    assert "sid" not in {morsel.key for morsel in jar}


def record(**fields: Any) -> dict[str, Any]:
    return {"key": "a", "value": "1", "coded_value": "1", **fields}


def load(tmp_path: Path, content: Any, **kwargs: Any) -> CookieJar:
    file = tmp_path / "cookies.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    jar = CookieJar(**kwargs)
    jar.update_cookies_from_headers(["earlier=1"], HERE)
    try:
        jar.load(file)
    except BaseException:
        assert jar.cookie_header(HERE) == "earlier=1"
        raise
    return jar


@pytest.mark.parametrize(
    ("place", "fields", "url", "goes"),
    [
        ("example.org|", {}, "https://example.org/", True),
        ("example.org|", {}, "https://www.example.org/", False),
        ("example.org|", {"domain": "example.org"}, "https://www.example.org/", True),
        ("example.org|", {"domain": "example.org", "host_only": True}, "https://www.example.org/", False),
        ("example.org|/x", {"path": "/x"}, "https://example.org/", False),
        ("example.org|/x", {"path": "/x"}, "https://example.org/x", True),
        ("example.org|", {"secure": True}, "http://example.org/", False),
        ("example.org|", {"max-age": "100"}, "https://example.org/", True),
        ("example.org|", {"max-age": "0"}, "https://example.org/", False),
        ("example.org|", {"expires_timestamp": 0.0}, "https://example.org/", False),
        ("example.org|", {"expires_timestamp": None}, "https://example.org/", True),
        ("example.org|", {"expires_timestamp": 99999999999}, "https://example.org/", True),
        ("other.org|", {"domain": "example.org"}, "https://example.org/", False),
        ("|", {}, "http://anywhere.org/", True),
        ("10.0.0.1|", {}, "http://10.0.0.1/", False),
        ("example.org|", {"coded_value": "\udcff"}, "https://example.org/", False),
        ("example.org|", {"coded_value": "1; b=2"}, "https://example.org/", False),
        ("example.org|", {"key": "a\r\nX"}, "https://example.org/", False),
        ("example.org|", {"version": 1, "unknown": [1]}, "https://example.org/", True),
    ],
)
def test_files_of_aiohttp(tmp_path: Path, place: str, fields: dict[str, Any], url: str, goes: bool) -> None:
    jar = load(tmp_path, {place: {"a": record(**fields)}})
    assert jar.cookie_header(URL(url)) == "a=1" * goes


def test_an_unsafe_jar_loads_those_of_ip_addresses(tmp_path: Path) -> None:
    assert load(tmp_path, {"10.0.0.1|": {"a": record()}}, unsafe=True).cookie_header(URL("http://10.0.0.1")) == "a=1"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", ValueError),
        (b"{", ValueError),
        (b"\xff", ValueError),
        (b"[]", ValueError),
        (b"null", ValueError),
        ({"example.org|": []}, ValueError),
        ({"example.org": {}}, ValueError),
        ({"example.org|": {"a": "s3cret"}}, ValueError),
        ({"example.org|": {"a": {"key": "a"}}}, ValueError),
        ({"example.org|": {"a": record(coded_value=5)}}, TypeError),
        ({"example.org|": {"a": record(domain=5)}}, TypeError),
        ({"example.org|": {"a": record(path=5)}}, TypeError),
        ({"example.org|": {"a": record(**{"max-age": ["s3cret"]})}}, TypeError),
        ({"example.org|": {"a": record(expires_timestamp="nan")}}, ValueError),
        ({"example.org|": {"a": record(expires_timestamp="soon")}}, ValueError),
        ({"example.org|": {"a": record(expires_timestamp=10**1000)}}, ValueError),
        ({"example.org|": {"a": record(expires_timestamp=[])}}, ValueError),
        ({"example.org|": {"good": record(), "a": record(coded_value=None)}}, TypeError),
    ],
)
def test_another_form_leaves_the_jar_as_it_was(tmp_path: Path, content: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        load(tmp_path, content)
    assert "s3cret" not in str(caught.value)


class Payload:
    def __reduce__(self) -> Any:
        return os.mkdir, (os.environ["TARGET"],)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int) -> None:
    monkeypatch.setenv("TARGET", str(tmp_path / "made"))
    with pytest.raises(pickle.UnpicklingError if protocol >= 2 else ValueError):
        load(tmp_path, pickle.dumps(Payload(), protocol))
    assert not (tmp_path / "made").exists()


def test_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        CookieJar().load(tmp_path / "nothing")
    with pytest.raises(OSError, match="nowhere"):
        full_jar().save(tmp_path / "nowhere" / "cookies.json")


# -- how files are written

SAVES = [CookieJar.save, CookieJar.save_cookies_txt]


@posix
@pytest.mark.parametrize("save", SAVES)
def test_a_new_file_is_private_and_an_old_one_keeps_its_permissions(tmp_path: Path, save: Any) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    jar = full_jar()
    save(jar, new)
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    old.touch(mode=0o640)
    old.chmod(0o640)
    save(jar, old)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert old.read_bytes() == new.read_bytes() != b""


@posix
@pytest.mark.parametrize("save", SAVES)
def test_a_link_stays_a_link(tmp_path: Path, save: Any) -> None:
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(file)
    save(full_jar(), link)
    assert link.is_symlink()
    assert file.stat().st_size > 0


@pytest.mark.parametrize("save", SAVES)
def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, save: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "cookies"
    file.write_text("as it was")

    def full(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        save(full_jar(), file)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("cookies", "as it was")]


# -- Netscape's cookies.txt


def test_cookies_txt_there_and_back(tmp_path: Path) -> None:
    jar = full_jar()
    jar.save_cookies_txt(tmp_path / "cookies.txt")
    loaded = CookieJar()
    loaded.update_cookies({"earlier": "1"})
    loaded.load_cookies_txt(tmp_path / "cookies.txt")
    assert seen(loaded) == seen(jar)
    assert loaded.host_only_cookies == jar.host_only_cookies
    assert {morsel.key for morsel in loaded if morsel["httponly"]} == {"sid"}


def test_cookies_txt_as_text(tmp_path: Path) -> None:
    jar = CookieJar()
    jar.update_cookies_from_headers(["a=1; Path=/; HttpOnly; Secure", "b=2; Domain=example.org; Path=/x; Max-Age=99999"], HERE)
    jar.update_cookies({"everywhere": "1"})
    jar.save_cookies_txt(tmp_path / "cookies.txt")
    first, empty, one, two, end = (tmp_path / "cookies.txt").read_text().split("\n")
    assert (first, empty, end) == ("# Netscape HTTP Cookie File", "", "")
    assert one == "#HttpOnly_www.example.org\tFALSE\t/\tTRUE\t0\ta\t1"
    assert two.startswith(".example.org\tTRUE\t/x\tFALSE\t")
    assert int(two.split("\t")[4]) > time.time() + 99000


def test_the_standard_library_reads_what_is_written(tmp_path: Path) -> None:
    file = tmp_path / "cookies.txt"
    full_jar().save_cookies_txt(file)
    theirs = MozillaCookieJar(str(file))
    if sys.version_info < (3, 14):  # it knows #HttpOnly_ everywhere; its default encoding is the platform's before 3.15
        file.write_text("".join(line for line in file.read_text("utf-8").splitlines(True) if line.isascii()))
    theirs.load(ignore_discard=True, ignore_expires=True)  # to it a cookie without an end has ended
    assert {(cookie.name, cookie.domain, cookie.path) for cookie in theirs} >= {
        ("sid", "www.example.org", "/"),
        ("wide", ".example.org", "/"),
        ("quoted", "www.example.org", "/dir"),
    }


def load_txt(tmp_path: Path, text: str) -> CookieJar:
    file = tmp_path / "cookies.txt"
    file.write_bytes(text.encode())
    jar = CookieJar()
    jar.update_cookies_from_headers(["earlier=1"], HERE)
    try:
        jar.load_cookies_txt(file)
    except ValueError:
        assert jar.cookie_header(HERE) == "earlier=1"
        raise
    return jar


@pytest.mark.parametrize(
    ("line", "url", "field"),
    [
        ("example.org\tFALSE\t/\tFALSE\t0\ta\t1", "http://example.org/", "a=1"),
        ("example.org\tFALSE\t/\tFALSE\t0\ta\t1", "http://www.example.org/", ""),
        (".example.org\tTRUE\t/\tFALSE\t0\ta\t1", "http://www.example.org/", "a=1"),
        ("Example.ORG\tTRUE\t/\tFALSE\t0\ta\t1", "http://www.example.org/", "a=1"),
        ("example.org\tFALSE\t/\tTRUE\t0\ta\t1", "http://example.org/", ""),
        ("example.org\tFALSE\t/x\tFALSE\t0\ta\t1", "http://example.org/", ""),
        ("example.org\tFALSE\t/\tFALSE\t99999999999\ta\t1", "http://example.org/", "a=1"),
        ("example.org\tFALSE\t/\tFALSE\t99999999999.5\ta\t1", "http://example.org/", "a=1"),
        ("example.org\tFALSE\t/\tFALSE\t-1\ta\t1", "http://example.org/", "a=1"),
        ("example.org\tFALSE\t/\tFALSE\t\ta\t1", "http://example.org/", "a=1"),
        ("example.org\tFALSE\t/\tFALSE\t1\ta\t1", "http://example.org/", ""),
        ("example.org\tFALSE\t/\tFALSE\t0\ta\t", "http://example.org/", "a="),
        ("example.org\tFALSE\t/\tFALSE\t0\ta", "http://example.org/", "a="),
        ('example.org\tFALSE\t/\tFALSE\t0\ta\t"x\u2028y"', "http://example.org/", 'a="x\u2028y"'),
        ("#HttpOnly_example.org\tFALSE\t/\tFALSE\t0\ta\t1", "http://example.org/", "a=1"),
        ("10.0.0.1\tFALSE\t/\tFALSE\t0\ta\t1", "http://10.0.0.1/", ""),
        ("example.org\tFALSE\t/\tFALSE\t0\t\t1", "http://example.org/", ""),
        ("# a comment", "http://example.org/", ""),
    ],
)
def test_lines_of_cookies_txt(tmp_path: Path, line: str, url: str, field: str) -> None:
    for end in ("\n", "\r\n", ""):
        assert load_txt(tmp_path, f"# Netscape HTTP Cookie File\n\n{line}{end}").cookie_header(URL(url)) == field


@pytest.mark.parametrize(
    "line",
    [
        "s3cret",
        "example.org\tFALSE\t/\tFALSE\t0",
        "example.org\tFALSE\t/\tFALSE\t0\ta\ts3cret\tmore",
        "\tFALSE\t/\tFALSE\t0\ta\ts3cret",
        ".\tFALSE\t/\tFALSE\t0\ta\ts3cret",
        "example.org\tFALSE\t/\tFALSE\tsoon\ta\ts3cret",
        "example.org\tFALSE\t/\tFALSE\tinf\ta\ts3cret",
    ],
)
def test_a_broken_line_is_named_and_not_shown(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match="Line 2") as caught:
        load_txt(tmp_path, f"example.org\tFALSE\t/\tFALSE\t0\ta\t1\n{line}\n")
    assert "s3cret" not in str(caught.value)
