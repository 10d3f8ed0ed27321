"""The house rules. Each is a function from the house to its breaches, one line of text for each: empty when the rule is kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

from .source import PACKAGE, File, House

FRONT_DOOR: Final = ""

#: The rooms, lowest floor first. The roof may use the front door; `__main__` may use everything.
FLOORS: Final = (
    {
        *("errors", "events", "frozen", "hdrs", "late", "messages", "patterns", "protocols", "records", "secrets"),
        *("timeouts", "typedefs", "version"),
    },
    {"_impl"},  # and every other file at the top whose name begins with an underscore
    {"wire"},
    {"net"},
    {"message", "pool"},
    {"session"},
    {FRONT_DOOR},
    {"bulk", "cli", "compat", "integrations", "testing"},
    {"__main__"},
)
ENGINE, WIRE, ROOF = 1, 2, 7

#: The one way up: the front door installs the finder for aiohttp's names.
INSTALLS = (FRONT_DOOR, "compat")

OUTSIDE_WORLD: Final = {"asyncio", "logging", "socket", "ssl", "time"}

PARSERS: Final = {"_http_parser", "_http_parser_py", "_frame_parser", "_frame_parser_py"}

OPTIONAL: Final = {
    *("aiodns", "backports", "brotli", "brotlicffi", "compression", "pycares"),
    *("python_socks", "rich", "truststore", "uvloop", "winloop"),
}

#: What a plain GET can do without, and some programs always: loaded at the door of the feature that needs it, once it is used.
#: tests/house/test_imports.py sees that neither importing the package nor a plain GET loads any of it.
FEATURES: Final = {
    *("message.bodies", "message.form", "message.payload", "wire.cookies", "wire.setcookie"),
    *("session.cookiejar", "session.environment", "session.netrcfile", "session.download", "session.partialfile", "session.sse"),
    *("message.requestinfo", "message.timed", "message.timings", "session.middlewares", "session.statuscheck", "wire.sse"),
    *("net.coded", "net.content", "net.direct", "net.iterators", "net.proxy", "net.reader", "net.socks", "net.tls", "net.tunnel"),
    *("net.upload", "net.wirelog", "net.writer"),
    *("session.opening", "session.reconnecting", "messages", "_frame_parser", "_frame_parser_py", "_frame_rules"),
    *("hashlib", "mimetypes", "pickle", "shlex"),
}

#: Of the standard library, what this package can do without and others load: asyncio from Python 3.14 on, pycares.
LOADED_BY_OTHERS: Final = {"dataclasses"}

#: Names that begin with an underscore and are documented all the same.
DOCUMENTED: Final = {
    *("_asdict", "_field_defaults", "_fields", "_make", "_replace"),  # typing.NamedTuple
    *("_exit", "_getframe", "_is_gil_enabled"),  # os, sys
}

VAGUE: Final = {"base", "common", "helper", "helpers", "misc", "util", "utils"}

LONGEST_FILE, LONGEST_FUNCTION = 600, 60

#: aiohttp's submodules, past and present; `hdrs` and `typedefs` mean the same here.
OLD_NAMES: Final = {
    *("abc", "base_protocol", "client", "client_exceptions", "client_middleware_digest_auth", "client_middlewares"),
    *("client_proto", "client_reqrep", "client_ws", "compression_utils", "connector", "cookiejar", "formdata", "frozenlist"),
    *("helpers", "http", "http_exceptions", "http_parser", "http_websocket", "http_writer", "locks", "log", "multipart"),
    *("parsers", "payload", "payload_streamer", "protocol", "pytest_plugin", "resolver", "server", "signals", "streams"),
    *("tcp_helpers", "test_utils", "tracing", "worker", "wsgi"),
}


def floor_of(module: str) -> int | None:
    room = module.partition(".")[0]
    if is_private(room):
        return ENGINE
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), None)


def climbing_imports(house: House) -> Iterator[str]:
    """Rule 1: imports go down or level, never up, those under TYPE_CHECKING too; `pool` and `message` never meet."""
    for file in house:
        mine = floor_of(file.module)
        if mine is None:
            yield f"{file.path}: stands on no floor; FLOORS has a place for every file"
            continue
        for found, module in house.meets(file):
            theirs = floor_of(module)
            if theirs is None:
                yield f"{file.path}:{found.line}: imports {module}, which stands on no floor"
            elif theirs > mine and (file.module, module) != INSTALLS:
                yield f"{file.path}:{found.line}: imports {module or 'the front door'}, from a higher floor"
            elif {file.module.partition(".")[0], module.partition(".")[0]} == {"message", "pool"}:
                yield f"{file.path}:{found.line}: imports {module}; message and pool never meet"


def import_rings(house: House) -> Iterator[str]:
    """Rule 1: no floor has a ring in it."""
    ways: dict[str, set[str]] = {module: set() for module in house.modules}
    for file in house:
        ways[file.module].update(module for _, module in house.meets(file) if (file.module, module) != INSTALLS)
        ways[file.module].discard(file.module)
    # What imports nothing that is left cannot be in a ring; once no such module is left, all that remain are, or lead into one.
    while free := {module for module, ahead in ways.items() if not ahead & ways.keys()}:
        ways = {module: ahead for module, ahead in ways.items() if module not in free}
    if ways:
        path = [min(ways)]
        while path[-1] not in path[:-1]:
            path.append(min(ways[path[-1]] & ways.keys()))
        yield "a ring of imports: " + " -> ".join(module or "the front door" for module in path[path.index(path[-1]) :])


def worldly_imports(house: House) -> Iterator[str]:
    """Rule 2: the engine and wire/ are given bytes and say what happened; no asyncio, logging, socket, ssl or time."""
    for file in house:
        if floor_of(file.module) in {ENGINE, WIRE}:
            for found in file.imports:
                if found.top in OUTSIDE_WORLD:
                    yield f"{file.path}:{found.line}: imports {found.top}"


def named_parsers(house: House) -> Iterator[str]:
    """Rule 3: only `_impl.py` names the parsers and their twins."""
    for file in house:
        if file.module == "_impl":
            continue
        for found, module in house.meets(file):
            if {module, found.name} & (PARSERS - {file.module}):
                yield f"{file.path}:{found.line}: imports {found.name or module}; ask _impl"
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Attribute) and node.attr in PARSERS:
                yield f"{file.path}:{node.lineno}: names {node.attr}; ask _impl"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.rpartition(".")[2] in PARSERS:
                yield f"{file.path}:{node.lineno}: names {node.value}; ask _impl"


def imports_of_the_roof(house: House) -> Iterator[str]:
    """Rule 4: nothing imports the roof, except the front door installing compat, and what stands on the roof itself."""
    for file in house:
        if (floor_of(file.module) or 0) >= ROOF:
            continue
        for found, module in house.meets(file):
            if floor_of(module) == ROOF and (file.module, module) != INSTALLS:
                yield f"{file.path}:{found.line}: imports {module}, on the roof"


def foreign_privates(house: House) -> Iterator[str]:
    """Rule 5: nobody touches another file's `_private`: not by import, not by attribute, not by getattr."""
    for file in house:
        own = set(_private_names_made_in(file.tree))
        for found, module in house.meets(file):
            if found.name and is_private(found.name) and not module.endswith(found.name):
                yield f"{file.path}:{found.line}: imports {found.name} from {module or 'the front door'}"
        for node in ast.walk(file.tree):
            match node:
                case ast.Attribute(value=owner, attr=name):
                    pass
                case ast.Call(
                    func=ast.Name("getattr" | "setattr" | "hasattr" | "delattr"),
                    args=[owner, ast.Constant(str(name)), *_],
                ):
                    pass
                case _:
                    continue
            if is_private(name) and name not in own and not _is_oneself(owner):
                yield f"{file.path}:{node.lineno}: touches {ast.unparse(owner)}.{name}"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in DOCUMENTED


