"""`install_as_aiohttp()`, and `python -m aiohttpx run-as-aiohttp`: what `import aiohttp` is after that."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from aiohttpx.compat import AIOHTTP_VERSION

from .process import run, run_code

#: A module that is taken for the real aiohttp, which need not be installed.
REAL = "import sys, types; sys.modules.update({'aiohttp': types.ModuleType('aiohttp'), 'aiohttp.web': types.ModuleType('w')})\n"


def test_modules_are_looked_up_when_they_are_used() -> None:
    code = """
import sys, aiohttpx
assert not [name for name in sys.modules if name.startswith("aiohttpx.compat.")]
assert len([finder for finder in sys.meta_path if "aiohttpx" in type(finder).__module__]) == 1
aiohttpx.install_as_aiohttp()
assert "aiohttp" not in sys.modules
import aiohttp
assert {name for name in sys.modules if name.split(".")[0] == "aiohttp"} == {"aiohttp"}
aiohttp.client_exceptions.ClientError
assert "aiohttpx.compat.streamer" not in sys.modules
"""
    assert run_code(code) == ""


def test_the_names_are_the_very_classes() -> None:
    code = """
import aiohttpx, inspect, sys
aiohttpx.install_as_aiohttp()
aiohttpx.install_as_aiohttp()
import aiohttp, aiohttp.client, aiohttp.client_reqrep as reqrep
from aiohttp import ClientTimeout, hdrs
from aiohttp.client_exceptions import ClientError
from aiohttp.hdrs import ACCEPT
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.helpers import sentinel
assert aiohttp.ClientSession is aiohttp.client.ClientSession is aiohttpx.ClientSession
assert reqrep.ClientRequest is aiohttpx.ClientRequest
assert (ClientTimeout, ClientError, ACCEPT) == (aiohttpx.ClientTimeout, aiohttpx.ClientError, aiohttpx.hdrs.ACCEPT)
assert hdrs.__name__ == "aiohttp.hdrs"
assert "aiohttpx" in SERVER_SOFTWARE
assert inspect.signature(aiohttp.ClientSession._request).parameters["timeout"].default is sentinel
assert set(aiohttp.__all__) <= set(dir(aiohttp))
scope = {}
exec("from aiohttp import *", scope)
assert scope["ClientSession"] is aiohttpx.ClientSession
aiohttp._datadog_patch = True
assert not hasattr(aiohttpx, "_datadog_patch")
print(sum(finder.find_spec("aiohttp") is not None for finder in sys.meta_path if type(finder).__module__ == "aiohttpx.compat"))
"""
    assert run_code(code) == "1\n"


def test_versions() -> None:
    code = """
import importlib.metadata as metadata, importlib.util, aiohttpx
before = [each.metadata["Name"] for each in metadata.distributions()]
aiohttpx.install_as_aiohttp()
import aiohttp
print(aiohttp.__version__, metadata.version("aiohttp"), metadata.version("AIOHTTP"), metadata.metadata("aiohttp")["Name"])
assert [each.metadata["Name"] for each in metadata.distributions()] == before  # what is installed is what it was
assert aiohttpx.__version__ != aiohttp.__version__
assert importlib.util.find_spec("aiohttp").name == "aiohttp"
assert metadata.version("multidict")
try:
    metadata.version("nothing-of-this-name")
except metadata.PackageNotFoundError:
    print("not found")
"""
    assert run_code(code).splitlines() == [f"{AIOHTTP_VERSION} {AIOHTTP_VERSION} {AIOHTTP_VERSION} aiohttp", "not found"]


def test_patches_by_name_reach_what_is_used() -> None:
    code = """
import asyncio, aiohttpx
from unittest import mock
aiohttpx.install_as_aiohttp()

async def main():
    async with aiohttpx.ClientSession() as session:
        with mock.patch("aiohttp.client.ClientSession._request", return_value="patched") as request:
            assert await session.get("http://name.test/") == "patched"
        request.assert_awaited_once_with("GET", "http://name.test/")
    with mock.patch("aiohttp.ClientSession") as patched:
        import aiohttp
        assert aiohttp.ClientSession is patched
    assert aiohttp.ClientSession is aiohttpx.ClientSession

