"""Pages of highlighted source carry no tree of the whole site beside them: it is computed for every page anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def bare(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Leave out the tree."""
    if page.startswith("_modules/"):
        context.pop("toctree", None)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect before the theme."""
    app.connect("html-page-context", bare, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
