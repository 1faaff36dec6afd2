"""Docstrings are plain text, made to be read in a terminal; this makes reStructuredText of them.

Sections of NumPy's style (Parameters, Returns, Raises, ...) are read by napoleon. In what they and the paragraphs say,
|x|, * and names_ are taken literally, `names` are set as code and formulas in Unicode as mathematics; doctests stay
doctests, indented formulas stand on lines of their own, aligned lines become literal blocks, and lists stay lists.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from formulas import pieces, tex

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FIELDS = {"Parameters", "Other Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns"}
SIGN = re.compile(r"[=≤≥≈→←]")


def blocks(lines: list[str]) -> list[list[str]]:
    """The maximal runs of lines that are not blank."""
    return [list(run) for blank, run in groupby(lines, key=lambda line: not line.strip()) if not blank]


def escape(text: str) -> str:
    """Text with markup characters taken literally, except for code in backticks and for formulas."""
    code = r"(``[^`]+``|:math:`[^`]+`|(?<!`)`[^`]+`)"
    return "".join(literal(piece) if odd else prose(piece) for odd, piece in numbered(re.split(code, text)))


def numbered(pieces: list[str]) -> list[tuple[bool, str]]:
    """Pieces with whether they stand at an odd place, where the code is."""
    return [(i % 2 == 1, piece) for i, piece in enumerate(pieces)]


def literal(piece: str) -> str:
    """Code, or a formula that is marked as one."""
    if piece.startswith(":math:"):
        return piece + "\\ " if "\\" in piece else formula(piece[7:-1])
    return f"``{piece.strip('`')}``\\ "


def prose(text: str) -> str:
    """Text without code: formulas are set, and nothing else is markup."""
    return "".join(formula(piece) if found else plain(piece) for found, piece in pieces(text))


def formula(text: str) -> str:
    """A formula in a line of text."""
    return f"\\ :math:`{tex(text)}`\\ "


def plain(text: str) -> str:
    """Text in which no character is markup."""
    return re.sub(r"([\\*|_`])", r"\\\1", unicodedata.normalize("NFC", text))


def convert(block: list[str]) -> list[str]:
    """One block of a docstring as reStructuredText."""
    if block[0].lstrip().startswith(">>>"):
        return block
    if re.match(r"\s*([-*]|\d+\.) ", block[0]):
        return convert_list(block)
    if all(line.startswith("  ") and SIGN.search(line) for line in block):
        return displayed([line.strip() for line in block])
    if any(line.startswith("  ") or re.search(r"\S {3,}\S", line) for line in block):
        return ["::", "", *("    " + line for line in block)]
    return escape(" ".join(block)).splitlines()


def displayed(formulas: list[str]) -> list[str]:
    """Formulas on lines of their own; the parts of a long one too."""
    parts = [part for formula in formulas for part in (re.split(" {3,}", formula) if len(formula) > 70 else [formula])]
    lines = [f"    &{tex(part)}\\\\" for part in parts]
    return [".. math::", "    :nowrap:", "", "    \\begin{align*}", *lines, "    \\end{align*}"]


def convert_list(block: list[str]) -> list[str]:
    """A list, one item a paragraph, continuation lines joined."""
    items: list[str] = []
    for line in block:
        if re.match(r"\s*([-*]|\d+\.) ", line):
            items.append(re.sub(r"^\s*([-*]|\d+\.) +", "", line))
        else:
            items[-1] += " " + line.strip()
    return ["- " + escape(item) for item in items]


def sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The text before all sections, under no title, and each section."""
    title, held = "", []
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if re.fullmatch(r"-{3,}", line) and title and not held:
            continue
        if re.fullmatch(r"\w[\w ]*", line) and re.fullmatch(r"-{3,}", below):
            yield title, held
            title, held = line, []
        else:
            held.append(line)
    yield title, held


def paragraphs(lines: list[str]) -> list[str]:
    """All blocks as reStructuredText."""
    return [line for block in blocks(lines) for line in [*convert(block), ""]]


def fields(lines: list[str]) -> list[str]:
    """The fields of a section: each a line with its name and type, and what it is, indented."""
    starts = [k for k, line in enumerate(lines) if line and not line.startswith(" ")]
    result: list[str] = []
    for start, end in pairwise([*starts, len(lines)]):
        name, colon, kind = lines[start].partition(" : ")
        told = paragraphs(textwrap.dedent("\n".join(lines[start + 1 : end])).splitlines())
        result += [f"{name}{colon}{code_only(kind)}", *("    " + line if line else "" for line in told or [""])]
    return result


def code_only(kind: str) -> str:
    """A type: backticks are code, all else is text."""
    return "".join(literal(piece) if odd else plain(piece) for odd, piece in numbered(re.split(r"(`[^`]+`)", kind)))


def remarks(lines: list[str]) -> int:
    """Where, in a section of fields, paragraphs begin that are none: flush left, blank above and below."""
    for k, line in enumerate(lines):
        after = lines[k + 1] if k + 1 < len(lines) else ""
        first = bool(line) and not line.startswith(" ") and k > 0 and not lines[k - 1]
        if first and " : " not in line and not after.startswith(" ") and " " in line.strip():
            return k
    return len(lines)


def converted(lines: list[str]) -> list[str]:
    """A docstring as reStructuredText, with the sections of NumPy's style left for napoleon."""
    result: list[str] = []
    for title, held in sections(lines):
        if title:
            result += [title, "-" * len(title)]
        end = remarks(held) if title in FIELDS else 0
        result += fields(held[:end])
        if end and held[end:]:
            result += ["", ""]
        result += paragraphs(held[end:])
    return result


def process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Replace the lines of one docstring in place."""
    from sphinx.ext.napoleon import Config, NumpyDocstring

    lines[:] = NumpyDocstring(converted(lines), Config(napoleon_use_param=False, napoleon_use_rtype=False)).lines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to autodoc."""
    app.connect("autodoc-process-docstring", process)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
