"""Metrics of an ansatz at which a flow stands still, and gradient Ricci solitons, Ric + ∇∇f = λ g."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, require_known
from geomflow.core.notebook import Facts, InNotebook
from geomflow.field.bases.circles import Circular
from geomflow.field.bases.spectral import Modal
from geomflow.field.reduced.span import ends_in, place_at
from geomflow.field.reduced.state import ReducedState
from geomflow.flow.complete import complete_soliton
from geomflow.flow.equations import Flow
from geomflow.flow.outward import CompleteSoliton
from geomflow.flow.reduced.rates import Lengthwise
from geomflow.flow.steady import Steady, steady
from geomflow.symbolic.ansatz import Ansatz
from geomflow.symbolic.ansatz.closing import radial
from geomflow.symbolic.ansatz.momentum_equation import complete_on_span
from geomflow.symbolic.ansatz.momentum_soliton import MomentumSoliton
from geomflow.symbolic.ansatz.span import span_of

KINDS = {"shrinking": 1, "steady": 0, "expanding": -1}
"""λ of solitons by kind."""

POINTS = 64
"""On which a metric is looked for unless the user says otherwise."""


@final
@dataclass(frozen=True, repr=False)
class Soliton(InNotebook):
    """A gradient Ricci soliton, Ric + ∇∇f = λ g; Einstein where f is constant. Made by `ansatz.soliton(kind)`.

    Parameters
    ----------
    found : Steady
        Where −2 Ric + 2 λ g vanishes up to diffeomorphisms.
    constant : int
        λ.
    potential : (N,) array
        f at the points, zero where the coordinate begins; constant for homogeneous metrics.
    """

    found: Steady
    constant: int
    potential: np.ndarray

    @property
    def state(self) -> ReducedState:
        """The metric."""
        found: ReducedState = self.found.state
        return found

    @property
    def residual(self) -> float:
        """The largest rate that is left, of the regular fields under −2 Ric + 2 λ g + L_V g."""
        return self.found.residual

    @property
    def error(self) -> float:
        """How far the regular fields may be from those of the exact soliton, by a step on a finer grid."""
        return self.found.error

    @property
    def spectrum(self) -> np.ndarray:
        """The rates of small changes under ∂_t g = −2 Ric + 2 λ g, the fastest growth first; 2 λ is that of scale."""
        linearised = self.found.linearised
        return linearised.spectrum(linearised.free)

    @property
    def range(self) -> float:
        """The difference of the largest and the smallest value of f, between points too."""
        grid = self.state.grid
        low, high = grid.range_of(self.potential) if len(grid.bases) == 1 else (0.0, 0.0)
        return high - low

    def __repr__(self) -> str:
        kind = next(name for name, number in KINDS.items() if number == self.constant)
        size = self.range
        told = f"a {kind} soliton, f over a range of {size:.6g}" if size > max(self.error, 1e-9) else \
            f"an Einstein metric, Ric = {self.constant} g"
        return f"{told}, error {self.error:.2g}: {self.state}"

    def __facts__(self) -> Facts:
        return [("metric", self.state), ("λ", self.constant), ("range of f", self.range),
                ("residual", self.residual), ("error", self.error)]


def ansatz_steady(ansatz: Ansatz, flow: Any, n: Any, given: Mapping[str, Any]) -> Steady:
    """`ansatz.steady(flow, n, **given)`."""
    return steady(Flow.from_expression(flow) if isinstance(flow, str) else flow, beginning(ansatz, n, given))


def ansatz_soliton(ansatz: Ansatz, kind: str, n: Any, given: Mapping[str, Any]) -> Soliton:
    """`ansatz.soliton(kind, n, **given)`."""
    require_known("kind of soliton", kind, tuple(KINDS))
    constant = KINDS[kind]
    if span_of(ansatz) is not None:
        return _on_span(ansatz, kind, n, given)
    rate = f"-2*Ric + {2 * constant}*g" if constant else "-2*Ric"
    found = steady(Flow.from_expression(rate), beginning(ansatz, n, given))
    return Soliton(found, constant, potential(found.state, rate))


def _on_span(ansatz: Ansatz, kind: str, n: Any, given: Mapping[str, Any]) -> Soliton:
    """The same in the class that is the first Chern class, f = αy."""
    if kind != "shrinking":
        raise InputError(f"a {kind} soliton on a compact manifold is Einstein, and the first Chern class here is "
                         "neither zero nor negative: take \"shrinking\", or complete_soliton(...) for one that is "
                         "not compact.")
    exact, grid = ansatz.compact_soliton(), ansatz.grid(POINTS if n is None else n)
    rows = [np.full(grid.shape, float(exact.ends.get(field.unknown.name, 0))) for field in ansatz.regular.fields]
    start = grid.state(**given) if given else ReducedState(grid, np.stack(rows))
    found = steady(Flow.from_expression("-2*Ric + 2*g"), start)
    low, high = ends_in(grid, dict(zip(found.state.component_names, found.state.packed, strict=True)))
    return Soliton(found, 1, float(exact.alpha) * (place_at(low, high, grid.basis.x[0]) - low))


def ansatz_complete_soliton(ansatz: Ansatz, kind: str, given: Mapping[str, Any]) -> CompleteSoliton | MomentumSoliton:
    """`ansatz.complete_soliton(kind, **given)`."""
    require_known("kind of soliton", kind, tuple(KINDS))
    if span_of(ansatz) is not None:
        return complete_on_span(ansatz, KINDS[kind], given)
    return complete_soliton(ansatz, KINDS[kind], given)


def beginning(ansatz: Ansatz, n: Any, given: Mapping[str, Any]) -> ReducedState:
    """The state with the unknowns given; where none is, that whose regular fields vanish: a round sphere, a product."""
    grid = ansatz.grid((POINTS if n is None else n) if ansatz.coordinates else None)
    if given:
        state: ReducedState = grid.state(**given)
        return state
    return ReducedState(grid, np.zeros((len(ansatz.regular.fields), *grid.shape)))


def potential(state: ReducedState, rate: str) -> np.ndarray:
    """f at the points, with −∇f the vector field along which a rate drags a metric that it only moves.

    f' = −g_xx V: with V = (sin X/m) ν of ξ = cos X, X = m (x − a), df/dξ = g_xx ν/m².
    """
    grid = state.grid
    if not grid.shape:
        return np.zeros(1)
    along = radial(grid.ansatz, grid.coordinates[0]) if len(grid.bases) == 1 else None
    (basis, *_) = grid.bases
    if along is None or not isinstance(basis, Modal):
        raise InputError("solitons are looked for on spectral grids of one coordinate x whose g_xx has an unknown.")
    name = f"log_{along[0].name}"
    drift = Lengthwise(grid, grid.ansatz.reduce(rate), name).drift(0.0, state.packed)
    square = np.exp(2 * state.packed[state.component_names.index(name)])
    slope = -square * drift if isinstance(basis, Circular) else square * drift * ((basis.b - basis.a) / np.pi) ** 2  # type: ignore[attr-defined]
    coefficients = np.linalg.lstsq(basis.derivative((1,)) @ basis.modes_at_nodes, slope)[0]
    found = basis.modes_at_nodes @ coefficients
    start = basis.start if isinstance(basis, Circular) else basis.a  # type: ignore[attr-defined]
    return np.asarray(found - float((basis.at([start]) @ found)[0]))
