"""Optimal algebraic metrics (Headrick–Nassar): the least E_F over invariant Hermitian forms on O(k)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.report import FitReport, degree_text
from geomflow.fits.dense import STEPS, FormObjective, LevenbergMarquardt
from geomflow.fits.fit import carried_out
from geomflow.fits.general import STEPS as GENERAL_STEPS
from geomflow.fits.general import GeneralFit, likeness, require_general
from geomflow.fits.loss import EnergyLoss, Loss
from geomflow.variety.errors import KahlerConeError, UnderdeterminedError
from geomflow.variety.hermitian_form import HermitianForm
from geomflow.variety.measures import checked_volume
from geomflow.variety.orbits import InvariantForms, invariant_forms, reference
from geomflow.variety.sections import Sections, halved, line_bundle
from geomflow.variety.symmetry import Symmetry

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.metric import PolarisedMetric
    from geomflow.variety.points import Points

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
    work: float = 120.0,
    progress: bool | None = None,
    kahler_class: Sequence[float] | None = None,
) -> HermitianForm:
    """The metric K = (1/k) log P of least E_F = ∫F(v)dμ_Ω, P invariant under the symmetries of the variety.

    `degree` is k, or one degree for each factor, k t for a metric in the class t. With `kahler_class` t the bundle is
    O(k t) and the metric in that class; t = (1, …, 1), or primitive on the ray of the degrees, unless given.
    P runs over orbit sums of monomial pairs modulo Q, of the symmetries that keep the class: those that swap factors
    of different t_i do not. Levenberg–Marquardt with the exact derivative of log det g, warm-started from the same
    ray at about half the degree (or from `start`). Of the points as many are used as are needed: 20 for
    each parameter, at least 4,000. `metric.report` says how the fit went. Families of more than about 600 forms (1,600
    where symmetry leaves a small part of all forms) are fitted as all Hermitian forms on sections, matrix-free
    (`geomflow.fits.general`), with conjugate gradients for about `work` core-seconds: of 2·10¹⁰ operations, counted
    and not measured, so that the metric is the same on every machine.

    Raises `UnderdeterminedError` (fewer points than parameters), `KahlerConeError`, `MemoryLimitError`, and
    `InputError` where k t_i is no whole number. Warns (`VolumeWarning`) as `checked_volume` does.
    """
    degrees, level = line_bundle(variety, degree, kahler_class)
    symmetry = symmetry or variety.symmetry
    loss = EnergyLoss.of(functional)
    dense = _dense(variety, degrees, symmetry)
    if not dense:
        require_general(Sections(variety, degrees), points)
    smaller = halved(degrees)
    if start is None and smaller != degrees:
        options = {"functional": functional, "symmetry": symmetry, "work": work / 4, "progress": progress}
        start = algebraic_metric(variety, smaller, points, **options)
    if dense:
        forms = reduced_forms(variety, degrees, symmetry, points)
        metric = _fit_invariant(variety, forms, level, points, loss, start, progress)
    else:
        metric = _fit_all(Sections(variety, degrees), level, points, loss, start, work, progress)
    checked_volume(metric, points[: metric.report.points])
    return metric


def roughly_forms(variety: Hypersurface, degrees: tuple[int, ...], symmetry: Symmetry) -> float:
    """About how many invariant forms there are, without listing them: allowed pairs over the order of the group."""
    symmetry = symmetry.keeping(variety.ambient, degrees)
    sizes = np.bincount(symmetry.phase_classes(Sections(variety, degrees).exponents)).astype(float)
    return float(sizes @ sizes) / (len(symmetry.permutations) * (1 + symmetry.conjugation))


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
    objective = FormObjective(features, np.log(used.omega2), used.weights / used.weights.sum(), level, loss)
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
