"""The ground state of −4Δ + R, which Perelman's λ takes its dilaton from."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from geomflow.core import graph as gr
from geomflow.core.program import Elliptic, Stage
from geomflow.symbolic.functionals.linear import Linearisation
from geomflow.symbolic.variation.metric_frame import MetricFrame
from geomflow.symbolic.variation.staged import Staged
from geomflow.symbolic.variation.symbols import Background

FLAT_DILATON = "f"


def ground_state(metric: MetricFrame) -> Elliptic:
    """−4Δu + Ru = λu with f = −2 log u, ∫u² dV = 1."""
    unknown = metric.leaf("u")
    operator = -4 * metric.laplacian(unknown) + metric.scalar * unknown
    return Elliptic("f", "u", operator, -2 * gr.log(unknown))


def with_ground_state(coordinates: Sequence[str], fields: tuple[str, ...], staged: Staged, background: Background,
                      waves: tuple[gr.Node, ...], names: tuple[str, ...]) -> Linearisation:
    """The linearisation at the flat metric, where the ground state's first variation is known in closed form.

    There u = 1, R = 0, λ = 0 and R + 2Δf − |∇f|² = λ, so that 2Δδf = −δR at nonzero k with
    δR = ∂^i∂^jh_ij − Δ tr h: δf = (|k|² tr h − k·h·k)/(2|k|²). It enters as a stage whose symbol is this quotient.
    """
    squares = gr.add(*(w * w for w in waves))
    terms = []
    for place, name in enumerate(fields):
        i, j = _indices(place, len(coordinates))
        second = waves[i] * waves[j] * (1 if i == j else 2) - (squares if i == j else gr.ZERO)
        flat = gr.jet(name, (0,) * len(coordinates)) - int(i == j)
        terms.append(-Fraction(1, 2) * second / squares * flat)
    stage = Stage(((FLAT_DILATON, gr.add(*terms)),))
    whole = Staged(staged.coordinates, staged.groups, (stage, *staged.stages), staged.outputs)
    return Linearisation(tuple(coordinates), fields, whole, background, waves, names)


def _indices(place: int, dim: int) -> tuple[int, int]:
    from geomflow.symbolic.variation.metric_frame import packed

    return packed(dim)[place]
