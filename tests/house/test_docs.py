"""The documentation is whole: a reader gets to every page, and finds every public name. What else may be wrong, Sphinx says."""

from __future__ import annotations

import re

import aiohttpx

from .source import PROJECT

DOCS = PROJECT / "docs"
TOCTREE = re.compile(r"^```{toctree}\n(?::[^\n]*\n)*\n?(.*?)^```", re.M | re.S)
LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]+)")
ENTRY = re.compile(r"^\.\. (?:auto\w+|py:data):: aiohttpx\.(\w+)$", re.M)


def test_every_page_is_in_one_toctree() -> None:
    pages = {page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md")}
    listed = [
        (page.parent / entry).relative_to(DOCS).as_posix()
        for page in DOCS.rglob("index.md")
        for entries in TOCTREE.findall(page.read_text(encoding="utf-8"))
        for entry in entries.split()
    ]
    assert sorted(listed) == sorted(pages - {"index"}), (
        "what the toctrees in docs/index.md and docs/reference/index.md list, and pages"
    )


def test_every_public_name_is_in_the_reference_once() -> None:
    pages = [page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md")]
    found = [name for page in pages for name in ENTRY.findall(page)]
    assert sorted(found) == sorted({*aiohttpx.__all__, "testing"}), "entries in docs/reference/*.md, and aiohttpx.__all__"


def test_relative_links_lead_somewhere() -> None:
    for page in [*PROJECT.glob("*.md"), *PROJECT.glob("benchmarks/*.md"), *DOCS.rglob("*.md")]:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(PROJECT)} links to {target}"
