"""The directive `run-file-keys`: the tables and keys of a run file, from the schema that checks them.

With the argument `variety`, those of a file that describes a variety.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from geomflow.cli.schema import RUN, Table
from geomflow.cli.variety_file import VARIETY

SCHEMATA = {"run": RUN, "variety": VARIETY}


class RunFileKeys(SphinxDirective):
    """One definition list for each table of a file."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The section bodies."""
        result: list[nodes.Node] = []
        for name, table in SCHEMATA[self.arguments[0] if self.arguments else "run"].items():
            heading = nodes.paragraph("", "", nodes.strong("", f"[{name}]"), nodes.Text(f": {table.meaning}"))
            result += [heading, definitions(table)]
        return result


def definitions(table: Table) -> nodes.definition_list:
    """The keys of one table."""
    items = nodes.definition_list()
    for name, key in table.keys.items():
        need = ", required" if key.required else ""
        term = nodes.term("", "", nodes.literal("", name), nodes.Text(f": {key.kind.phrase}{need}"))
        items += nodes.definition_list_item("", term, nodes.definition("", nodes.paragraph("", key.meaning)))
    return items


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("run-file-keys", RunFileKeys)
    return {"parallel_read_safe": True}
