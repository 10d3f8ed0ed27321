"""The content of a request: raw, JSON, a form, files, standard input."""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from contextlib import ExitStack
from typing import Any, BinaryIO

from multidict import MultiDict

from .. import get_payload
from .arguments import pair
from .stdin import standard_input

_STDIN = "@-"


def add_content_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("content")
    kinds = group.add_mutually_exclusive_group()
    kinds.add_argument("--json", metavar="TEXT", type=_json, help="send this JSON; @FILE: the file's content, @-: standard input")
    kinds.add_argument(
        "-d", "--data", metavar="DATA", help="send this as application/x-www-form-urlencoded; @FILE and @-: as what it is"
    )
    kinds.add_argument(
        "-F",
        "--form",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=pair,
        help="send a form with this field; repeatable",
    )
    group.add_argument(
        "--file", dest="files", metavar="NAME=PATH", action="append", default=[], type=pair,
        help="send a form (multipart/form-data) with this file; repeatable, also with -F",
    )  # fmt: skip
    group.add_argument("--compress", metavar="CODING", help="send it compressed: gzip, deflate, br or zstd")


def _json(text: str) -> str:
    if not text.startswith("@"):
        try:
            json.loads(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"not JSON: {error}") from error
    return text


def has_content(options: argparse.Namespace) -> bool:
    return options.json is not None or options.data is not None or bool(options.form or options.files)


def takes_stdin(options: argparse.Namespace) -> bool:
    return _STDIN in (options.json, options.data)


def content_of(options: argparse.Namespace, stack: ExitStack) -> dict[str, Any]:
    """Arguments of `ClientSession.request` for the content. Files are open until `stack` ends. Raises `OSError`."""
    arguments: dict[str, Any] = {} if options.compress is None else {"compress": options.compress}
    if options.json is not None:
        arguments["data"] = _source(options.json, "application/json", stack)
    elif options.data is not None:
        raw = options.data.startswith("@")
        arguments["data"] = _source(options.data, None if raw else "application/x-www-form-urlencoded", stack)
    elif options.form:
        arguments["data"] = MultiDict(options.form)
    if options.files:
        arguments["files"] = [(name, stack.enter_context(_file(path))) for name, path in options.files]
    return arguments


def _source(text: str, content_type: str | None, stack: ExitStack) -> Any:
    """What `text` means as a body: itself, or what is in a file. Without a `content_type` that is guessed."""
    source: Any
    if text == _STDIN:
        descriptor = sys.stdin.fileno()
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        source = stack.enter_context(_file(descriptor)) if is_file else standard_input()
    elif text.startswith("@"):
        source = stack.enter_context(_file(text[1:]))
    else:
        source = os.fsencode(text)
    return source if content_type is None else get_payload(source, content_type=content_type)


def _file(path: str | int) -> BinaryIO:
    return open(path, "rb", closefd=isinstance(path, str))
