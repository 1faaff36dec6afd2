"""Families of Hermitian forms at points, and the gradient flows of E_F within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from sys import float_info
from typing import TYPE_CHECKING, Literal, final

import numpy as np
from scipy.linalg import solve_triangular

from geomflow.core.conventions import K_ENERGY_OVER_ENTROPY
from geomflow.core.errors import InputError, require_known
from geomflow.core.exact_numbers import fraction_of
from geomflow.core.hermitian import log_determinant
from geomflow.fits.algebraic import reduced_forms, require_points
from geomflow.fits.family import INNER_PRODUCTS, RESTRICTIONS, FormFamily, FormState, descent_system, pencil
from geomflow.fits.objective import Density
from geomflow.flow import SemiImplicit, Solution
from geomflow.flow.equations.calabi import CalabiFlow
from geomflow.flow.equations.kahler_ricci import KahlerRicciFlow
from geomflow.flow.problem import Array, Implicit, Problem, Violation
from geomflow.symbolic.parse import parse
from geomflow.variety import Hypersurface, Points, Symmetry, class_volume, scalar_curvature
from geomflow.variety.jets import log_metric
from geomflow.variety.orbits import reference
from geomflow.variety.sections import line_bundle

if TYPE_CHECKING:
    import sympy

K_ENERGY = f"{K_ENERGY_OVER_ENTROPY}*v*log(v)"
"""F of the K-energy."""


@final
@dataclass(frozen=True)
class FormFlow:
    """∂_t φ = −speed grad E_F projected on the family K = (1/k) log P: what `solve` integrates from a `FormState`.

    `functional` is F(v) of E_F = ∫F(v)dμ_Ω. In `inner` = "dirichlet", ∫⟨∂ψ, ∂ψ'⟩dμ_J, the gradient flow is
    ∂_t φ = F'(v) + c(t); in "mabuchi", ∫ψψ' dμ_J, it is ∂_t φ = −Δ_∂F'(v). The rate is projected orthogonally in the
    same inner product (Galerkin's method), so that E_F falls and the flow ends at the family's optimal metric.
    With λ the least eigenvalue of −Δ_∂ on the family, the late decay rates are speed F''(1)λ and speed F''(1)λ².

    >>> FormFlow.calabi()
    FormFlow(functional='2*v*log(v)', inner='mabuchi', speed=1)

    Monitors: "sigma"; "energy", E_F with ∫dμ_Ω = ∫dμ_J, whatever the speed, as on a torus; "dissipation", −d energy/dt;
    "volume", ∫dμ_J over its exact value; "positivity".
    Raises `InputError` where F is not convex at v = 1 or the speed is not positive, and `UnknownNameError` for another
    inner product. `solve(CalabiFlow(), state, t1)` and `KahlerRicciFlow` from a member of a family are these flows.

    Parameters
    ----------
    functional : str
        F(v) of E_F, convex at v = 1.
    inner : "dirichlet" or "mabuchi"
        The inner product in which the flow is a gradient.
    speed : float
        A positive factor of the rate.
    """

    functional: str
    inner: Literal["dirichlet", "mabuchi"]
    speed: float = 1

    def __post_init__(self) -> None:
        require_known("inner product", self.inner, INNER_PRODUCTS)
        if isinstance(self.speed, bool) or not (isinstance(self.speed, Real) and 0 < self.speed <= float_info.max):
            raise InputError(f"the speed is {self.speed!r}; it must be a positive number")
        Density.of(self.functional)

    @classmethod
    def kahler_ricci(cls, speed: float = 1) -> FormFlow:
        """Kähler–Ricci flow ∂_t φ = speed log v + c: rate speed λ. It descends half the K-energy, which it records.

        Parameters
        ----------
        speed : float
            A positive factor of the rate.
        """
        return cls(K_ENERGY, "dirichlet", speed / K_ENERGY_OVER_ENTROPY)

    @classmethod
    def calabi(cls) -> FormFlow:
        """Calabi flow ∂_t φ = R, eq. (B.9), the descent of the K-energy: rate 2λ²."""
        return cls(K_ENERGY, "mabuchi")

    @classmethod
    def square(cls) -> FormFlow:
        """∂_t φ = −2Δ_∂v, eq. (B.21): rate 2λ²."""
        return cls("(v - 1)^2", "mabuchi")

    @property
    def name(self) -> str:
        """"form-dirichlet" or "form-mabuchi"."""
        return f"form-{self.inner}"

    @property
    def equation(self) -> sympy.Eq:
        """The flow that is projected."""
        import sympy

        from geomflow.symbolic.variation.display import LAPLACIAN_D

        t, v = sympy.Symbol("t"), sympy.Symbol("v", positive=True)
        slope = sympy.Rational(fraction_of(self.speed)) * sympy.diff(parse(self.functional, {"v": v}), v)
        rate = slope + sympy.Function("c")(t) if self.inner == "dirichlet" else -LAPLACIAN_D(slope)
        return sympy.Eq(sympy.Derivative(sympy.Function("phi")(t), t), rate, evaluate=False)

    def bind(self, state: FormState) -> Problem:
        """The initial value problem of the coefficients. Raises `InputError` for a state of another kind.

        Parameters
        ----------
        state : FormState
            Where the flow starts.
        """
        if not isinstance(state, FormState):
            raise InputError(
                f"{self.name} acts on members of a family of forms, form_family(X, degree, points).state(), and "
                f"{type(state).__name__} was given."
            )
        return _bind(self, state)

    def default_stepper(self, problem: Problem) -> SemiImplicit:
        """Linearly implicit steps with the Gauss–Newton linearisation.

        Parameters
        ----------
        problem : Problem
            From `bind`.
        """
        return SemiImplicit()

    def decay_rates(self, state: FormState) -> np.ndarray:
        """The rates, ascending, at which small deviations decay near `state`: of the pencil (F''|Δψ|², inner).

        Parameters
        ----------
        state : FormState
            Near which deviations decay.
        """
        hessian, _ = descent_system(state, Density.of(self.functional))
        return self.speed * pencil(hessian, INNER_PRODUCTS[self.inner](state))[0][1:]

    def __str__(self) -> str:
        import sympy

        return f"{self.name}: {sympy.sstr(self.equation.lhs)} = {sympy.sstr(self.equation.rhs)}"


def form_family(
    variety: Hypersurface,
    degree: int | Sequence[int],
    points: Points,
    *,
    symmetry: Symmetry | None = None,
    kahler_class: Sequence[float] | None = None,
) -> FormFamily:
    """The family of invariant forms on O(k) modulo Q, with integrals over all the points.

    Inner products are Monte-Carlo integrals: 4,000 points give rates to about a per cent.

    >>> import geomflow.variety as gv
    >>> X = gv.Fermat(4)
    >>> form_family(X, 4, X.sample(4000, seed=1))
    5 invariant Hermitian forms of level 4 at 4000 points

    Raises `UnderdeterminedError` (fewer points than coefficients), `MemoryLimitError`, and `InputError` where k t_i is
    no whole number.

    Parameters
    ----------
    variety : Hypersurface
        Where the metrics live.
    degree : int or sequence of int
        As for `algebraic_metric`.
    points : Points
        All are used.
    symmetry : Symmetry, optional
        As for `algebraic_metric`.
    kahler_class : sequence of float, optional
        As for `algebraic_metric`.
    """
    degrees, level = line_bundle(variety, degree, kahler_class)
    forms = reduced_forms(variety, degrees, symmetry or variety.symmetry, points)
    require_points(forms, points)
    features = forms.features(points) / reference(forms, points)[:, None, None]
    root = np.sqrt(points.mass)
    triangle = np.asarray(np.linalg.qr(root[:, None] * features[:, 0], mode="r"))
    whole = solve_triangular(triangle, features.reshape(-1, forms.count).T, trans="T").T
    orthonormal = np.ascontiguousarray(whole.reshape(features.shape))
    return FormFamily(variety, forms, points, orthonormal, triangle, level)


def decay_rate(solution: Solution[FormState], between: tuple[float, float] = (1e-8, 1e-5)) -> float:
    """The late rate of decay: half the slope of −log "dissipation", where that is `between` these shares of the first.

    Give `solve` an rtol well below the root of the smaller share. Raises `InputError` where the run stops before.

    Parameters
    ----------
    solution : Solution
        Of a `FormFlow`.
    between : (float, float)
        Shares of the first dissipation, in any order of size below one.
    """
    share = solution["dissipation"] / solution["dissipation"][0]
    kept = (share > between[0]) & (share < between[1])
    if np.count_nonzero(kept) < 3 or share.min() > between[0]:
        raise InputError(
            f"the dissipation fell to {share.min():.3g} of its first value, with {np.count_nonzero(kept)} steps "
            f"between {between[1]:g} and {between[0]:g} of it: take a later t1"
        )
    return -float(np.polyfit(solution.monitor_times[kept], np.log(share[kept]), 1)[0]) / 2


def _kahler_ricci(flow: KahlerRicciFlow) -> FormFlow:
    if flow.density is not None:
        raise InputError("on a Calabi–Yau variety the flow runs towards |Ω|²: leave out the density.")
    return FormFlow.kahler_ricci(flow.speed)


RESTRICTIONS[CalabiFlow] = lambda flow: FormFlow.calabi()
RESTRICTIONS[KahlerRicciFlow] = _kahler_ricci


_CURVED = 200


def _bind(flow: FormFlow, state: FormState) -> Problem:
    """The initial value problem of the coefficients c_α, packed as (1, count)."""
    bound = _Bound(flow, state, Density.of(flow.functional))
    return Problem(
        y0=state.pack(),
        rate=bound.rate,
        unpack=state.unpack,
        stiff_order=2 if flow.inner == "dirichlet" else 4,
        spectral_radius=bound.spectral_radius,
        implicit=_Linearised(bound),
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
class _Bound:
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
            "energy": mass * float(state.family.points.mass @ self.functional.evaluate(state.density)[0]),
            "dissipation": mass * float(slope @ slope) / self.flow.speed,
            "volume": volume,
            "positivity": float(state.positivity.min()),
        }


@dataclass(eq=False)
class _Linearised(Implicit):
    """L = −speed G⁻¹H at the state where a step begins: the linearised rate near the optimal metric."""

    bound: _Bound
    _bands: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    def prepare(self, t: float, y: Array) -> None:
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
