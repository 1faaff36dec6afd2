"""Donaldson's balanced metrics by the T-operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError
from geomflow.variety.algebraic import FitReport
from geomflow.variety.density import sigma
from geomflow.variety.errors import UnderdeterminedError
from geomflow.variety.hermitian_form import HermitianForm
from geomflow.variety.levels import level_of, whole_degrees
from geomflow.variety.progress import counter
from geomflow.variety.sections import Sections
from geomflow.variety.threads import slices

if TYPE_CHECKING:
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.points import Points


def balanced_metric(
    variety: Hypersurface,
    degree: int | Sequence[int],
    points: Points,
    *,
    symmetric: bool = True,
    tolerance: float = 1e-6,
    steps: int = 60,
    progress: bool | None = None,
) -> HermitianForm:
    """The ν-balanced metric of O(k), ν = dμ_Ω: the fixed point h = T(h)⁻¹ of T(h)_mn = (N_k/Vol) ∫ s̄_m s_n / P dμ_Ω.

    P = Σ h_mn s_m s̄_n. With `symmetric`, T is averaged over the variety's symmetries, exactly: phases by blocks,
    permutations by their action on sections, conjugation by the real part; far fewer points then suffice.
    On few points σ is unbiased but scatters, for T moves it in first order: on the Fermat quintic at k = 6 by 8 % on
    3,000 points, 1 % on 20,000; at k = 8 by 17 % and 3 %. Converged values there are 0.3732, 0.2723, 0.1933, 0.1303,
    0.0909, 0.0663, 0.0507, 0.0397 for k = 1…8, that is 3.0/k² − 3.8/k³ from k = 4 on.
    Iterates until log P changes by less than `tolerance` (relative to its spread), at most `steps` times.
    Raises `UnderdeterminedError` where T is singular: fewer points than sections.
    """
    degrees = whole_degrees(variety, degree)
    sections = Sections(variety, degrees)
    if len(points) < 2 * sections.count:
        raise UnderdeterminedError(
            f"O({', '.join(map(str, degrees))}) has {sections.count} sections and there are {len(points)} points: the "
            f"T-operator is singular; take at least {20 * sections.count} points"
        )
    if not tolerance > 0 or steps < 1:
        raise InputError(f"tolerance {tolerance} and steps {steps} must be positive")
    values = _grouped(sections, points, symmetric)
    mass = points.weights / points.weights.sum() * sections.count
    average = _averager(sections) if symmetric else _hermitian
    form = np.eye(sections.count, dtype=complex)
    density = np.ones(len(points))
    changes = []
    with counter(f"balanced {degrees}", progress) as tick:
        for _ in range(steps):
            form = np.linalg.inv(average(_moments(values, mass / density)))
            new = _density(values, form)
            changes.append(float(np.ptp(np.log(new / density))))
            tick(changes[-1])
            density = new
            if changes[-1] < tolerance:
                break
    level = level_of(degrees)
    metric = HermitianForm(variety, sections.exponents, form, level)
    used = points[:4000]
    report = FitReport(degrees, sections.count**2, len(points), float(sigma(metric, used)), tuple(changes))
    return HermitianForm(variety, sections.exponents, form, level, report)


Groups = list[tuple[np.ndarray, np.ndarray]]


def _grouped(sections: Sections, points: Points, symmetric: bool) -> Groups:
    """Pairs (numbers of sections, their values): one for each character of the phases, or one of all sections.

    T and h have no entries between different characters.
    """
    values = sections.values(points)
    if not symmetric:
        return [(np.arange(sections.count), values)]
    classes = sections.variety.symmetry.phase_classes(sections.exponents)
    members = (np.flatnonzero(classes == c) for c in range(classes.max() + 1))
    return [(chosen, np.ascontiguousarray(values[:, chosen])) for chosen in members]


def _moments(groups: Groups, mass: np.ndarray) -> np.ndarray:
    """Σ_p mass_p s̄_m s_n, (count, count)."""
    count = sum(len(chosen) for chosen, _ in groups)
    total = np.zeros((count, count), complex)
    for chosen, values in groups:
        parts = (values[s].conj().T @ (mass[s, None] * values[s]) for s in slices(len(values), 4096))
        total[np.ix_(chosen, chosen)] = sum(parts)
    return total


def _density(groups: Groups, form: np.ndarray) -> np.ndarray:
    """P at the points."""
    total = np.zeros(len(groups[0][1]))
    for chosen, values in groups:
        block = form[np.ix_(chosen, chosen)]
        for s in slices(len(values), 4096):
            total[s] += np.sum((values[s] @ block) * values[s].conj(), axis=1).real
    return total


def _hermitian(moments: np.ndarray) -> np.ndarray:
    return (moments + moments.conj().T) / 2


def _averager(sections: Sections) -> Callable[[np.ndarray], np.ndarray]:
    """The mean of T over the symmetry group."""
    symmetry = sections.variety.symmetry
    actions = sections.actions()

    def average(moments: np.ndarray) -> np.ndarray:
        blocks = _hermitian(moments)
        total = sum(r.conj().T @ (r.T @ blocks.T).T for r in actions) / len(actions)
        return total.real + 0j if symmetry.conjugation else _hermitian(total)

    return average