asyncio.run(main())
"""
    assert run_code(code) == ""


def test_the_server_half_explains_itself() -> None:
    code = """
import aiohttpx
aiohttpx.install_as_aiohttp()
import aiohttp
for name in "import aiohttp.web", "from aiohttp import web", "from aiohttp.web_request import R", "import aiohttp.test_utils":
    try:
        exec(name)
    except ImportError as error:
        assert "server half" in str(error), error
        print(error.name)
    else:
        raise AssertionError(name)
assert not hasattr(aiohttp, "web")
"""
    assert run_code(code).split() == ["aiohttp.web", "aiohttp.web", "aiohttp.web_request", "aiohttp.test_utils"]


def test_the_real_one_is_in_the_way_unless_it_is_replaced() -> None:
    code = """
import aiohttpx
try:
    aiohttpx.install_as_aiohttp()
except RuntimeError as error:
    print(error)
import aiohttp
assert aiohttp is sys.modules["aiohttp"] and not hasattr(aiohttp, "ClientSession")
aiohttpx.install_as_aiohttp(replace=True)
assert "aiohttp.web" not in sys.modules
import aiohttp
assert aiohttp.ClientSession is aiohttpx.ClientSession
aiohttpx.install_as_aiohttp()
"""
    (said,) = run_code(REAL + code).splitlines()
    assert said.startswith("aiohttp was already imported, from somewhere: call aiohttpx.install_as_aiohttp() before")


@pytest.mark.skipif(find_spec("aiohttp") is None, reason="needs the real aiohttp")
def test_the_real_one_that_is_installed_is_not_imported() -> None:
    code = """
import aiohttpx, pathlib, sys
aiohttpx.install_as_aiohttp()
import aiohttp.client, aiohttp.connector, aiohttp.helpers, aiohttp.streams
package = pathlib.Path(aiohttpx.__file__).parent
theirs = [module for name, module in sys.modules.items() if name.partition(".")[0] == "aiohttp"]
assert all(package in pathlib.Path(module.__file__).parents for module in theirs)
"""
    assert run_code(code) == ""


# -- the command


def program(folder: Path, text: str) -> str:
    (folder / "beside.py").write_text("NAME = 'beside'\n")
    path = folder / "program.py"
    path.write_text("import sys, aiohttp, beside\n" + text)
    return str(path)


def as_aiohttp(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("-m", "aiohttpx", "run-as-aiohttp", *arguments)


def test_a_script_runs_as_python_would_run_it(tmp_path: Path) -> None:
    path = program(tmp_path, "print(aiohttp.ClientSession.__module__, beside.NAME, sys.argv, __name__)")
    done = as_aiohttp(path, "-a", "b")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"aiohttpx beside {[path, '-a', 'b']} __main__\n"


def test_a_module_runs_as_python_would_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path, "print(aiohttp.ClientSession.__module__, beside.NAME, sys.argv, __name__)")
    monkeypatch.chdir(tmp_path)
    done = as_aiohttp("-m", "program", "-a")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"aiohttpx beside {[path, '-a']} __main__\n"


def test_how_it_ends_is_how_the_command_ends(tmp_path: Path) -> None:
    assert as_aiohttp(program(tmp_path, "sys.exit(7)")).returncode == 7
    done = as_aiohttp(program(tmp_path, "1 / 0"))
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "ZeroDivisionError: division by zero")


@pytest.mark.parametrize("arguments", [(), ("-m",), ("--help",)], ids=str)
def test_without_a_program_it_says_what_it_needs(arguments: tuple[str, ...]) -> None:
    done = as_aiohttp(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m aiohttpx run-as-aiohttp (script.py | -m module)")


def test_under_our_own_name_nothing_is_installed() -> None:
    assert not [each for each in sys.meta_path if getattr(each, "_package", None) == "aiohttp"]
