"""Builds the compiled core; everything else about the distribution stands in pyproject.toml.

AIOHTTPX_NO_EXTENSIONS=1 in the environment leaves the core out and makes the pure wheel, whose engine is the core's Python twin.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, PlatformError

LLHTTP = "vendor/llhttp"

# Optimisation is left to the flags Python itself was built with, so that CFLAGS can still change it.
UNIX_FLAGS = [] if os.name == "nt" else ["-fvisibility=hidden"]

PURE = os.environ.get("AIOHTTPX_NO_EXTENSIONS", "") not in {"", "0"} or sys.implementation.name != "cpython"

EXTENSIONS = [
    Extension(
        "aiohttpx._http_parser",
        ["aiohttpx/_http_parser.pyx", f"{LLHTTP}/src/api.c", f"{LLHTTP}/src/http.c", f"{LLHTTP}/src/llhttp.c"],
        include_dirs=[f"{LLHTTP}/include"],
        depends=[*sorted(glob("aiohttpx/*.pxd")), f"{LLHTTP}/include/llhttp.h"],
        extra_compile_args=UNIX_FLAGS,
    ),
    Extension(
        "aiohttpx._frame_parser",
        ["aiohttpx/_frame_parser.pyx"],
        depends=["aiohttpx/_frame_bytes.pxd"],
        extra_compile_args=UNIX_FLAGS,
    ),
    *(  # compiled from the Python source that stands beside it
        Extension(pxd[:-4].replace(os.sep, "."), [f"{pxd[:-4]}.py"], depends=[pxd], extra_compile_args=UNIX_FLAGS)
        for pxd in sorted(glob(os.path.join("aiohttpx", "*", "*.pxd")))
    ),
]

WAY_OUT = """
aiohttpx's compiled core could not be built: {why}
It needs a C compiler and Python's headers (Debian and Ubuntu: apt install gcc python3-dev; Fedora: dnf install gcc python3-devel;
macOS: xcode-select --install; Windows: the Microsoft C++ Build Tools).
To do without it, slower but complete, build the pure Python wheel: set AIOHTTPX_NO_EXTENSIONS=1 and install again.
"""


class BuildCore(build_ext):
    """build_ext that keeps generated C out of the source tree, and says in words what is missing."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.cython_c_in_temp = True

    def build_extension(self, ext: Extension) -> None:
        if importlib.util.find_spec("Cython") is None:
            sys.exit(WAY_OUT.format(why="Cython (3.1 or later) is not installed in the environment that builds."))
        try:
            super().build_extension(ext)
        except (CCompilerError, ExecError, PlatformError) as error:
            sys.exit(WAY_OUT.format(why=error))


def lay_llhttp() -> None:
    here = Path(__file__).parent
    if subprocess.run([sys.executable, str(here / "vendor" / "lay.py")], check=False).returncode != 0:
        sys.exit("The compiled core needs llhttp's source; AIOHTTPX_NO_EXTENSIONS=1 builds the pure Python wheel without it.")


if PURE:
    setup(license_files=["LICENSE"])
else:
    lay_llhttp()
    setup(license_files=["LICENSE", f"{LLHTTP}/LICENSE"], ext_modules=EXTENSIONS, cmdclass={"build_ext": BuildCore})
