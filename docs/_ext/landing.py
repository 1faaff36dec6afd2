"""The moving picture of the first page, made when the pages are built and kept until what makes it changes."""

from __future__ import annotations

import hashlib
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SCRIPT = Path(__file__).parents[1] / "make_pictures.py"


def make(app: Sphinx) -> None:
    """Write `_static/flow.webp` where it is missing or its script has changed; only builders of pages miss it."""
    if app.builder.format != "html":
        app.config.suppress_warnings = [*app.config.suppress_warnings, "image.not_readable"]
        return
    static = Path(app.srcdir) / "_static"
    film, known = static / "flow.webp", static / "flow.sha"
    digest = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()
    if film.exists() and known.exists() and known.read_text() == digest:
        return
    runpy.run_path(str(SCRIPT))["film"](film)
    known.write_text(digest)


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the picture before any page is read."""
    app.connect("builder-inited", make)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
