"""The directive `glossary-terms`: the field's words, each with the first sentence of the class or function that has it.

A word says where in the package it lives; what it means is read from there, and the link leads to the reference. Words
without a class are conventions or notation: they lead to those pages, and mean what these say.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from plain_docstrings import escape

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TERMS = {
    "algebraic metric": "fits.algebraic_metric",
    "balanced metric": "fits.balanced_metric",
    "batch": "tangent.Batch",
    "Calabi flow": "flow.equations.CalabiFlow",
    "certificate": "symbolic.functionals.Certificate",
    "chart": "symbolic.Chart",
    "degree ladder": "fits.DegreeLadder",
    "derived flow": "symbolic.functionals.DerivedFlow",
    "empirical NTK": "kernels.EmpiricalKernel",
    "Euler number": "variety.euler_number",
    "event": "flow.Event",
    "fit": "fits.Fit",
    "flow": "flow.equations.Flow",
    "Fubini–Study metric": "variety.FubiniStudy",
    "functional": "symbolic.functionals.Functional",
    "gain": "variety.gain",
    "gradient flow of parameters": "tangent.GradientFlow",
    "grid": "field.Grid",
    "Hermitian metric on points": "variety.HermitianMetric",
    "hypersurface": "variety.Hypersurface",
    "K-energy": "symbolic.functionals.KEnergy",
    "Kähler class": "variety.PolarisedMetric.kahler_class",
    "Kähler metric": "symbolic.KahlerMetric",
    "Kähler–Ricci flow": "flow.equations.KahlerRicciFlow",
    "kernel": "kernels.Kernel",
    "linearised flow": "tangent.LinearisedFlow",
    "metric": "symbolic.Metric",
    "metric flow under a kernel": "tangent.KernelFlow",
    "model": "networks.Model",
    "network": "networks.Network",
    "NTK": "kernels.NetworkKernel",
    "outcome": "core.outcome.Outcome",
    "participation ratio": "kernels.participation_ratio",
    "Perelman's form": "flow.equations.perelman_form",
    "Perelman's λ": "symbolic.functionals.PerelmanLambda",
    "points": "variety.Points",
    "polarised metric": "variety.PolarisedMetric",
    "potential": "field.PotentialField",
    "quality": "variety.quality",
    "Ricci flow": "flow.equations.RicciFlow",
    "routine": "codegen.compile",
    "scalar curvature on points": "variety.scalar_curvature",
    "sections": "variety.Sections",
    "solution": "flow.Solution",
    "solve": "flow.solve",
    "state": "field.Field",
    "step control": "flow.StepController",
    "stepper": "flow.Stepper",
    "store": "io.Store",
    "study": "study.Study",
    "symmetry": "variety.Symmetry",
    "tangent kernel on metrics": "kernels.TangentKernel",
    "training": "tangent.Training",
    "κ": "variety.kappa",
    "σ-measure": "variety.sigma",
    "φ-network": "fits.PhiNetwork",
}
CONVENTIONS = {
    "density v": "density_ratio",
    "entropy": "entropy",
    "Kähler form": "kahler_form",
    "norm of Ricci": "ricci_norm_squared",
    "real metric of a Hermitian one": "realify",
    "volume dμ_J": "volume_density",
    "Wirtinger derivatives": "wirtinger",
}
PAGES = {
    "loss": ("conventions", "What falls along a flow: the factor `loss` times the functional."),
    "monitor": ("howto/training", "A number that is recorded along a run, by name: `solution[\"energy\"]`."),
    "width of a kernel": ("conventions", "The s of exp(−|x − x'|²/2s²), in the units of the coordinates."),
    "dilaton": ("notation", "The f of a fixed measure dm = e^{−f}dV."),
}  # fmt: skip


def first_sentence(thing: Any) -> str:
    """The first sentence of a docstring."""
    paragraph = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[^.][.])\s+(?=[A-ZΑ-Ω`])|:$", paragraph)[0]


def entries() -> Iterator[tuple[str, str, str]]:
    """Every word, what it means, and the link for it."""
    for term, name in TERMS.items():
        thing = resolve_name(f"geomflow.{name}")
        yield term, first_sentence(thing), f":py:obj:`{name.split('.')[-1]} <geomflow.{name}>`"
    for term, name in CONVENTIONS.items():
        thing = resolve_name(f"geomflow.core.conventions.{name}")
        yield term, first_sentence(thing), f":doc:`conventions </conventions>`, `{name}`"
    for term, (page, meaning) in PAGES.items():
        yield term, meaning, f":doc:`/{page}`"


def lines() -> Iterator[str]:
    """The glossary as reStructuredText."""
    yield from (".. glossary::", "    :sorted:", "")
    for term, meaning, link in entries():
        yield from (f"    {term}", f"        {escape(meaning)} {link}", "")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    from docutils import nodes
    from docutils.statemachine import StringList
    from sphinx import addnodes
    from sphinx.util.docutils import SphinxDirective

    class GlossaryTerms(SphinxDirective):
        """The glossary; a link that leads nowhere is a warning."""

        def run(self) -> list[nodes.Node]:
            parent = nodes.container()
            self.state.nested_parse(StringList(list(lines()), "glossary"), self.content_offset, parent)
            for link in parent.findall(addnodes.pending_xref):
                link["refwarn"] = True
            return parent.children

    app.add_directive("glossary-terms", GlossaryTerms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
