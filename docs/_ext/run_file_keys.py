"""The directive `run-file-keys`: the tables and keys of a run file, from the schema that checks them.

With the argument `symmetric`, those of a run file about a metric with symmetry, with `toric` about a toric surface;
with `variety`, those of a file that describes a variety.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from geomflow.cli.document import Table, is_required, keys_of, meaning_of, phrase_of, table_of
from geomflow.cli.schema import RunFile, VarietyFile
from geomflow.cli.symmetric_file import SymmetricFile
from geomflow.cli.toric_file import ToricFile

FILES = {"run": RunFile, "symmetric": SymmetricFile, "toric": ToricFile, "variety": VarietyFile}


class RunFileKeys(SphinxDirective):
    """One definition list for each table of a file."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The section bodies."""
        result: list[nodes.Node] = []
        for name, field in keys_of(FILES[self.arguments[0] if self.arguments else "run"]).items():
            table = table_of(field)
            heading = nodes.paragraph("", "", nodes.strong("", f"[{name}]"), nodes.Text(f": {table.__doc__}"))
            result += [heading, definitions(table)]
        return result


def definitions(table: type[Table]) -> nodes.definition_list:
    """The keys of one table."""
    items = nodes.definition_list()
    for name, key in keys_of(table).items():
        need = ", required" if is_required(key) else ""
        term = nodes.term("", "", nodes.literal("", name), nodes.Text(f": {phrase_of(key.type)}{need}"))
        items += nodes.definition_list_item("", term, nodes.definition("", nodes.paragraph("", meaning_of(key))))
    return items


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("run-file-keys", RunFileKeys)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
