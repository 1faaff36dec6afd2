"""Docstrings are plain text, made to be read in a terminal; this makes reStructuredText of them.

Paragraphs stay paragraphs, with |x|, * and names_ taken literally and `names` set as code; doctests stay doctests;
indented or aligned lines (formulas, tables) become literal blocks; lists stay lists.
"""

from __future__ import annotations

import re
from itertools import groupby

from sphinx.application import Sphinx


def blocks(lines: list[str]) -> list[list[str]]:
    """The maximal runs of lines that are not blank."""
    return [list(run) for blank, run in groupby(lines, key=lambda line: not line.strip()) if not blank]


def escape(text: str) -> str:
    """Text with markup characters taken literally, except for code in backticks."""
    pieces = re.split(r"(``[^`]+``|`[^`]+`)", text)
    return "".join(f"``{piece.strip('`')}``\\ " if odd else plain(piece) for odd, piece in numbered(pieces))


def numbered(pieces: list[str]) -> list[tuple[bool, str]]:
    """Pieces with whether they stand at an odd place, where the code is."""
    return [(i % 2 == 1, piece) for i, piece in enumerate(pieces)]


def plain(text: str) -> str:
    """Text in which no character is markup."""
    return re.sub(r"([\\*|_`])", r"\\\1", text)


def convert(block: list[str]) -> list[str]:
    """One block of a docstring as reStructuredText."""
    if block[0].lstrip().startswith(">>>"):
        return block
    if re.match(r"\s*([-*]|\d+\.) ", block[0]):
        return convert_list(block)
    aligned = any(line.startswith("  ") or re.search(r"\S {3,}\S", line) for line in block)
    if aligned:
        return ["::", "", *("    " + line for line in block)]
    return [escape(line) for line in block]


def convert_list(block: list[str]) -> list[str]:
    """A list, one item a paragraph, continuation lines joined."""
    items: list[str] = []
    for line in block:
        if re.match(r"\s*([-*]|\d+\.) ", line):
            items.append(re.sub(r"^\s*([-*]|\d+\.) +", "", line))
        else:
            items[-1] += " " + line.strip()
    return ["- " + escape(item) for item in items]


def process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Replace the lines of one docstring in place."""
    result: list[str] = []
    for block in blocks(lines):
        result += [*convert(block), ""]
    lines[:] = result


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to autodoc."""
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True}
