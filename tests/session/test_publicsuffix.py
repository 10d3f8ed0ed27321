from __future__ import annotations

import importlib
from typing import Any

import pytest

from aiohttpx.session import publicsuffix


@pytest.fixture(autouse=True)
def read_anew() -> Any:
    publicsuffix._listed.cache_clear()
    yield
    publicsuffix._listed.cache_clear()


def test_domains_without_a_dot_need_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", pytest.fail)
    assert publicsuffix.is_public_suffix("com")
    assert publicsuffix.is_public_suffix("localhost")


@pytest.mark.parametrize(
    ("domain", "public"),
    [("co.uk", True), ("github.io", True), ("example.co.uk", False), ("example.com", False), ("xn--55qx5d.cn", True)],
)
def test_the_list(domain: str, public: bool) -> None:
    pytest.importorskip("publicsuffixlist")
    assert publicsuffix.is_public_suffix(domain) is public


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    assert not publicsuffix.is_public_suffix("co.uk")
    assert publicsuffix.is_public_suffix("uk")
