"""Mathematics as MathML, made of TeX when the pages are built: no script, no network, errors are errors of the build.

The package converts, as it does in notebooks; browsers draw MathML themselves, with the font in `_static/fonts`.
Outputs of the gallery are HTML already: formulas between dollars in them are converted as well.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging

from geomflow.core.errors import ExpressionError
from geomflow.symbolic import show

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
TAG = re.compile(r"\\tag\{([^{}]*)\}")
DOLLARS = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$([^$\n]+?)\$(?!\w)", re.DOTALL)
CODE = re.compile(r"(<(pre|code|script|style|math)\b.*?</\2>)", re.DOTALL)


def told(tex: str, display: bool, place: Any) -> str:
    """The MathML of a formula, or its TeX with a warning that names the place."""
    try:
        return show.converted(tex, display)
    except ExpressionError as error:
        LOGGER.warning(str(error), location=place, type="mathml")
        return f"<code>{html.escape(tex)}</code>"


def displayed(tex: str, place: Any) -> str:
    """A formula on lines of its own: with a tag as its number, and with `&` and line ends in columns."""
    number = TAG.search(tex)
    tex = TAG.sub("", tex).strip()
    if r"\\" in tex and not tex.startswith(r"\begin"):
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    label = f'<span class="eqno">({html.escape(number[1])})</span>' if number else ""
    return f'<div class="math">{label}{told(tex, True, place)}</div>\n'


def inline(writer: Any, node: nodes.math) -> None:
    """A formula in a line of text."""
    writer.body.append(f'<span class="math">{told(node.astext(), False, node)}</span>')
    raise nodes.SkipNode


def block(writer: Any, node: nodes.math_block) -> None:
    """Formulas on lines of their own, with the number of the equation."""
    if node["number"]:
        writer.body.append(f'<span class="eqno">({node["number"]})</span>')
    parts = [node.astext()] if node.get("no-wrap", node.get("nowrap")) else node.astext().split("\n\n")
    writer.body.extend(displayed(part, node) for part in parts if part.strip())
    raise nodes.SkipNode


def typeset(text: str, place: Any = None) -> str:
    """HTML in which what stands between dollars is typeset, except in code."""

    def formula(found: re.Match[str]) -> str:
        return told(html.unescape(found[1] or found[2]), found[1] is not None, place)

    pieces = CODE.split(text)
    return "".join(piece if k % 3 else DOLLARS.sub(formula, piece) for k, piece in enumerate(pieces) if k % 3 != 2)


def outputs(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Typeset the formulas in the HTML that the objects of a gallery script show themselves as."""
    for raw in tree.findall(nodes.raw):
        if "html" in raw.get("format", "") and "$" in raw.astext():
            raw.children = [nodes.Text(text := typeset(raw.astext(), raw))]
            raw.rawsource = text


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("doctree-resolved", outputs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
