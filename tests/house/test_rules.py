"""The package keeps the house rules, and each rule sees a breach."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import rules
from .source import PACKAGE, PROJECT, House

LONG = "\n".join(f"    x = {number}" for number in range(61))

#: rule: (the files of a house that breaks it, what is said)
BREACHES: dict[str, tuple[rules.Rule, dict[str, str], str]] = {
    "import of a higher floor": (
        rules.climbing_imports,
        {"net/reader.py": "x = 1\nfrom ..pool.pool import Pool", "pool/pool.py": ""},
        "net/reader.py:2: imports pool.pool, from a higher floor",
    ),
    "import for typing only": (
        rules.climbing_imports,
        {"errors.py": "if TYPE_CHECKING:\n    from . import events, session", "events.py": "", "session/__init__.py": ""},
        "errors.py:2: imports session, from a higher floor",
    ),
    "import by absolute name": (
        rules.climbing_imports,
        {"wire/fields.py": "import aiohttpx.net.reader", "net/reader.py": ""},
        "wire/fields.py:1: imports net.reader, from a higher floor",
    ),
    "import of the front door": (
        rules.climbing_imports,
        {"session/client.py": "from .. import request", "__init__.py": ""},
        "session/client.py:1: imports the front door, from a higher floor",
    ),
    "import in Cython": (
        rules.climbing_imports,
        {"_http_parser.pyx": "cimport cython\n\nfrom .wire.fields import (\n    a,\n)\n", "wire/fields.py": ""},
        "_http_parser.pyx:3: imports wire.fields, from a higher floor",
    ),
    "pool meets message": (
        rules.climbing_imports,
        {"pool/pool.py": "from ..message.request import ClientRequest", "message/request.py": ""},
        "pool/pool.py:1: imports message.request; message and pool never meet",
    ),
    "message meets pool": (
        rules.climbing_imports,
        {"message/request.py": "def f():\n    from ..pool import pool", "pool/pool.py": ""},
        "message/request.py:2: imports pool.pool; message and pool never meet",
    ),
    "file on no floor": (
        rules.climbing_imports,
        {"attic.py": ""},
        "attic.py: stands on no floor; FLOORS has a place for every file",
    ),
    "ring": (
        rules.import_rings,
        {
            "net/reader.py": "from . import timer",
            "net/timer.py": "def f():\n    from .tls import x",
            "net/tls.py": "if TYPE_CHECKING:\n    from .reader import StreamReader",
            "net/dial.py": "from . import reader",
        },
        "a ring of imports: net.reader -> net.timer -> net.tls -> net.reader",
    ),
    "ring through the room's own door": (
        rules.import_rings,
        {"net/__init__.py": "from .key import Key", "net/key.py": "from . import LIMIT"},
        "a ring of imports: net -> net.key -> net",
    ),
    "engine with a clock": (
        rules.worldly_imports,
        {"_http_parser.pyx": "from .errors import x\nimport time\n", "net/timer.py": "import asyncio, time"},
        "_http_parser.pyx:2: imports time",
    ),
    "wire with a loop": (
        rules.worldly_imports,
        {"wire/codings.py": "from asyncio.events import AbstractEventLoop"},
        "wire/codings.py:1: imports asyncio",
    ),
    "parser by import": (
        rules.named_parsers,
        {
            "_impl.py": "from ._http_parser import ResponseParser",
            "net/x.py": "from .. import _http_parser_py",
            "_http_parser_py.py": "",
        },
        "net/x.py:1: imports _http_parser_py; ask _impl",
    ),
    "parser by its twin": (
        rules.named_parsers,
        {"_http_parser.pyx": "from ._llhttp cimport x\nfrom ._http_parser_py import TABLE\n", "_http_parser_py.py": ""},
        "_http_parser.pyx:2: imports TABLE; ask _impl",
    ),
    "parser by text": (
        rules.named_parsers,
        {"cli/x.py": "importlib.import_module('aiohttpx._frame_parser')"},
        "cli/x.py:1: names aiohttpx._frame_parser; ask _impl",
    ),
    "roof from below": (
        rules.imports_of_the_roof,
        {"__init__.py": "from .compat import install\nfrom .testing import Server", "compat.py": "", "testing/__init__.py": ""},
        "__init__.py:2: imports testing, on the roof",
    ),
    "private by attribute": (
        rules.foreign_privates,
        {"net/x.py": "class A:\n    def f(self, b: A) -> int:\n        self._x = b._x\n        return b._y._replace(z=self._z)"},
        "net/x.py:4: touches b._y",
    ),
    "private by getattr": (
        rules.foreign_privates,
        {"net/x.py": "getattr(transport, '_sock', None)"},
        "net/x.py:1: touches transport._sock",
    ),
    "private by import": (
        rules.foreign_privates,
        {"net/x.py": "from .. import _impl\nfrom ..errors import _shown", "_impl.py": "", "errors.py": ""},
        "net/x.py:2: imports _shown from errors",
    ),
    "import in a function": (
        rules.late_imports,
        {"net/x.py": "def f():\n    import brotli, hashlib\n    import json"},
        "net/x.py:3: imports json in a function, and it is neither optional nor a feature",
    ),
    "import of what is no feature": (
        rules.late_imports,
        {"net/x.py": "def f():\n    from ..wire import cookies\n    from . import y", "net/y.py": "", "wire/cookies.py": ""},
        "net/x.py:3: imports net.y in a function, and it is neither optional nor a feature",
    ),
    "import in a coroutine": (
        rules.late_imports,
        {"net/x.py": "async def f():\n    def g():\n        import brotli"},
        "net/x.py:3: imports brotli in a coroutine",
    ),
    "late module that no import shows": (
        rules.late_modules,
        {
            "net/x.py": "if TYPE_CHECKING:\n    from . import y\ny, z = late('aiohttpx.net.y'), late('aiohttpx.net.z')",
            "net/y.py": "",
            "net/z.py": "",
        },
        "net/x.py:3: late('aiohttpx.net.z') is not imported under TYPE_CHECKING",
    ),
    "vague file": (
        rules.vague_names,
        {"wire/http_utils.py": "", "wire/database.py": ""},
        "wire/http_utils.py: utils says nothing of what lives there",
    ),
    "vague folder": (
        rules.vague_names,
        {"common/fields.py": ""},
        "common/fields.py: common says nothing of what lives there",
    ),
    "long file": (
        rules.long_files,
        {"wire/x.pyx": "\n" * 601, "wire/y.py": "\n" * 600},
        "wire/x.pyx: 601 lines",
    ),
    "long function": (
        rules.long_functions,
        {"wire/x.py": f"async def f():\n{LONG}\ndef g(\n    a\n):\n    '''Not\n    counted.'''\n{LONG[:-11]}"},
        "wire/x.py:1: f is 61 lines long",
    ),
    "long function in Cython": (
        rules.long_functions,
        {"x.pyx": f"cdef class P:\n  cdef int on_head(\n    self\n  ) except -1:\n{LONG}\n\n  cdef struct s:\n{LONG}\n"},
        "x.pyx:2: on_head is 64 lines long",
    ),
    "old name": (
        rules.old_names,
        {"client.py": "", "hdrs.py": "", "net/connector.py": ""},
        "client: an old name of aiohttp's",
    ),
    "old folder": (
        rules.old_names,
        {"web_app/x.py": ""},
        "web_app: an old name of aiohttp's",
    ),
    "assert": (
        rules.asserts,
        {"net/x.py": "def f(x):\n    assert x"},
        "net/x.py:2: an assert",
    ),
    "assert in Cython": (
        rules.asserts,
        {"x.pyx": "x = 1\nassert x\n"},
        "x.pyx:2: an assert",
    ),
}


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: rules.Rule) -> None:
    house = House(PROJECT / PACKAGE)
    assert house.files
    breaches = list(rule(house))
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize(("rule", "files", "said"), BREACHES.values(), ids=BREACHES)
def test_a_breach_is_seen(rule: rules.Rule, files: dict[str, str], said: str, tmp_path: Path) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert list(rule(House(tmp_path))) == [said]


def test_every_rule_is_shown_a_breach() -> None:
    assert {rule for rule, _, _ in BREACHES.values()} == set(rules.RULES)


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "examples"])
def test_the_rest_is_named_for_what_lives_there_too(folder: str) -> None:
    assert list(rules.vague_names(House(PROJECT / folder))) == []


def test_every_room_has_a_door() -> None:
    """A folder without __init__.py is left out of the wheel."""
    house = House(PROJECT / PACKAGE)
    rooms = {path.rpartition("/")[0] for path in house.files}
    assert {room for room in rooms if f"{room}/__init__.py".lstrip("/") not in house.files} == set()
