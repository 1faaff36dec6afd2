"""Ricci flow of a metric on a torus, bare or in DeTurck's gauge, free or normalised to constant volume."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.program import Average, Program, Stage
from geomflow.core.symmetric import packed_places
from geomflow.field import MetricField
from geomflow.flow.equation import Equation, Monitor, checked_state, curvature_monitors, equations_of
from geomflow.flow.flow import Flow
from geomflow.symbolic.ansatz.typed import Typed
from geomflow.symbolic.jets import MetricNodes, metric_nodes

if TYPE_CHECKING:
    import sympy


Gauge = Literal["deturck", "arclength", "start", "comoving"]
GAUGES: tuple[Gauge, ...] = ("deturck", "arclength", "start", "comoving")
ON_TORI: tuple[Literal["deturck"] | None, ...] = (None, "deturck")


@final
@dataclass(frozen=True)
class RicciFlow(Flow):
    """Hamilton's Ricci flow ∂_t g_ij = −2 R_ij (Hamilton 1982; eq. (2.39) of Halverson and Ruehle).

    With ``gauge="deturck"`` the right-hand side is −2 R_ij + ∇_i W_j + ∇_j W_i, W^k = g^{ij} Γ^k_ij (DeTurck 1983,
    background the flat metric of the torus): strictly parabolic, and equal to Ricci flow up to diffeomorphisms.
    With ``normalised=True`` the term (2/d) r̄ g_ij is added, r̄ = ∫R dμ / ∫dμ: the volume stays constant.

    Without a gauge the equation is only weakly parabolic: run it for short times or small data.
    Metrics with symmetry flow in ``gauge="arclength"`` too, where points are kept apart by equal shares of the length,
    in DeTurck's gauge with the metric at the start in the place of the flat one, "start", or at fixed coordinates,
    "comoving"; they are moved as the equation needs where no gauge is given.
    Raises UnknownNameError for an unknown gauge.

    Parameters
    ----------
    gauge : {None, "deturck", "arclength", "start", "comoving"}
        Bare, strictly parabolic, or how the points of metrics with symmetry move.
    normalised : bool
        Whether the volume stays constant.
    """

    gauge: Gauge | None = None
    normalised: bool = False

    def __post_init__(self) -> None:
        if self.gauge is not None and self.gauge not in GAUGES:
            raise UnknownNameError.among("gauge", str(self.gauge), GAUGES)

    @property
    def name(self) -> str:
        """"ricci", "ricci-deturck", …."""
        return "ricci" if self.gauge is None else f"ricci-{self.gauge}"

    @property
    def equation(self) -> sympy.Eq:
        """∂_t g_ij in index notation."""
        import sympy

        from geomflow.symbolic.variation.display import operator

        t = sympy.Symbol("t")
        rate = -2 * sympy.Symbol("R_ij")
        if self.gauge == "deturck":
            w = sympy.symbols("W_i W_j")
            rate += operator("nabla_i", r"\nabla_{i} %s")(w[1]) + operator("nabla_j", r"\nabla_{j} %s")(w[0])
        if self.normalised:
            rate += 2 * sympy.Symbol("rbar") * sympy.Symbol("g_ij") / sympy.Symbol("d")
        return sympy.Eq(sympy.Derivative(sympy.Function("g_ij")(t), t), rate, evaluate=False)

    def typed(self, dim: int) -> Typed:
        """"-2*Ric", and the mean of R where it is normalised."""
        return Typed("-2*Ric" + (f" + 2/{dim}*mean(R)*g" if self.normalised else ""), gauge=self.gauge)

    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equations of g_xx, g_xy, ... written out; long beyond dimension two."""
        gauge = self.gauge if self.gauge == "deturck" else None
        return equations_of(ricci_program(torus.coordinates, gauge, self.normalised), torus)

    def on(self, state: Any) -> Equation:
        """The equation for a MetricField on a real torus of dimension 2 or more."""
        field = checked_state(self, state, MetricField, "grid.metric(...) on a Torus")
        if self.gauge not in ON_TORI:
            raise InputError(f"the gauge '{self.gauge}' is for metrics with symmetry, and this one lives on a torus: "
                             'leave it out, or take gauge="deturck".')
        if field.grid.dim < 2:
            raise InputError("a metric on a torus of dimension 1 is flat: Ricci flow needs dim = 2 or more.")
        return self._equation(field.grid.torus.coordinates, field.grid.ignorable)

    def _equation(self, coordinates: tuple[str, ...], ignorable: tuple[str, ...]) -> Equation:
        metric = MetricNodes(coordinates, metric_nodes(coordinates)[1], ignorable)
        density = gr.sqrt(metric.determinant)
        return Equation(
            program=ricci_program(coordinates, self.gauge, self.normalised, ignorable),
            positive=("the smallest leading principal minor of g", minors(metric.matrix)),
            monitors=ricci_monitors(metric, density),
            curvature="ricci_norm_max",
            averages=(Average("rbar", metric.scalar * density, density),) if self.normalised else (),
        )


