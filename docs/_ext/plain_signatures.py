"""Signatures that Sphinx reads: a default that is no Python, ``<factory>`` or ``<class 'a.B'>``, as what it stands for.

One such default, and Sphinx shows the whole signature as text, with full names and tildes and without links.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

NO_PYTHON = re.compile(r"<class '(?:\w+\.)*(\w+)'>")


def readable(signature: str) -> str:
    """The signature with defaults that can be read.

    >>> readable("(a: dict = <factory>, b: type = <class 'numpy.float64'>)")
    '(a: dict = ..., b: type = float64)'
    """
    return NO_PYTHON.sub(r"\1", signature.replace("<factory>", "..."))


def process(_app: Sphinx, _what: str, _name: str, _thing: object, _options: Any, signature: str | None,
            returned: str | None) -> tuple[str, str | None] | None:
    """What autodoc asks of each signature."""
    return None if signature is None else (readable(signature), returned)


def setup(app: Sphinx) -> dict[str, bool]:
    """Listen."""
    app.connect("autodoc-process-signature", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
