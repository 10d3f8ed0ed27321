"""session/cookiestore.py: which cookies a request gets, and which have to go."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttpx.session import cookiestore
from aiohttpx.session.cookiestore import KEPT_PER_HOST, MAX_FIELD, MAX_PER_HOST, MAX_PER_REQUEST, CookieStore, StoredCookie

NOW = 1000.0


def cookie(name: str, domain: str = "example.org", path: str = "/", value: str = "v", **kwargs: Any) -> StoredCookie:
    return StoredCookie(name, value, domain, path, **kwargs)


def store_of(*cookies: StoredCookie) -> CookieStore:
    store = CookieStore()
    for each in cookies:
        store.put(each, NOW)
    return store


def names(store: CookieStore, host: str = "example.org", path: str = "/", secure: bool = True, now: float = NOW) -> list[str]:
    return [found.name for found in store.matching(host, path, secure, now)]


@pytest.mark.parametrize(
    ("path", "asked", "covers"),
    [
        ("/", "/", True),
        ("/", "/a", True),
        ("/a", "/a", True),
        ("/a", "/a/", True),
        ("/a", "/a/b", True),
        ("/a", "/ab", False),
        ("/a", "/", False),
        ("/a/", "/a", False),
        ("/a/", "/a/b", True),
        ("/a", "/A", False),
    ],
)
def test_paths(path: str, asked: str, covers: bool) -> None:
    assert names(store_of(cookie("a", path=path)), path=asked) == ["a"] * covers


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("example.org", ["domain", "host"]),
        ("sub.example.org", ["domain"]),
        ("a.b.example.org", ["domain"]),
        ("notexample.org", []),
        ("org", []),
        ("example.org.", []),
        (".example.org", ["domain"]),
        ("", []),
    ],
)
def test_hosts(host: str, found: list[str]) -> None:
    store = store_of(cookie("domain"), cookie("host", host_only=True))
    assert names(store, host) == found
    assert store.knows(host) is bool(found)


def test_those_for_every_host_step_back_behind_a_hosts_own() -> None:
    store = store_of(cookie("a", ""), cookie("b", ""), cookie("a"), cookie("b", path="/elsewhere"))
    assert [(found.name, found.domain) for found in store.matching("example.org", "/", True, NOW)] == [
        ("b", ""),
        ("a", "example.org"),
    ]
    assert names(store, "other.org") == ["a", "b"]
    assert store.knows("other.org")
    assert names(store, "") == ["a", "b"]
    assert names(store, "10.0.0.1") == ["a", "b"]


def test_secure_ones_need_a_secure_connection() -> None:
    store = store_of(cookie("a"), cookie("b", secure=True))
    assert names(store, secure=False) == ["a"]
    assert names(store) == ["a", "b"]


def test_the_longest_path_goes_first_then_the_oldest() -> None:
    store = store_of(
        cookie("1"), cookie("2", path="/a/b"), cookie("3", path="/a"), cookie("4", "org"), cookie("5", path="/a/b"), cookie("3")
    )
    assert names(store, path="/a/b") == ["2", "5", "3", "1", "4", "3"]
    store.put(cookie("1", value="new"), NOW)  # keeps its place
    assert [found.pair for found in store.matching("example.org", "/", True, NOW)] == ["1=new", "4=v", "3=v"]


def test_what_has_ended_is_not_sent() -> None:
    store = store_of(cookie("a", expires=NOW + 1), cookie("b"))
    assert names(store) == ["a", "b"]
    assert names(store, now=NOW + 1) == ["b"]
    assert len(store) == 2
    store.expire(NOW + 1)
    assert len(store) == 1


def test_identity_is_domain_path_name_and_host_only() -> None:
    store = store_of(
        cookie("a", value="1"),
        cookie("a", value="2", host_only=True),
        cookie("a", value="3", path="/x"),
        cookie("a", value="4", domain="sub.example.org"),
    )
    assert len(store) == 4
    store.put(cookie("a", value="5", secure=True), NOW)
    assert sorted(each.coded_value for each in store) == ["2", "3", "4", "5"]
    for _ in range(2):
        store.discard("example.org", ("a", "/x", False))
        store.discard("nowhere.org", ("a", "/", False))
        assert len(store) == 3


def test_what_is_removed_leaves_nothing_behind() -> None:
    store = store_of(cookie("a", secure=True, guarded=True), cookie("b", "other.org"))
    store.remove_where(lambda each: True)
    assert (len(store), list(store), names(store)) == (0, [], [])
    assert not store.guards("a", "example.org", "/")
    store.put(cookie("a", secure=True, guarded=True), NOW)
    store.put(cookie("a"), NOW)
    assert not store.guards("a", "example.org", "/")


# -- bounds


def test_a_host_keeps_the_latest_of_too_many() -> None:
    store = store_of(*(cookie(f"c{number}") for number in range(MAX_PER_HOST)), cookie("other", "other.org"))
    assert len(store) == MAX_PER_HOST + 1
    store.put(cookie("c0", value="again"), NOW)
    assert len(store) == MAX_PER_HOST + 1
    store.put(cookie("new"), NOW)
    left = {each.name for each in store}
    assert len(left) == KEPT_PER_HOST + 1
    assert {"c0", "new", "other"} <= left
    assert "c1" not in left


def test_what_has_ended_makes_room_first_and_secure_ones_last() -> None:
    ended = [cookie(f"ended{number}", expires=NOW + 1, secure=True) for number in range(20)]
    secure = [cookie(f"secure{number}", secure=True) for number in range(140)]
    plain = [cookie(f"plain{number}") for number in range(20)]
    store = store_of(*secure, *plain, *ended)
    store.put(cookie("new"), NOW + 1)
    left = {each.name for each in store}
    assert left == {each.name for each in secure} | {f"plain{number}" for number in range(11, 20)} | {"new"}


def test_a_plain_one_does_not_push_out_secure_ones() -> None:
    store = store_of(*(cookie(f"secure{number}", secure=True) for number in range(MAX_PER_HOST)))
    store.put(cookie("plain"), NOW)
    assert "plain" not in {each.name for each in store}


def test_what_the_user_gives_every_host_is_not_bounded() -> None:
    assert len(store_of(*(cookie(f"c{number}", "") for number in range(1000)))) == 1000


def test_the_whole_store_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cookiestore, "MAX_COOKIES", 1000)
    monkeypatch.setattr(cookiestore, "KEPT_COOKIES", 900)
    store = store_of(cookie("mine", ""))
    for number in range(5000):
        store.put(cookie("a", f"host{number}.org"), NOW)
        assert len(store) <= 1101 + MAX_PER_HOST
    assert names(store, "host4999.org") == ["mine", "a"]
    assert names(store, "host0.org") == ["mine"]


def test_what_has_ended_does_not_pile_up() -> None:
    store = CookieStore()
    for number in range(5000):
        store.put(cookie("a", f"host{number}.org", expires=NOW + number + 1), NOW + number)
        assert len(store) <= 2 * MAX_PER_HOST


def test_a_request_carries_so_many_at_most() -> None:
    own = [cookie(f"own{number}", "sub.example.org") for number in range(20)]
    parents = [cookie(f"parents{number}") for number in range(MAX_PER_REQUEST)]
    found = names(store_of(*own, *parents), "sub.example.org")
    assert len(found) == MAX_PER_REQUEST
    assert {each.name for each in own} <= set(found)
    assert found[:20] == [each.name for each in own]  # the oldest first, all the same


@pytest.mark.parametrize("character", ["x", "ä"])
def test_a_field_has_so_many_octets_at_most(character: str) -> None:
    width = len(character.encode())
    most = (MAX_FIELD - len("Cookie: a=; b=")) // width - 10
    store = store_of(cookie("a", value=character * most), cookie("b", value=character * 10))
    field = "Cookie: " + "; ".join(found.pair for found in store.matching("example.org", "/", True, NOW))
    assert MAX_FIELD - width < len(field.encode()) <= MAX_FIELD
    store.put(cookie("b", value=character * 10 + "xx"), NOW)
    assert names(store) == ["b"]  # the larger one is left out
    store.put(cookie("a", value=character * 9000), NOW)
    store.remove_where(lambda each: each.name == "b")
    assert names(store) == []


@pytest.mark.parametrize(
    ("name", "domain", "path", "found"),
    [
        ("a", "login.example.org", "/in", True),
        ("a", "login.example.org", "/in/side", True),
        ("a", "example.org", "/in", True),
        ("a", "deep.login.example.org", "/in", True),
        ("a", "login.example.org", "/", False),
        ("a", "other.example.org", "/in", False),
        ("b", "login.example.org", "/in", False),
    ],
)
def test_what_could_pass_for_a_guarded_one(name: str, domain: str, path: str, found: bool) -> None:
    store = store_of(
        cookie("a", "login.example.org", "/in", secure=True, guarded=True), cookie("a", "other.example.org", "/in", secure=True)
    )
    assert store.guards(name, domain, path) is found


def test_the_repr_keeps_the_value_secret() -> None:
    assert repr(cookie("a", path="/p", value="secret")) == "<StoredCookie a example.org/p>"
