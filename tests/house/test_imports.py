"""What importing costs, and whom it needs: every module alone, no TLS context, the front door exactly."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
from types import ModuleType

import pytest

from .rules import FEATURES, PARSERS, ROOF, floor_of
from .source import PACKAGE, PROJECT, House

#: Every Python module but the front door, and whether it stands on the roof, above that door.
MODULES = {
    f"{PACKAGE}.{file.module}": (floor_of(file.module) or 0) >= ROOF
    for file in House(PROJECT / PACKAGE)
    if file.module and file.path.endswith(".py")
}


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter for which every warning is an error."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(command, cwd=PROJECT, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


ALONE = """
import importlib.machinery, importlib.util, json, os, sys, traceback

# A fork for each module is as good as a fresh interpreter. Below the roof the package is an empty stand-in: its front door
# would import the whole house before the module could show that it does without.
package, folder, modules = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
failed = {}
for name, on_the_roof in modules.items():
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            if not on_the_roof:
                spec = importlib.machinery.ModuleSpec(package, None, is_package=True)
                spec.submodule_search_locations.append(folder)
                sys.modules[package] = importlib.util.module_from_spec(spec)
            importlib.import_module(name)
        except BaseException:
            os.write(writer, traceback.format_exc()[-4000:].encode())
        os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as pipe:
        if said := pipe.read():
            failed[name] = said
    os.wait()
print(json.dumps(failed))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_every_module_can_be_imported_alone() -> None:
    done = run(ALONE, PACKAGE, str(PROJECT / PACKAGE), json.dumps(MODULES))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


def test_importing_makes_no_tls_context() -> None:
    done = run(
        "import importlib, ssl, sys\n"
        "def refuse(*args, **kwargs): raise RuntimeError('a TLS context was made at import')\n"
        "ssl.SSLContext.__new__ = refuse\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n",
        PACKAGE,
        *MODULES,
    )
    assert done.returncode == 0, done.stderr


PLAIN_GET = """
import asyncio, sys, aiohttpx

async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with aiohttpx.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/") as response:
            assert await response.text() == "ok"
    server.close()

asyncio.run(main())
print(*sys.modules)
"""


def test_a_plain_get_loads_no_feature() -> None:
    done = run(PLAIN_GET)
    assert done.returncode == 0, done.stderr
    loaded = {name.removeprefix(f"{PACKAGE}.") for name in done.stdout.split()}
    assert "session.client" in loaded
    assert not loaded & FEATURES


def test_a_type_checker_finds_each_name_where_it_is_loaded_from() -> None:
    door = House(PROJECT / PACKAGE).files["__init__.py"]
    typed = {
        (found.name, found.module)
        for found in door.imports
        if found.line > door.text[: door.text.index("TYPE_CHECKING:")].count("\n")
    }
    loaded = {(name, f"{PACKAGE}.{home}") for name, home in vars(importlib.import_module(PACKAGE))["_HOMES"].items()}
    assert typed == loaded


def test_every_name_is_there_whichever_way_it_is_asked_for() -> None:
    done = run(
        f"import {PACKAGE} as door\n"
        "assert {*door.__all__} <= {*dir(door)}\n"
        "from aiohttpx import *\n"
        "assert {*door.__all__} <= {*globals()}\n"
        "assert all(globals()[name] is getattr(door, name) for name in door.__all__)\n"
    )
    assert done.returncode == 0, done.stderr


def test_the_front_door_is_exact() -> None:
    door = importlib.import_module(PACKAGE)
    for name in door.__all__:
        getattr(door, name)  # some are loaded by that
    public = {
        name
        for name, value in vars(door).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }
    modules = {name for name in door.__all__ if isinstance(getattr(door, name), ModuleType)}
    assert set(door.__all__) - {"__version__"} == public | modules
    assert len(set(door.__all__)) == len(door.__all__)


def test_what_the_front_door_shows_says_it_lives_there() -> None:
    door = importlib.import_module(PACKAGE)
    shown = {name: getattr(door, name) for name in door.__all__}
    elsewhere = {
        name: value.__module__
        for name, value in shown.items()
        if (inspect.isclass(value) or inspect.isroutine(value)) and value.__module__ != PACKAGE
    }
    assert elsewhere == {}


IMPLEMENTATION = f"import {PACKAGE}._impl as impl; print(impl.IMPLEMENTATION)"
CORE = [f"{PACKAGE}.{name}" for name in PARSERS if not name.endswith("_py")]
WITHOUT_THE_CORE = f"import sys; sys.modules.update(dict.fromkeys({CORE})); "


def test_the_twin_is_taken_when_asked_for() -> None:
    assert run(IMPLEMENTATION, AIOHTTPX_IMPL="python").stdout == "python\n"


def test_the_twin_is_taken_when_there_is_no_core() -> None:
    assert run(WITHOUT_THE_CORE + IMPLEMENTATION, AIOHTTPX_IMPL="").stdout == "python\n"


def test_the_core_asked_for_by_name_is_never_replaced_in_silence() -> None:
    done = run(WITHOUT_THE_CORE + IMPLEMENTATION, AIOHTTPX_IMPL="c")
    assert done.returncode != 0
    assert "ImportError" in done.stderr or "ModuleNotFoundError" in done.stderr
