"""The directive `names`: names of a floor, first as a table with a line each, then with all there is to say.

    .. names:: geomflow.flow
       :inherited-members:

       solve Solution Outcome

`:rest:` stands for the public names that the page has not had yet, but those `:without:`, so that none is forgotten;
`:table:` leaves it at the table, each name with a link to where it is described.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from glossary_terms import first_sentence
from plain_docstrings import escape
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FLOORS = ("flow", "flow.equations", "field", "symbolic", "symbolic.functionals", "codegen", "variety", "networks",
          "kernels", "tangent", "fits", "plot", "io", "distribute", "core.errors", "core.conventions", "study")
PLACES = {"conventions": ":doc:`conventions </conventions>`", "study": ":doc:`study </studies/index>`",
          "catalogue": ":doc:`catalogue </reference/symbolic>`"}
PASSED = ("members", "inherited-members")


def kind_of(thing: Any) -> str:
    """The directive of autodoc that describes a thing."""
    if inspect.isclass(thing):
        return "autoexception" if issubclass(thing, BaseException) else "autoclass"
    return "autofunction" if callable(thing) else "autodata"


def place_of(name: str, thing: Any) -> str:
    """A link to where the thing is described: at the first floor that has it as a public name."""
    if inspect.ismodule(thing):
        return PLACES.get(name, f":doc:`{name} </reference/{name}>`")
    for floor in FLOORS:
        module = import_module(f"geomflow.{floor}")
        if getattr(module, name, None) is thing and name in getattr(module, "__all__", [name]):
            return f":py:obj:`{name} <geomflow.{floor}.{name}>`"
    return f"``{name}``"


def summary(thing: Any) -> str:
    """The first sentence of a docstring, as reStructuredText; data have none of their own."""
    own = inspect.ismodule(thing) or callable(thing)
    return escape(first_sentence(thing)) if own else escape(" ".join(type(thing).__name__.split()))


def table(module: str, names: list[str], linked: bool) -> Iterator[str]:
    """A line for every name."""
    yield from (".. list-table::", "   :class: names", "   :widths: 30 70", "")
    for name in names:
        thing = getattr(import_module(module), name)
        link = place_of(name, thing) if linked else f":py:obj:`{name} <{module}.{name}>`"
        yield from (f"   * - {link}", f"     - {summary(thing)}")
    yield ""


class Names(SphinxDirective):
    """A table of names, and their descriptions."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"rest": directives.flag, "table": directives.flag, "without": directives.unchanged,
                             **dict.fromkeys(PASSED, directives.unchanged)}

    def run(self) -> list[nodes.Node]:
        """The table, then the descriptions. Raises `ValueError` for a name that the module has not."""
        module = self.arguments[0]
        public = list(getattr(import_module(module), "__all__", []))
        had = self.env.temp_data.setdefault(f"names of {module}", set())
        names = " ".join(self.content).split()
        if "rest" in self.options:
            had |= set(self.options.get("without", "").split())
            names += [name for name in public if name not in had and name not in names]
        if missing := [name for name in names if not hasattr(import_module(module), name)]:
            raise ValueError(f"{module} has no {', '.join(missing)}: see {self.env.docname}.")
        had |= set(names)
        lines = list(table(module, names, "table" in self.options)) if names else []
        for name in () if "table" in self.options else names:
            kind = kind_of(getattr(import_module(module), name))
            options = [key for key in PASSED if key in self.options and kind == "autoclass"]
            lines += [f".. {kind}:: {module}.{name}", *(f"   :{key}: {self.options[key]}" for key in options), ""]
        parent = nodes.container()
        self.state.nested_parse(StringList(lines, module), self.content_offset, parent)
        return parent.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("names", Names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
