"""The package's source as the house rules see it: files, and who imports whom. Nothing of it is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = "aiohttpx"

#: `import x`, `cimport x`, `from x import y`, `from x cimport (y, z)`, wherever a line begins with it.
_CYTHON_IMPORT = re.compile(r"^(?:from\s+\S+\s+c?import\s+(?:\([^)]*\)|[^\n(]+)|c?import\s+[^\n]+)", re.M)


@dataclass(frozen=True)
class Import:
    """One imported name. `module` is absolute; `name` is None for `import module`."""

    line: int
    module: str
    name: str | None
    inside: Literal["module", "function", "coroutine"]

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class File:
    path: str  #: with slashes, from the package's folder: "net/reader.py"
    text: str

    @property
    def module(self) -> str:
        """The dotted name below the package: "net.reader", "net" for its __init__, "" for the front door."""
        return self.path.rpartition(".")[0].replace("/", ".").removesuffix("__init__").removesuffix(".")

    @cached_property
    def tree(self) -> ast.Module:
        """An empty one for Cython: what rules ask of expressions, they ask of Python."""
        return ast.parse(self.text if self.path.endswith(".py") else "", self.path)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        if self.path.endswith(".py"):
            return tuple(self._imports(self.tree, "module", 0))
        return tuple(
            found
            for match in _CYTHON_IMPORT.finditer(self.text)
            for found in self._imports(
                ast.parse(match[0].replace("cimport", "import")), "module", self.text[: match.start()].count("\n")
            )
        )

    def _imports(self, node: ast.AST, inside: Literal["module", "function", "coroutine"], above: int) -> Iterator[Import]:
        match node:
            case ast.Import():
                for alias in node.names:
                    yield Import(above + node.lineno, alias.name, None, inside)
            case ast.ImportFrom():
                for alias in node.names:
                    yield Import(above + node.lineno, self._absolute(node), alias.name, inside)
            case ast.AsyncFunctionDef():
                inside = "coroutine"
            case ast.FunctionDef() if inside != "coroutine":
                inside = "function"
        for child in ast.iter_child_nodes(node):
            yield from self._imports(child, inside, above)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        here = [PACKAGE, *self.path.split("/")[:-1]]
        return ".".join([*here[: len(here) - node.level + 1], *([node.module] if node.module else [])])


class House:
    """All files of a package, by path."""

    def __init__(self, folder: Path) -> None:
        found = (path for path in sorted(folder.rglob("*")) if path.suffix in {".py", ".pyx", ".pxd"})
        files = (File(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")) for path in found)
        self.files = {file.path: file for file in files}
        self.modules = {file.module for file in self.files.values()}

    def __iter__(self) -> Iterator[File]:
        return iter(self.files.values())

    def meets(self, file: File) -> Iterator[tuple[Import, str]]:
        """What `file` imports of the package, as (import, module): `from .net import reader` is "net.reader", not "net"."""
        for found in file.imports:
            if found.top != PACKAGE:
                continue
            module = found.module.removeprefix(PACKAGE).lstrip(".")
            longer = f"{module}.{found.name}".lstrip(".")
            yield found, longer if found.name and longer in self.modules else module
