"""The finite-dimensional families in which metrics flow: K = (1/k) log P over invariant Hermitian forms on O(k).

Inner products of their tangent vectors ψ_α = ∂φ/∂c_α are sums over the family's points. The Dirichlet product is
integrated by parts, −∫ψ_α Δ_∂ψ_β dμ_J: on an eigenfunction of the Laplacian the summands of ∫ψ², −∫ψΔψ and ∫(Δψ)² are
then proportional point by point, so that their ratios, the decay rates of flows, hardly feel the Monte-Carlo error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from scipy.linalg import LinAlgError, eigh, solve_triangular

from geomflow.core import conventions
from geomflow.core.errors import InputError, PositivityError, ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.fits.algebraic import FormObjective, project
from geomflow.fits.objective import Density, EnergyLoss, Evaluation
from geomflow.variety import FubiniStudy, HermitianForm, Hypersurface, Points, PolarisedMetric
from geomflow.variety.errors import UnderdeterminedError
from geomflow.variety.jets import log_metric
from geomflow.variety.orbits import InvariantForms


@final
@dataclass(frozen=True, eq=False)
class FormFamily:
    """P = Π|z_i|^{2k_i} Σ_α c_α f_α with f_α invariant functions, orthonormal against dμ_Ω on `points`.

    Made by `form_family`.

    Parameters
    ----------
    variety : Hypersurface
        Where the metrics live.
    forms : InvariantForms
        Orbit sums, a basis modulo Q.
    points : Points
        P of them, where integrals are taken.
    features : (P, rows², count) array
        Packed Gram matrices of the f_α.
    triangle : (count, count) array
        R: the coefficients of the orbit sums are R⁻¹c.
    level : int
        k.
    """

    variety: Hypersurface
    forms: InvariantForms
    points: Points
    features: np.ndarray
    triangle: np.ndarray
    level: int

    @property
    def count(self) -> int:
        """The number of coefficients, the scale of P among them."""
        return self.forms.count

    @property
    def degrees(self) -> tuple[int, ...]:
        """k t_i, the degree of P in each factor."""
        return tuple(int(self.forms.exponents[0, block].sum()) for block in self.variety.ambient.blocks)

    @property
    def kahler_class(self) -> tuple[float, ...]:
        """The t_i of the class of every member."""
        return tuple(d / self.level for d in self.degrees)

    @cached_property
    def reference(self) -> np.ndarray:
        """Inverse square roots L⁻¹ of Fubini–Study g_FS = L L†, (P, n, n)."""
        return np.linalg.inv(np.linalg.cholesky(FubiniStudy(self.variety, self.kahler_class).at(self.points)))

    @cached_property
    def square(self) -> FormObjective:
        """∫(v − 1)² dμ_Ω on the points as a function of the coefficients."""
        loss = EnergyLoss.of("(v - 1)^2")
        return FormObjective(self.features, np.log(self.points.omega2), self.points.mass, self.level, loss)

    def metric(self, coefficients: np.ndarray) -> HermitianForm:
        """The metric of given coefficients.

        Parameters
        ----------
        coefficients : (count,) array
            c.
        """
        form = self.forms.matrix(solve_triangular(self.triangle, coefficients))
        return HermitianForm(self.variety, self.forms.exponents, form, self.level)

    def state(self, metric: PolarisedMetric | None = None) -> FormState:
        """The member of the family nearest to exp(kK) of a metric; to Fubini–Study, which it holds, without one.

        Raises `KahlerConeError` where the metric is not positive and `PositivityError` where the member is not.

        Parameters
        ----------
        metric : PolarisedMetric, optional
            What the member is like.
        """
        return FormState(self, project(self.features[:, 0], metric, self.points, self.degrees))

    def __repr__(self) -> str:
        return f"{self.count} invariant Hermitian forms of level {self.level} at {len(self.points)} points"


#: What restricts flows of potentials, by their class, to a family of forms.
RESTRICTIONS: dict[type, Callable[[Any], Any]] = {}


@final
@dataclass(frozen=True, eq=False)
class FormState(InNotebook):
    """A metric of a family, as a state that flows.

    Parameters
    ----------
    family : FormFamily
        The metrics that it is one of.
    coefficients : (count,) array
        c, else `ShapeError`.
    """

    family: FormFamily
    coefficients: np.ndarray

    def __post_init__(self) -> None:
        if np.shape(self.coefficients) != (self.family.count,):
            raise ShapeError(
                f"the family has {self.family.count} coefficients, and shape {np.shape(self.coefficients)} was given"
            )

    def __facts__(self) -> Facts:
        return [("family", repr(self.family)), ("on", self.family.variety), ("σ", self.sigma)]

    @cached_property
    def metric(self) -> HermitianForm:
        """The metric, usable at any points."""
        return self.family.metric(self.coefficients)

    @cached_property
    def slopes(self) -> np.ndarray:
        """Δ_∂ψ_α = ∂ log det g/∂c_α at the points, each with mean zero against dμ_J, (P, count)."""
        return self.family.square.slopes(self._evaluation)

    @property
    def gram(self) -> np.ndarray:
        """P and its derivatives at the family's points, over Π|z_i|^{2k_i}: (P, n + 1, n + 1)."""
        return self._evaluation.at

    @cached_property
    def _evaluation(self) -> Evaluation:
        return self.family.square.evaluate(self.coefficients)

    @cached_property
    def density(self) -> np.ndarray:
        """v at the family's points, mean one against dμ_Ω, (P,). Raises `PositivityError`."""
        v = self._evaluation.v
        if not self._evaluation.least > 0:
            raise PositivityError(f"the metric is not positive: its least eigenvalue is {self.positivity.min():.4g}")
        return v

    @property
    def sigma(self) -> float:
        """σ on the family's points."""
        return conventions.sigma(self.density, self.family.points.mass)

    @cached_property
    def positivity(self) -> np.ndarray:
        """The least eigenvalue of g relative to Fubini–Study at each point, (P,); −P where P is not positive."""
        value = self.gram[:, 0, 0].real
        safe = np.where((value > 0)[:, None, None], self.gram, np.eye(self.gram.shape[1]))
        lower = self.family.reference
        relative = lower @ log_metric(safe) @ np.swapaxes(lower.conj(), 1, 2) / self.family.level
        return np.where(value > 0, np.linalg.eigvalsh(relative)[:, 0], value)

    def distance(self, other: FormState) -> float:
        """The root of ∫(φ − φ')² dμ_Ω of the potentials, up to a constant.

        Parameters
        ----------
        other : FormState
            Another member of the family.
        """
        if other.family is not self.family:
            raise InputError("the distance is one of two members of one family")
        change = np.log(self.gram[:, 0, 0].real / other.gram[:, 0, 0].real) / self.family.level
        change = change - self.family.points.mass @ change
        return float(np.sqrt(self.family.points.mass @ change**2))

    def restricted(self, flow: Any) -> Any:
        """A flow of potentials restricted to the family, see `RESTRICTIONS`; None where it has no restriction.

        Parameters
        ----------
        flow : object
            Of potentials.
        """
        restriction = RESTRICTIONS.get(type(flow))
        return None if restriction is None else restriction(flow)

    def pack(self) -> np.ndarray:
        """The coefficients as one component, (1, count)."""
        return np.array(self.coefficients, dtype=float)[None]

    def unpack(self, packed: np.ndarray) -> FormState:
        """The member with other coefficients.

        Parameters
        ----------
        packed : (1, count) array
            From `pack`.
        """
        return replace(self, coefficients=np.array(packed).reshape(-1))

    def __repr__(self) -> str:
        return f"member of {self.family}, σ = {self.sigma:.4g}"


