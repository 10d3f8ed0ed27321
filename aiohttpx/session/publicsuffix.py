"""Domains under which anyone may have a name, and for which there can be no cookie: `com`, `co.uk`, `github.io`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache


def is_public_suffix(domain: str) -> bool:
    """`domain`, in lower case and ASCII, is one. Without the `psl` extra only those that have no dot are known."""
    return "." not in domain or _listed()(domain)


@cache
def _listed() -> Callable[[str], bool]:
    """publicsuffix.org's list. It takes some 30 ms to read, once, when a cookie is set for a whole domain."""
    try:
        module = importlib.import_module("publicsuffixlist")
    except ImportError:
        return lambda domain: False
    is_listed: Callable[[str], bool] = module.PublicSuffixList().is_public
    return is_listed
