"""How Sphinx builds the documentation: `python -m sphinx -W --keep-going -b html docs build/docs`. Nothing is fetched."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

import aiohttpx
from aiohttpx._impl import COMPILED_TOO

project = "aiohttpx"
author = "the aiohttpx authors"
project_copyright = "the aiohttpx authors"
version = release = aiohttpx.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_title = f"aiohttpx {release}"
html_copy_source = False
html_show_sphinx = False

# Every heading can be linked to, as GitHub does it.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

# A name in backticks in a docstring is a link if it is in the reference, else code.
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_display_short_literal_types = True
python_maximum_signature_line_length = 100

#: What comes before an indented block: a line that is not indented, and an empty one.
EXAMPLE = re.compile(r"^(\S.*\n\n)(?=    )", re.M)


def lend_comments(app: Sphinx) -> None:
    """Public classes say that they are defined in the front door, so Sphinx looks there for the comments on their attributes."""
    door = ModuleAnalyzer.for_module("aiohttpx")
    door.analyze()
    rooms = [room for room in pkgutil.walk_packages(aiohttpx.__path__, "aiohttpx.") if room.name.count(".") > 1]
    for room in rooms:  # nothing that is compiled is public
        if not room.name.startswith(("aiohttpx.testing", "aiohttpx.cli", "aiohttpx.compat")) and room.name not in COMPILED_TOO:
            import_module(room.name)
            analyzer = ModuleAnalyzer.for_module(room.name)
            analyzer.analyze()
            for place, comment in analyzer.attr_docs.items():
                door.attr_docs.setdefault(place, comment)
            for name, order in analyzer.tagorder.items():
                door.tagorder.setdefault(name, order)


def rewrite(app: Sphinx, what: str, name: str, described: object, options: object, lines: list[str]) -> None:
    """Say in Sphinx's words that an indented block is code, and nothing where a docstring says nothing."""
    text = "\n".join(lines)
    text = "" if text.startswith("Alias for field number") else EXAMPLE.sub(r"\1.. code-block:: python\n\n", text)
    lines[:] = text.split("\n")


def skips(app: Sphinx, what: str, name: str, member: object, skip: bool, options: object) -> bool | None:
    """Properties are shown without a docstring, too: their names and types say enough."""
    return False if isinstance(member, property) and not name.startswith("_") else None


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", lend_comments)
    app.connect("autodoc-process-docstring", rewrite)
    app.connect("autodoc-skip-member", skips)
