"""Checks what the source distribution and the two wheels in a folder carry."""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from pathlib import Path

LAID = {"LICENSE", "include/llhttp.h", "src/api.c", "src/http.c", "src/llhttp.c"}
CORE = ("frame", "http")
FROM_PYTHON = ("net/outbox", "net/waiter", "pool/pool")
#: Stands beside the package, so that pytest imports nothing of it before a test asks for a fixture.
PLUGIN = "pytest_aiohttpx.py"
OURS = "licenses/LICENSE"
LLHTTPS = "licenses/vendor/llhttp/LICENSE"


def check(what: bool, message: str) -> None:
    if not what:
        sys.exit(f"distributions: {message}")


def only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    check(len(found) == 1, f"{folder} holds {[path.name for path in found]} where one {pattern} was to be")
    return found[0]


def check_source(archive: Path) -> None:
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "setup.py", "vendor/lay.py", "vendor/llhttp.toml"}
    wanted |= {f"vendor/llhttp/{name}" for name in LAID} | {f"aiohttpx/_{name}_parser.pyx" for name in CORE}
    wanted |= {f"aiohttpx/{name}.{suffix}" for name in FROM_PYTHON for suffix in ("py", "pxd")}
    wanted |= {"aiohttpx/py.typed", "tests/conftest.py"}
    check(wanted <= names, f"{archive.name} lacks {sorted(wanted - names)}")
    generated = {name for name in names if name.endswith((".so", ".pyd", ".pyc")) or re.fullmatch(r"aiohttpx/.*\.c", name)}
    check(not generated, f"{archive.name} carries {sorted(generated)}")


def check_wheel(wheel: Path, compiled: bool) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
    metadata = {name.partition("/")[2] for name in names if ".dist-info/" in name}
    check(OURS in metadata, f"{wheel.name} has no licence")
    check((LLHTTPS in metadata) == compiled, f"{wheel.name}: llhttp's licence goes where llhttp goes, and only there")
    core = {name.partition(".")[0] for name in names if name.endswith((".so", ".pyd"))}
    wanted = {f"aiohttpx/_{name}_parser" for name in CORE} | {f"aiohttpx/{name}" for name in FROM_PYTHON}
    check(core == (wanted if compiled else set()), f"{wheel.name}: its core is {sorted(core)}")
    check(wheel.name.endswith("-py3-none-any.whl") != compiled, f"{wheel.name} is tagged wrongly")
    check("aiohttpx/py.typed" in names, f"{wheel.name} has no py.typed")
    strangers = [name for name in names if not name.startswith(("aiohttpx/", "aiohttpx-", PLUGIN))]
    check(PLUGIN in names, f"{wheel.name} lacks {PLUGIN}")
    strangers += [name for name in names if name.endswith((".pyx", ".pxd", ".c", ".h"))]
    check(not strangers, f"{wheel.name} carries {strangers}")


if __name__ == "__main__":
    built = Path(sys.argv[1])
    check_source(only(built, "*.tar.gz"))
    check_wheel(only(built / "compiled", "*.whl"), compiled=True)
    check_wheel(only(built / "pure", "*.whl"), compiled=False)
