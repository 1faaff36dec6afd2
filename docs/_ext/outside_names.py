"""Types of other packages in signatures lead to their documentation.

The addresses stand here, so that no inventory is fetched; `make links` tries them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

NUMPY = "https://numpy.org/doc/stable/reference"
PYTHON = "https://docs.python.org/3/library"
SYMPY = "https://docs.sympy.org/latest/modules"
MATPLOTLIB = "https://matplotlib.org/stable/api"
ADDRESSES = {
    "numpy.ndarray": f"{NUMPY}/generated/numpy.ndarray.html",
    "numpy.random.Generator": f"{NUMPY}/random/generator.html",
    "sympy.Expr": f"{SYMPY}/core.html#sympy.core.expr.Expr",
    "sympy.Eq": f"{SYMPY}/core.html#sympy.core.relational.Equality",
    "sympy.Symbol": f"{SYMPY}/core.html#sympy.core.symbol.Symbol",
    "sympy.Matrix": f"{SYMPY}/matrices/immutablematrices.html",
    "matplotlib.axes.Axes": f"{MATPLOTLIB}/_as_gen/matplotlib.axes.Axes.html",
    "matplotlib.figure.Figure": f"{MATPLOTLIB}/_as_gen/matplotlib.figure.Figure.html",
    "pathlib.Path": f"{PYTHON}/pathlib.html#pathlib.Path",
    "os.PathLike": f"{PYTHON}/os.html#os.PathLike",
    "xarray.Dataset": "https://docs.xarray.dev/en/stable/generated/xarray.Dataset.html",
}
ABSTRACT = {"Callable", "Collection", "Iterable", "Iterator", "Mapping", "Sequence"}


def address(name: str) -> str | None:
    """Where a name of another package is described.

    >>> address("collections.abc.Mapping")
    'https://docs.python.org/3/library/collections.abc.html#collections.abc.Mapping'

    Private parts of a name do not count: `sympy.core.expr.Expr` is `sympy.Expr`.
    """
    package, last = name.split(".")[0], name.split(".")[-1]
    if last in ABSTRACT and package in ("collections", "typing", last):
        return f"{PYTHON}/collections.abc.html#collections.abc.{last}"
    same = (known for known in ADDRESSES if known.split(".")[0] == package and known.split(".")[-1] == last)
    return ADDRESSES.get(next(same, ""))


def link(app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.Element) -> nodes.reference | None:
    """A link for what Sphinx does not find in these pages."""
    found = address(node.get("reftarget", "")) if node.get("refdomain") == "py" else None
    return nodes.reference("", "", shown, refuri=found, internal=False) if found else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to what is missing."""
    app.connect("missing-reference", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
