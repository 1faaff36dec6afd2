"""Optimal algebraic metrics (Headrick–Nassar): the least E_F over invariant Hermitian forms on O(k)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, final

import numpy as np
from scipy.linalg import qr

from geomflow.core.errors import NotFiniteError
from geomflow.core.hermitian import multiplicity, pack, unpack
from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.core.report import FitReport, degree_text
from geomflow.fits.fit import Fit, FitState, Last, carried_out
from geomflow.fits.general import STEPS as GENERAL_STEPS
from geomflow.fits.general import GeneralFit, likeness, require_general
from geomflow.fits.objective import EnergyLoss, Evaluation, Loss, Objective
from geomflow.variety import HermitianForm, Hypersurface, Points, PolarisedMetric, Symmetry, checked_volume
from geomflow.variety.errors import KahlerConeError, UnderdeterminedError
from geomflow.variety.jets import log_volume, sensitivity
from geomflow.variety.orbits import InvariantForms, invariant_forms, reference, roughly_forms
from geomflow.variety.sections import Sections, halved, line_bundle

#: Steps that are enough.
STEPS = 40
_CUTOFF = 1e-14
_TRIES = 12


@final
@dataclass(frozen=True, eq=False)
class FormObjective(Objective):
    """E_F of K = (1/level) log P, P linear in the coefficients; evaluations hold its Gram matrices.

    Parameters
    ----------
    features : (P, rows², count) array
        Packed Gram matrices of the functions.
    log_omega2 : (P,) array
        log |Ω|².
    weights : (P,) array
        Those of dμ_Ω, of sum one.
    level : int
        k.
    loss : Loss
        F.
    """

    features: np.ndarray
    log_omega2: np.ndarray
    weights: np.ndarray
    level: int
    loss: Loss

    def gram(self, coefficients: np.ndarray) -> np.ndarray:
        """(P, n+1, n+1)."""
        return unpack(self.features @ coefficients)

    def evaluate(self, coefficients: np.ndarray) -> Evaluation:
        """v, E_F and σ."""
        gram = self.gram(coefficients)
        return self.seen_in_logarithms(log_volume(gram, self.level) - self.log_omega2, gram)

    def slopes(self, evaluation: Evaluation) -> np.ndarray:
        """∂ log v by the coefficients, of mean zero against v, (P, count)."""
        dual = pack(sensitivity(evaluation.at)) * multiplicity(evaluation.at.shape[-1])
        slopes = np.matmul(dual[:, None, :], self.features)[:, 0]
        return slopes - (self.weights * evaluation.v) @ slopes

    def rows(self, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
        """J = √(wF'') ∂v and r with E_F ≈ const + ½ |J δ + r|²."""
        scale, residual = self.residual(evaluation)
        return (scale * evaluation.v)[:, None] * self.slopes(evaluation), residual


@final
@dataclass(frozen=True, eq=False)
class LevenbergMarquardt(Fit):
    """Damped least-squares steps to the coefficients of least E_F, from `first`.

    Ends where a step gains less than `tolerance` of E_F. Raises `KahlerConeError` where the start is not positive, or
    where no step stays positive.

    Parameters
    ----------
    objective : FormObjective
        E_F on the points.
    first : (count,) array
        The coefficients to start at.
    tolerance : float
        The gain of E_F, relative to it, below which the fit ends.
    """

    objective: FormObjective
    first: np.ndarray
    tolerance: float = 1e-3

    name: ClassVar[str] = "levenberg-marquardt"

    @cached_property
    def _evaluate(self) -> Last:
        return Last(self.objective.evaluate)

    def start(self) -> FitState:
        """Undamped at first."""
        if not self._evaluate(self.first).least > 0:
            raise KahlerConeError("the fit starts outside the Kähler cone: P or g is not positive at some fitted point")
        return FitState.of(coefficients=self.first, damping=0.0, before=np.inf)

    def step(self, state: FitState) -> FitState | Outcome:
        """The first damped step that lowers E_F inside the cone."""
        here, damping = state["coefficients"], state.number("damping")
        evaluation = self._evaluate(here)
        if len(here) == 1:  # a single form has only its scale, which changes nothing
            return Outcome(OutcomeKind.steady, "there is but one form.", 0.0)
        if evaluation.energy > (1 - self.tolerance) * state.number("before"):
            return Outcome(OutcomeKind.steady, f"the last step gained less than {self.tolerance:g} of E_F.", 0.0)
        system, inside = _Step.of(*self.objective.rows(evaluation)), False
        for _ in range(_TRIES):
            tried = here + system.solve(damping)
            found = self.objective.evaluate(tried)
            inside = inside or found.least > 0
            if found.energy < evaluation.energy:
                self._evaluate.put(tried, found)
                damping = damping / 100 if damping > 1e-12 else 0.0
                return state.moved(coefficients=tried, damping=damping, before=evaluation.energy)
            damping = max(30 * damping, 1e-10)
        if not inside:
            raise KahlerConeError(
                f"the fit leaves the Kähler cone: {_TRIES} damped steps from E_F = {evaluation.energy:.3g} all make P "
                f"or g not positive at one of the {len(evaluation.v)} fitted points; take more points or a lower degree"
            )
        return Outcome(OutcomeKind.steady, f"no step lowers E_F = {evaluation.energy:.3g}.", 0.0)

    def numbers(self, state: FitState) -> Mapping[str, float]:
        """E_F and σ on the fitted points."""
        evaluation = self._evaluate(state["coefficients"])
        return {"energy": evaluation.energy, "sigma": evaluation.sigma}


@dataclass(frozen=True)
class _Step:
    """The damped least-squares step through one SVD: δ = −V s/(s² + λ s_0²) Uᵀ r, columns scaled to one."""

    scale: np.ndarray
    singular: np.ndarray
    right: np.ndarray
    projected: np.ndarray

    @classmethod
    def of(cls, jacobian: np.ndarray, value: np.ndarray) -> _Step:
        scale = np.linalg.norm(jacobian, axis=0)
        scale[scale == 0] = 1
        if not np.isfinite(scale).all():
            raise NotFiniteError("the functional grows beyond double precision at the fitted points: choose one that "
                                 "grows more slowly away from v = 1")
        orthogonal, triangle = qr(jacobian / scale, mode="economic", check_finite=False)
        left, singular, right = np.linalg.svd(triangle)
        return cls(scale, singular, right, left.T @ (orthogonal.T @ value))

    def solve(self, damping: float) -> np.ndarray:
        kept = self.singular > _CUTOFF * self.singular[0]
        factor = np.where(kept, self.singular / (self.singular**2 + damping * self.singular[0] ** 2 + ~kept), 0.0)
        return -(self.right.T @ (factor * self.projected)) / self.scale


#: Core-seconds of work that conjugate gradients may take unless told otherwise.
WORK = 120.0
_FEWEST = 4000
_PER_PARAMETER = 20
_MOST_DENSE = 600
_MOST_INVARIANT = 1600


def algebraic_metric(
    variety: Hypersurface,
    degree: int | Sequence[int],
    points: Points,
    *,
    functional: str = "(v - 1)^2",
    symmetry: Symmetry | None = None,
    start: PolarisedMetric | None = None,
    work: float = WORK,
    progress: bool | None = None,
    kahler_class: Sequence[float] | None = None,
) -> HermitianForm:
    """The metric K = (1/k) log P of least E_F = ∫F(v)dμ_Ω, P invariant under the symmetries of the variety.

    P runs over orbit sums of monomial pairs modulo Q, of the symmetries that keep the class: those that swap factors
    of different t_i do not. Levenberg–Marquardt with the exact derivative of log det g, warm-started from the same
    ray at about half the degree (or from `start`). Of the points as many are used as are needed: 20 for
    each parameter, at least 4,000. `metric.report` says how the fit went. Families of more than about 600 forms (1,600
    where symmetry leaves a small part of all forms) are fitted as all Hermitian forms on sections, matrix-free
    (`geomflow.fits.general`), with conjugate gradients for about `work` core-seconds: of 2·10¹⁰ operations, counted
    and not measured, so that the metric is the same on every machine.

    Raises `UnderdeterminedError` (fewer points than parameters), `KahlerConeError`, `MemoryLimitError`, and
    `InputError` where k t_i is no whole number. Warns (`VolumeWarning`) as `checked_volume` does.

    Parameters
    ----------
    variety : Hypersurface
        Where the metric lives.
    degree : int or sequence of int
        k, or one degree k t_i for each factor: the bundle is O(k t).
    points : Points
        Those to fit on; as many are used as are needed.
    functional : str
        F(v), convex at v = 1.
    symmetry : Symmetry, optional
        The group under which P is invariant; the variety's unless given.
    start : PolarisedMetric, optional
        Where to start; the metric of about half the degree unless given.
    work : float
        Core-seconds for conjugate gradients, of 2·10¹⁰ counted operations each.
    progress : bool or None
        Whether a bar is shown; None for only on a terminal.
    kahler_class : sequence of float, optional
        t; (1, …, 1), or primitive on the ray of the degrees, unless given.
    """
    degrees, level = line_bundle(variety, degree, kahler_class)
    symmetry = symmetry or variety.symmetry
    loss = EnergyLoss.of(functional)
    dense = _dense(variety, degrees, symmetry)
    if not dense:
        require_general(Sections(variety, degrees), points)
    smaller = halved(degrees)
    if start is None and smaller != degrees:
        start = algebraic_metric(variety, smaller, points, functional=functional, symmetry=symmetry, work=work / 4,
                                 progress=progress)
    if dense:
        forms = reduced_forms(variety, degrees, symmetry, points)
        metric = _fit_invariant(variety, forms, level, points, loss, start, progress)
    else:
        metric = _fit_all(Sections(variety, degrees), level, points, loss, start, work, progress)
    assert metric.report is not None
    checked_volume(metric, points[: metric.report.points])
    return metric


def _dense(variety: Hypersurface, degrees: tuple[int, ...], symmetry: Symmetry) -> bool:
    """Whether the invariant forms are fitted with a dense Jacobian."""
    count = roughly_forms(variety, degrees, symmetry)
    small = 4 * count < Sections(variety, degrees).count ** 2
    return count <= (_MOST_INVARIANT if small else _MOST_DENSE)


def _fit_all(
    sections: Sections,
    level: int,
    points: Points,
    loss: Loss,
    start: PolarisedMetric | None,
    work: float,
    progress: bool | None,
) -> HermitianForm:
    """The matrix-free fit over all forms on sections."""
    fit = GeneralFit.of(sections, points, loss, start, work)
    solution = carried_out(fit, GENERAL_STEPS, progress)
    report = FitReport.of(
        solution, ("step", "sigma", "energy", "work"), method=f"degree {degree_text(sections.degrees)}, Gauss–Newton",
        loss=loss.text, parameters=sections.count**2, points=len(fit.objective.weights),
        settings={"degree": sections.degrees},
    )
    return HermitianForm(sections.variety, sections.exponents, solution.last["form"], level, report)


def reduced_forms(
    variety: Hypersurface, degrees: tuple[int, ...], symmetry: Symmetry, points: Points
) -> InvariantForms:
    """A basis modulo Q of the invariant forms; `UnderdeterminedError` where the points cannot tell them apart."""
    forms = invariant_forms(variety, degrees, symmetry)
    probes = points[: 2 * forms.count + 50]
    if len(probes) < forms.count:
        forms_text = f"degree {degrees} has {forms.count} invariant forms (before reduction modulo Q)"
        raise UnderdeterminedError(
            f"{forms_text}, and there are {len(points)} points: the fit is under-determined; "
            f"take at least {_PER_PARAMETER * forms.count} points or a lower degree"
        )
    return forms.independent(probes)


def _fit_invariant(
    variety: Hypersurface,
    forms: InvariantForms,
    level: int,
    points: Points,
    loss: Loss,
    start: PolarisedMetric | None,
    progress: bool | None,
) -> HermitianForm:
    """The best coefficients for given forms."""
    require_points(forms, points)
    used = points[: max(_FEWEST, _PER_PARAMETER * forms.count)]
    degrees = tuple(int(forms.exponents[0, b].sum()) for b in variety.ambient.blocks)
    features = forms.features(used)
    features /= reference(forms, used)[:, None, None]
    objective = FormObjective(features, np.log(used.omega2), used.mass, level, loss)
    first = project(features[:, 0], start, used, degrees)
    solution = carried_out(LevenbergMarquardt(objective, first), STEPS, progress)
    best = solution.last["coefficients"]
    report = FitReport.of(
        solution, ("step", "sigma", "energy"), method=f"degree {degree_text(degrees)}, Levenberg–Marquardt",
        loss=loss.text, parameters=forms.count, points=len(used), settings={"degree": degrees},
    )
    return HermitianForm(variety, forms.exponents, forms.matrix(best / np.abs(best).max()), level, report)


def require_points(forms: InvariantForms, points: Points) -> None:
    """Raise `UnderdeterminedError` where there are no more points than coefficients."""
    if len(points) <= forms.count:
        raise UnderdeterminedError(
            f"{forms.count} parameters and {len(points)} points: the fit is under-determined; "
            f"take at least {_PER_PARAMETER * forms.count} points or a lower degree"
        )


def project(
    values: np.ndarray, start: PolarisedMetric | None, points: Points, degrees: tuple[int, ...]
) -> np.ndarray:
    """The coefficients whose P/Π|z_i|^{2d_i}, with values (P, α), is nearest to the `likeness` of `start`."""
    with np.errstate(invalid="ignore"):
        target = likeness(start, points, degrees)
    if not np.all(np.isfinite(target)):
        bad = np.count_nonzero(~np.isfinite(target))
        raise KahlerConeError(
            f"the fit starts outside the Kähler cone: its start is not positive at {bad} of {len(points)} points"
        )
    return np.linalg.lstsq(values, target, rcond=1e-14)[0]
