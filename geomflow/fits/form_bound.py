"""A flow of forms as the `Problem` that `solve` integrates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.fits.family import INNER_PRODUCTS, FormState, descent_system, pencil
from geomflow.fits.loss import Density
from geomflow.flow.problem import Array, Implicit, Problem, Violation
from geomflow.variety.jets import log_metric
from geomflow.variety.measures import class_volume, scalar_curvature
from geomflow.variety.metric import log_determinant

if TYPE_CHECKING:
    from geomflow.fits.form_flow import FormFlow

_CURVED = 200


def bind(flow: FormFlow, state: FormState) -> Problem:
    """The initial value problem of the coefficients c_α, packed as (1, count)."""
    bound = Bound(flow, state, Density.of(flow.functional))
    return Problem(
        y0=state.pack(),
        rate=bound.rate,
        unpack=state.unpack,
        stiff_order=2 if flow.inner == "dirichlet" else 4,
        spectral_radius=bound.spectral_radius,
        implicit=Linearised(bound),
        check=bound.check,
        positivity=bound.positivity,
        curvature=bound.curvature,
        residual=lambda rate: float(np.linalg.norm(rate)) / state.family.level,
        observe=bound.observe,
        description={
            "flow": flow.name,
            "equation": str(flow),
            "components": ["c"],
            "variety": str(state.family.variety.polynomial),
            "level": state.family.level,
            "points": len(state.family.points),
            "state": "FormState",
        },
    )


@dataclass(eq=False)
class Bound:
    """The rate −speed G⁻¹∇E of a flow at packed coefficients, and what is watched; the last state seen is kept.

    G, ∇E and the Hessian are over ∫dμ_Ω, which leaves the rate as it is.
    """

    flow: FormFlow
    state: FormState
    functional: Density
    _seen: FormState | None = field(default=None, repr=False)
    _bands: tuple[np.ndarray, np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    def at(self, y: Array) -> FormState:
        """The member of the family at y."""
        if self._seen is None or not np.array_equal(self._seen.coefficients, y[0]):
            self._seen, self._bands = self.state.unpack(y), None
        return self._seen

    def bands(self, y: Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(rates Λ, modes U, speed Uᵀ∇E): with Uᵀ G U = 1 and speed Uᵀ H U = Λ, H the Gauss–Newton Hessian of E_F."""
        state = self.at(y)
        if self._bands is None:
            hessian, gradient = descent_system(state, self.functional)
            values, modes = pencil(hessian, INNER_PRODUCTS[self.flow.inner](state))
            speed = self.flow.speed
            self._bands = speed * values, modes, speed * (modes.T @ gradient)
        return self._bands

    def rate(self, t: float, y: Array, out: Array) -> None:
        """−speed G⁻¹∇E, NaN outside the Kähler cone."""
        if self.check(t, y) is not None:
            out[...] = np.nan
            return
        _, modes, slope = self.bands(y)
        out[0] = -modes @ slope

    def spectral_radius(self, t: float, y: Array) -> float:
        """The largest rate."""
        return 1.1 * float(self.bands(y)[0][-1])

    def check(self, t: float, y: Array) -> Violation | None:
        """Where P or g is not positive, if anywhere."""
        gram = self.at(y).gram
        bad = np.flatnonzero(~np.isfinite(log_determinant(gram)))
        if not bad.size or not np.all(np.isfinite(y)):
            return None
        worst = self.at(y).positivity
        place = int(np.argmin(worst))
        return Violation("positivity", "the least eigenvalue of g over Fubini–Study", float(worst[place]), (place,))

    def positivity(self, t: float, y: Array) -> float:
        """The least eigenvalue of g relative to Fubini–Study over all points."""
        return float(self.at(y).positivity.min())

    def curvature(self, t: float, y: Array) -> float:
        """max |R| over the first points."""
        state = self.at(y)
        return float(np.abs(scalar_curvature(state.metric, state.family.points[:_CURVED])).max())

    def observe(self, t: float, y: Array) -> dict[str, float]:
        """The monitors."""
        state = self.at(y)
        points, level = state.family.points, state.family.level
        determinant = np.exp(log_determinant(log_metric(state.gram) / level))
        exact = class_volume(state.metric)
        volume = float(np.mean(determinant / points.density)) / exact
        slope, mass = self.bands(y)[2], 2**state.family.variety.dim * exact
        return {
            "sigma": state.sigma,
            "energy": mass * float(state.family.mass @ self.functional.evaluate(state.density)[0]),
            "dissipation": mass * float(slope @ slope) / self.flow.speed,
            "volume": volume,
            "positivity": float(state.positivity.min()),
        }


@dataclass(eq=False)
class Linearised(Implicit):
    """L = −speed G⁻¹H at the state where a step begins: the linearised rate near the optimal metric."""

    bound: Bound
    _bands: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    def prepare(self, y: Array) -> None:
        """Take L from y."""
        values, modes, _ = self.bound.bands(y)
        self._bands = values, modes

    def solve(self, b: Array, c: float, out: Array) -> None:
        """(1 − cL)⁻¹ b = U (1 + cΛ)⁻¹ U⁻¹ b."""
        values, modes = self._known()
        out[0] = modes @ (np.linalg.solve(modes, b[0]) / (1 + c * values))

    def apply(self, y: Array, out: Array) -> None:
        """L y = −U Λ U⁻¹ y."""
        values, modes = self._known()
        out[0] = -modes @ (values * np.linalg.solve(modes, y[0]))

    def _known(self) -> tuple[np.ndarray, np.ndarray]:
        if self._bands is None:
            raise InputError("the linearisation is taken from a state: call prepare first")
        return self._bands