def _is_oneself(owner: ast.expr) -> bool:
    return (isinstance(owner, ast.Name) and owner.id in {"self", "cls"}) or ast.unparse(owner).startswith("super(")


def _private_names_made_in(tree: ast.Module) -> Iterator[str]:
    """Names that are the file's own: what its classes define, list in __slots__, or set on self or cls; and its own globals."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Attribute(value=ast.Name("self" | "cls"), ctx=ast.Store()):
                yield node.attr
            case ast.Assign(targets=[ast.Name("__slots__")], value=value):
                yield from (item.value for item in ast.walk(value) if isinstance(item, ast.Constant))


def late_imports(house: House) -> Iterator[str]:
    """Rule 5: imports inside functions are for optional dependencies and for features, and never in a coroutine: a request may
    await it."""
    features = OPTIONAL | FEATURES | LOADED_BY_OTHERS
    for file in house:
        modules = {id(found): module for found, module in house.meets(file)}
        for found in file.imports:
            if found.inside == "coroutine":
                yield f"{file.path}:{found.line}: imports {found.module} in a coroutine"
            elif found.inside == "function" and not {found.top, module := modules.get(id(found), found.module)} & features:
                yield f"{file.path}:{found.line}: imports {module} in a function, and it is neither optional nor a feature"


def late_modules(house: House) -> Iterator[str]:
    """Rule 5: what `late()` names is imported beside it, for who checks types; the other rules see it there."""
    for file in house:
        known = {found.module for found in file.imports} | {f"{PACKAGE}.{module}" for _, module in house.meets(file)}
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "late":
                match node.args:
                    case [ast.Constant(value=name)] if name in known:
                        pass
                    case _:
                        yield f"{file.path}:{node.lineno}: {ast.unparse(node)} is not imported under TYPE_CHECKING"


def vague_names(house: House) -> Iterator[str]:
    """Rule 6: a file or folder is named for what lives there."""
    for file in house:
        for part in file.path.rpartition(".")[0].split("/"):
            if vague := VAGUE & set(part.lower().split("_")):
                yield f"{file.path}: {', '.join(vague)} says nothing of what lives there"


def long_files(house: House) -> Iterator[str]:
    """Rule 6: no file grows past what one person holds in the head."""
    for file in house:
        if (length := len(file.text.splitlines())) > LONGEST_FILE:
            yield f"{file.path}: {length} lines"


def long_functions(house: House) -> Iterator[str]:
    """Rule 6: no function is longer than a screen. Its signature and docstring are not counted: the API sets their length."""
    for file in house:
        for name, line, length in _functions(file):
            if length > LONGEST_FUNCTION:
                yield f"{file.path}:{line}: {name} is {length} lines long"


def _functions(file: File) -> Iterator[tuple[str, int, int]]:
    """(name, line, length of the body) of every function."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, node.lineno, (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
    if file.path.endswith(".pyx"):
        yield from _cython_functions(file.text.splitlines())


