"""Coefficients of equations on a torus: what stands beside the unknowns must be periodic too."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.field.lattice import FlatTorus
from geomflow.field.sampling import PROBES, require_periodic

if TYPE_CHECKING:
    from geomflow.core.program import Program

_SMALL = 1e-12


def require_periodic_program(torus: FlatTorus, program: Program, what: str) -> None:
    """Refuses a program whose outputs, in any stage, change when a lattice vector is added to the coordinates alone.

    Fields and parameters are held at generic values. So that no term hides beside a larger one, the derivatives by
    each of them are put to the test too, and the outputs where all are small. Raises InputError that begins with
    `what`.
    """
    for node in (node for stage in program.stages for _, node in stage.outputs):
        places = [leaf for leaf in gr.leaves((node,)) if leaf.op == "symbol" and leaf.data in program.coordinates]
        held = [leaf for leaf in gr.leaves((node,)) if leaf not in places]
        if not places:
            continue
        values = np.random.default_rng(20231020).uniform(0.5, 1.5, (len(held), PROBES))
        values[:, ::2] *= np.where(np.arange(PROBES // 2) % 2, 1, -1)
        for tested, scale in ((node, 1.0), *((slope, 1.0) for slope in gr.gradient(node, held)), (node, _SMALL)):
            given = dict(zip(held, scale * values, strict=True))
            require_periodic(torus, partial(_value, tested, program.coordinates, given), what)


def _value(node: gr.Node, names: tuple[str, ...], given: dict[gr.Node, Any], *coordinates: np.ndarray) -> Any:
    return gr.evaluate([node], given | {gr.symbol(name): x for name, x in zip(names, coordinates, strict=True)})[0]