def tangent(state: FormState) -> np.ndarray:
    """ψ_α = f_α/(kP) at the points, (P, count); Σ_α c_α ψ_α = 1/k is the constant."""
    family = state.family
    return family.features[:, 0] / (family.level * state.gram[:, :1, 0].real)


def mabuchi(state: FormState) -> np.ndarray:
    """∫ψ_α ψ_β dμ_J over ∫dμ_J, (count, count)."""
    vectors = np.sqrt(_mass(state))[:, None] * tangent(state)
    return vectors.T @ vectors


def dirichlet(state: FormState) -> np.ndarray:
    """∫⟨∂ψ_α, ∂ψ_β⟩ dμ_J over ∫dμ_J, plus ∫ψ_α ∫ψ_β, which fixes the constant and changes no other rate."""
    means = _mass(state) @ tangent(state)
    return _energy(state) + np.outer(means, means)


def _energy(state: FormState) -> np.ndarray:
    product = (_mass(state)[:, None] * tangent(state)).T @ state.slopes
    return -(product + product.T) / 2


def _mass(state: FormState) -> np.ndarray:
    """dμ_J = v dμ_Ω on the points, total mass one, (P,)."""
    return state.family.points.mass * state.density


#: The inner products in which flows are gradients, by name.
INNER_PRODUCTS: dict[str, Callable[[FormState], np.ndarray]] = {"mabuchi": mabuchi, "dirichlet": dirichlet}


def descent_system(state: FormState, functional: Density) -> tuple[np.ndarray, np.ndarray]:
    """The Gauss–Newton Hessian ∫F''(v)(δv)² dμ_Ω of E_F in the coefficients, and its gradient ∫F'(v) δv dμ_Ω."""
    mass, v = state.family.points.mass, state.density
    _, first, second = functional.evaluate(v)
    change = v[:, None] * state.slopes
    return (change * (mass * second)[:, None]).T @ change, (mass * first) @ change


def laplace_values(state: FormState) -> np.ndarray:
    """Ritz values of −Δ_∂ on the family, ascending, without the constant.

    They bound its eigenvalues on invariant functions from above, up to Monte-Carlo errors.
    """
    return pencil(_energy(state), mabuchi(state))[0][1:]


def pencil(form: np.ndarray, product: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and eigenvectors U (Uᵀ product U = 1) of a quadratic form in an inner product.

    Raises `UnderdeterminedError` where the points do not make the inner product positive.
    """
    try:
        values, vectors = eigh(form, product)
    except LinAlgError:
        least = float(np.linalg.eigvalsh(product)[0])
        raise UnderdeterminedError(
            f"the inner product of {len(product)} tangent vectors is not positive on the points (least eigenvalue "
            f"{least:.3g}): take more points or a lower degree"
        ) from None
    return values, vectors