@cache
def ricci_program(coordinates: tuple[str, ...], gauge: str | None, normalised: bool,
                  ignorable: tuple[str, ...] = ()) -> Program:
    """The right-hand sides of all components, in packed order; nothing depends on ignorable coordinates."""
    names, matrix = metric_nodes(coordinates)
    metric = MetricNodes(coordinates, matrix, ignorable)
    rates = deturck_rates(metric) if gauge else -2 * metric.ricci
    if normalised:
        rates = rates + matrix * (2 * gr.symbol("rbar") / len(coordinates))
    places = packed_places(len(coordinates))
    outputs = tuple((f"rate_{name}", rates[place]) for name, place in zip(names, places, strict=True))
    return Program(coordinates, names, (), ("rbar",) if normalised else (), (Stage(outputs),))


def deturck_rates(metric: MetricNodes) -> np.ndarray:
    """−2 Ric + L_W g over a flat background, in the form in which its second derivatives are a Laplacian.

    g^{kl}∂_k∂_l g_ij + ½ tr(E_i E_j) + E_a^q_j E_q^a_i − E_a^q_j K_i^a_q − E_j^q_a K_i^a_q − E_i^q_a K_j^a_q
    with (E_k)^q_i = g^{qp} ∂_k g_pi and K_i^a_q = g^{ab} ∂_b g_iq (Shi 1989, Lemma 2.1).
    """
    inverse, dg, ring = metric.inverse, metric.derivatives, metric.ring
    mixed = np.einsum("qp,pik->kqi", inverse, dg)
    lifted = np.einsum("ab,iqb->iaq", inverse, dg)
    result = np.empty_like(metric.matrix)
    for i, j in np.ndindex(result.shape):
        result[i, j] = _deturck_rate(ring, inverse, dg, mixed, lifted, i, j) if i <= j else result[j, i]
    return result


def _deturck_rate(ring: Any, inverse: np.ndarray, dg: np.ndarray, mixed: np.ndarray, lifted: np.ndarray,
                  i: int, j: int) -> gr.Node:
    dim = len(inverse)
    laplacian = [inverse[k, m] * ring.d(dg[i, j, k], m) for k in range(dim) for m in range(dim)]
    terms = [*laplacian, (mixed[i] * mixed[j].T).sum() / 2]
    for a in range(dim):
        for q in range(dim):
            terms.append(mixed[a, q, j] * mixed[q, a, i])
            terms.append(-(mixed[a, q, j] * lifted[i, a, q]))
            terms.append(-(mixed[j, q, a] * lifted[i, a, q]))
            terms.append(-(mixed[i, q, a] * lifted[j, a, q]))
    return gr.add(*terms)


def minors(matrix: np.ndarray) -> tuple[gr.Node, ...]:
    """The leading principal minors: all positive exactly where a symmetric matrix is positive (Sylvester)."""
    from geomflow.symbolic.linear import determinant
    from geomflow.symbolic.ring import GraphRing

    ring = GraphRing(())
    return tuple(determinant(ring, matrix[:k, :k]) for k in range(1, len(matrix) + 1))


def ricci_monitors(metric: MetricNodes, density: gr.Node) -> tuple[Monitor, ...]:
    """Volume, total and extreme scalar curvature, the largest |Ric|, and the extreme determinants."""
    raised = metric.inverse @ metric.ricci
    dim = range(len(raised))
    norm = gr.sqrt(gr.call("abs", gr.add(*[raised[i, j] * raised[j, i] for i in dim for j in dim])))
    return curvature_monitors(density, metric.scalar, ("ricci_norm_max", norm), "density", density)