_CYTHON_FUNCTION = re.compile(r"(\s*)(?:async\s+)?c?p?def\s+(?!class|struct|enum|union|extern)[^=]*?(\w+)\(")


def _cython_functions(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """As far as indentation tells: a function ends before the next line that is indented no deeper, closing brackets left out."""
    for number, line in enumerate(lines):
        if found := _CYTHON_FUNCTION.match(line):
            indent, last = len(found[1]), number
            for further in range(number + 1, len(lines)):
                text = lines[further].strip()
                if text and len(lines[further]) - len(lines[further].lstrip()) <= indent and not text.startswith(")"):
                    break
                last = further if text else last
            yield found[2], number + 1, last - number + 1


def old_names(house: House) -> Iterator[str]:
    """Rule 7: an old aiohttp submodule name is no file or folder at the top of the package, so that compat may offer it."""
    for name in sorted({file.path.partition("/")[0].partition(".")[0] for file in house}):
        if name in OLD_NAMES or name == "web" or name.startswith("web_"):
            yield f"{name}: an old name of aiohttp's"


def asserts(house: House) -> Iterator[str]:
    """No control flow hangs on `assert`, which `python -O` leaves out: the package has none."""
    for file in house:
        lines = {node.lineno for node in ast.walk(file.tree) if isinstance(node, ast.Assert)}
        if file.path.endswith(".pyx"):
            lines |= {number for number, line in enumerate(file.text.splitlines(), 1) if re.match(r"\s*assert\b", line)}
        yield from (f"{file.path}:{line}: an assert" for line in sorted(lines))


Rule = Callable[[House], Iterator[str]]

RULES: Final[tuple[Rule, ...]] = (
    climbing_imports,
    import_rings,
    worldly_imports,
    named_parsers,
    imports_of_the_roof,
    foreign_privates,
    late_imports,
    late_modules,
    vague_names,
    long_files,
    long_functions,
    old_names,
    asserts,
)
