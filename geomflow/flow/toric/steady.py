"""Kähler–Einstein metrics, solitons and extremal metrics of toric surfaces, by Gauss–Newton with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.toric.grid import ToricGrid, make_grid
from geomflow.field.toric.quadrature import alone, inner_rule
from geomflow.field.toric.state import ToricState
from geomflow.flow.toric.equations import Abreu, Logarithmic
from geomflow.flow.toric.found import ToricMetric
from geomflow.symbolic.toric import Toric
from geomflow.symbolic.toric.integrals import extremal_affine

STEPS = 60
"""Of Newton's method, at most: it doubles the digits of each step near a solution."""

HALVINGS = 30
DIGITS = 1e-13
"""A step that changes h by less of its size is the last: rounding."""

DRIFT_ORDER = 24
"""Places of the rules with which drifts are found: exponentials are resolved to rounding."""


def einstein(toric: Toric, degree: int) -> ToricMetric:
    """`toric.einstein(degree)`."""
    grid = make_grid(toric, degree, True)
    require_multiple(toric)
    if any(toric.futaki):
        raise InputError(f"there is no Kähler–Einstein metric: Futaki's invariant is ({toric.futaki[0]}, "
                         f"{toric.futaki[1]}), and it vanishes where there is one (Futaki 1983). Take .soliton(degree) "
                         "for the Kähler–Ricci soliton, or .extremal(degree).")
    return _logarithmic("einstein", grid, (0.0, 0.0))


def soliton(toric: Toric, degree: int) -> ToricMetric:
    """`toric.soliton(degree)`."""
    grid = make_grid(toric, degree, True)
    require_multiple(toric)
    return _logarithmic("soliton", grid, soliton_drift(toric))


def extremal(toric: Toric, degree: int) -> ToricMetric:
    """`toric.extremal(degree)`."""
    grid = make_grid(toric, degree, True)
    if toric.stability.cut is not None:
        raise InputError(f"there is no extremal metric: the surface is {toric.stability} (Donaldson 2002). Take "
                         "another class or polygon; CalabiFlow() runs on this one, and diverges.")
    equation = Abreu(grid)
    h, steps = minimised(equation)
    state = ToricState(grid, h[None])
    wanted = extremal_affine(toric.polygon)
    affine = 2 * (grid.fine @ np.array([wanted.a, wanted.b], dtype=float) + float(wanted.c))
    return ToricMetric("extremal", state, (0.0, 0.0), float(np.abs(state.scalar(grid.fine) - affine).max()), steps)


def require_multiple(toric: Toric) -> None:
    """Raise InputError unless the class is a positive multiple of c₁."""
    if toric.einstein_constant is None:
        positive = all(number > -2 for number in toric.self_intersections)
        why = ("give equal constants, Toric(polygon, constants=[1, 1, ...])." if positive else
               f"c₁ is not positive, for a curve of self-intersection {min(toric.self_intersections)} is in the "
               "surface. Take .extremal(degree).")
        raise InputError("the class is no multiple of c₁, so that neither a Kähler–Einstein metric nor a soliton is in "
                         f"it: {why}")


def equation_of(grid: ToricGrid, drift: tuple[float, float] = (0.0, 0.0)) -> Logarithmic:
    """The equation of metrics in a multiple of c₁."""
    found = grid.toric.polygon.equidistant
    assert found is not None
    (first, second), distance = found
    return Logarithmic(grid, float(1 / distance), (float(first), float(second)), drift)


def soliton_drift(toric: Toric) -> tuple[float, float]:
    """c with ∫(x − x₀)e^{⟨c, x⟩}dx = 0, the minimum of a convex function (Wang and Zhu 2004)."""
    found = toric.polygon.equidistant
    assert found is not None
    rule = inner_rule(toric.polygon, alone(toric.polygon), DRIFT_ORDER)
    away, drift = rule.points - np.array(found[0], dtype=float), np.zeros(2)
    if not any(toric.futaki):
        return 0.0, 0.0
    for _ in range(STEPS):
        weights = rule.weights * np.exp(away @ drift)
        weights /= weights.sum()
        mean = weights @ away
        spread = away.T @ (weights[:, None] * away) - np.outer(mean, mean)
        step = np.linalg.solve(spread, -mean)
        drift = drift + step / max(1.0, float(np.sqrt(step @ spread @ step)))
        if np.abs(step).max() < DIGITS:
            break
    return float(drift[0]), float(drift[1])


def _logarithmic(kind: str, grid: ToricGrid, drift: tuple[float, float]) -> ToricMetric:
    """By least squares over the places of the rule, which crowd at the boundary, where polynomials err most."""
    equation = equation_of(grid, drift)

    def misfit(h: np.ndarray) -> np.ndarray:
        values = equation.values(h, equation.own)
        return np.asarray(values - values.mean())

    def step(h: np.ndarray) -> np.ndarray:
        slopes = equation.slopes(h, equation.own)
        return np.asarray(np.linalg.lstsq(slopes - slopes.mean(axis=0), -misfit(h), rcond=None)[0])

    h, steps = _descended(np.zeros(grid.size), step, lambda h: float(np.linalg.norm(misfit(h))), kind)
    error = equation.values(h, equation.fine) - equation.values(h, equation.own).mean()
    return ToricMetric(kind, ToricState(grid, h[None]), drift, float(np.abs(error).max()), steps)


def minimised(equation: Abreu) -> tuple[np.ndarray, int]:
    """The minimum of the K-energy, by Newton."""
    from scipy.linalg import cho_factor, cho_solve

    def step(h: np.ndarray) -> np.ndarray:
        return np.asarray(cho_solve(cho_factor(-equation.slopes(h)), equation.values(h)))

    return _descended(np.zeros(equation.grid.size), step, equation.energy, "extremal")


def _descended(h: np.ndarray, step: Callable[[np.ndarray], np.ndarray], size: Callable[[np.ndarray], float],
               kind: str) -> tuple[np.ndarray, int]:
    """Newton's steps, halved until the size falls; when it is flat to rounding, in full while each is half the last.

    Raises InputError where they fail.
    """
    last = np.inf
    for count in range(1, STEPS + 1):
        change = step(h)
        length = float(np.linalg.norm(change)) / max(1.0, float(np.linalg.norm(h)))
        near = length <= DIGITS**0.5
        if near and length > last / 2:
            return h, count
        share = 1.0 if near else _falling_share(h, change, size)
        if share == 0.0:
            break
        h, last = h + share * change, length
        if length <= DIGITS:
            return h, count
    raise InputError(f"Newton's method has not found the {kind} metric in {STEPS} steps: the degree is too small, or "
                     "the polygon nearly unstable. Take a higher degree.")


def _falling_share(h: np.ndarray, change: np.ndarray, size: Callable[[np.ndarray], float]) -> float:
    """The first of 1, 1/2, 1/4, ... of a step after which the size is less; 0 where there is none."""
    now = size(h)
    return next((2.0**-k for k in range(HALVINGS) if size(h + change / 2**k) < now), 0.0)
