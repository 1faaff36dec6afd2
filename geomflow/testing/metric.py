"""Whether a metric on a variety is Hermitian, positive, closed, the same in every patch, and that of its potential."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field import HermitianField
from geomflow.testing.law import Gap, LawError, lasting, require, smallest_failing
from geomflow.testing.simpler import simpler
from geomflow.variety import HermitianMetric, Points, PolarisedMetric, in_patch
from geomflow.variety.frames import transition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

STEP = 4e-3
"""Coordinates are moved by so much and by half of it."""

INSIDE = 0.05
"""A patch is looked at where its coordinate is at least so large."""

Fault = tuple[str, int, list[str]]
"""What is wrong, at which point, and evidence."""


def check_metric(
    metric: HermitianMetric | HermitianField | SearchStrategy[Any],
    points: Points | SearchStrategy[Points] | None = None,
    *,
    tolerance: float = 1e-6,
    examples: int = 10,
) -> None:
    """Check that a metric g_{ab̄} is Hermitian, positive and closed, ∂_c g_{ab̄} = ∂_a g_{cb̄}, and well-defined.

    On a variety also that it is the same in every patch, g = T g' T†; of a `PolarisedMetric` that it is ∂∂̄ of its
    potential, and that its jets are derivatives of g. Derivatives are differences of fourth order along the variety.

    Raises LawError, which says what fails, by how much, and at which one point.

    Parameters
    ----------
    metric : HermitianMetric, HermitianField or strategy of these
        g, on a variety or on the grid of a complex torus.
    points : Points or strategy of these, optional
        Where, on the metric's variety; drawn unless given.
    tolerance : float
        The largest relative gap.
    examples : int
        Sets of points, or metrics, that are drawn.

    Examples
    --------
    >>> import geomflow as gf
    >>> X = gf.Fermat(3)
    >>> check_metric(gf.FubiniStudy(X), X.sample(5, seed=1))
    """
    require(lambda g, count: _smallest(g, points, tolerance, count), metric, examples, few=3)


def _smallest(metric: Any, points: Any, tolerance: float, examples: int) -> LawError | None:
    """The error of a metric at one point, or on the simplest grid."""
    if isinstance(metric, HermitianField):
        on_grid = smallest_failing(lambda g: next(_faults_of(g, None, tolerance), None) is not None, metric, examples)
        return None if on_grid is None else _error(on_grid, None, tolerance)
    if points is None:
        from geomflow.testing.draw.varieties import points as drawn

        points = drawn(metric.variety)
    found = smallest_failing(lambda at: next(_faults_of(metric, at, tolerance), None) is not None, points, examples)
    return None if found is None else _error(metric, found, tolerance)


def _error(metric: Any, points: Any, tolerance: float) -> LawError:
    fault, place, lines = next(_faults_of(metric, points, tolerance))
    if points is None:
        return LawError(fault, lines, {"metric": metric})
    return LawError(fault, lines, {"metric": metric, "points": points[place]})


@simpler.register(Points)
def _fewer_points(points: Points) -> Iterator[Points]:
    """One point at a time."""
    return (points[place] for place in range(min(len(points), 16)))


@singledispatch
def _faults_of(metric: Any, points: Any, tolerance: float) -> Iterator[Fault]:
    """What is wrong with a metric at points."""
    raise InputError(f"a metric is a HermitianMetric on a variety, or a HermitianField on a grid, and a "
                     f"{type(metric).__name__} was given.")


@_faults_of.register(HermitianField)
def _on_a_grid(metric: HermitianField, points: Any, tolerance: float) -> Iterator[Fault]:
    flat = metric.values.reshape(-1, *metric.values.shape[-2:])
    yield from _pointwise(flat, tolerance)
    gap = lasting(lambda g: _torsion_gap(g, tolerance), metric)
    if gap is not None:
        yield ("the metric is not closed: ∂_c g_ab̄ and ∂_a g_cb̄ differ", 0,
               [f"the largest difference is {gap.size:.6g}"])


def _torsion_gap(metric: HermitianField, tolerance: float) -> Gap:
    """max |∂_c g_{ab̄} − ∂_a g_{cb̄}| on a grid."""
    grid, values = metric.grid, metric.values
    n = values.shape[-1]
    slopes = np.empty((*values.shape, n), complex)
    unit = np.eye(grid.dim, dtype=int)
    for a, b, c in np.ndindex(n, n, n):
        dx, dy = (sum(factor * grid.derivative(part, unit[2 * c + k]) for factor, part in (
            (1, values[..., a, b].real), (1j, values[..., a, b].imag))) for k in (0, 1))
        slopes[..., a, b, c] = (dx - 1j * dy) / 2
    gap = float(np.abs(slopes - np.swapaxes(slopes, -3, -1)).max())
    return Gap(gap, tolerance * max(float(np.abs(slopes).max()), 1e-6))


@_faults_of.register(HermitianMetric)
def _on_a_variety(metric: HermitianMetric, points: Points, tolerance: float) -> Iterator[Fault]:
    there = metric.in_chart(points)
    g = np.asarray(metric.at(there))
    n = points.variety.dim
    if g.shape != (len(points), n, n):
        yield f"the metric has shape {g.shape}, and must have {(len(points), n, n)}: (points, n, n)", 0, []
        return
    pointwise = list(_pointwise(g, tolerance))
    yield from pointwise
    if pointwise:
        return
    yield from _determinants(metric, there, g, tolerance)
    yield from _patches(metric, there, g, tolerance)
    slopes, error = _derivatives(metric.at, there)
    yield from _torsion(slopes, error, g, tolerance)
    if isinstance(metric, PolarisedMetric):
        yield from _potential(metric, there, g, tolerance)
        yield from _jets(metric, there, g, slopes, error, tolerance)


def _pointwise(g: np.ndarray, tolerance: float) -> Iterator[Fault]:
    size = np.abs(g).max(axis=(1, 2))
    place = int(np.argmax(~np.isfinite(size))) if not np.isfinite(size).all() else -1
    if place >= 0:
        yield "the metric is not finite", place, [f"g = {_matrix(g[place])}"]
        return
    gap = np.abs(g - np.swapaxes(g.conj(), 1, 2)).max(axis=(1, 2))
    place = int(np.argmax(gap / np.maximum(size, 1e-300)))
    if gap[place] > tolerance * size[place]:
        yield "the metric is not Hermitian: g_ab̄ and the conjugate of g_bā differ", place, [
            f"by {gap[place]:.6g}; g = {_matrix(g[place])}"]
        return
    least = np.linalg.eigvalsh(g)[:, 0]
    place = int(np.argmin(least / np.maximum(size, 1e-300)))
    if not least[place] > 0:
        yield f"the metric is not positive: it has the eigenvalue {least[place]:.6g}", place, [
            f"g = {_matrix(g[place])}"]


def _matrix(values: np.ndarray) -> str:
    return np.array2string(values, precision=4, suppress_small=True, separator=", ").replace("\n", "")


def _determinants(metric: HermitianMetric, points: Points, g: np.ndarray, tolerance: float) -> Iterator[Fault]:
    gap = np.abs(metric.log_determinant(points) - np.log(np.linalg.det(g).real))
    place = int(np.argmax(gap))
    if not gap[place] <= 10 * tolerance:
        yield "log_determinant is not that of the metric", place, [f"they differ by {gap[place]:.6g}"]


def _patches(metric: HermitianMetric, points: Points, g: np.ndarray, tolerance: float) -> Iterator[Fault]:
    """g against T g' T† in every patch, and with every other coordinate eliminated."""
    size = np.abs(g).max(axis=(1, 2))
    for words, rows, there in _other_charts(points):
        change = transition(points[rows], there)
        moved = change @ metric.at(there) @ np.swapaxes(change.conj(), 1, 2)
        gap = np.abs(moved - g[rows]).max(axis=(1, 2)) / size[rows]
        worst = int(np.argmax(gap))
        if gap[worst] > tolerance:
            yield f"the metric depends on the patch: g and T g' T† differ {words}", int(rows[worst]), [
                f"by {gap[worst]:.3g} of g"]
            return


def _other_charts(points: Points) -> Iterator[tuple[str, np.ndarray, Points]]:
    """The same points in other local coordinates, where these are no worse than they may be."""
    z, variety = points.coordinates, points.variety
    for factor, block in enumerate(variety.ambient.blocks):
        for chosen in range(block.start, block.stop):
            rows = np.flatnonzero((np.abs(z[:, chosen]) > INSIDE) & (points.patch[:, factor] != chosen))
            if len(rows):
                patch = points.patch[rows].copy()
                patch[:, factor] = chosen
                yield f"where z_{chosen} = 1", rows, in_patch(points[rows], patch)
    slope = np.abs(variety.polynomial.gradient(z)[1])
    np.put_along_axis(slope, points.patch, 0.0, axis=1)
    largest = slope.max(axis=1)
    for chosen in range(z.shape[1]):
        rows = np.flatnonzero((slope[:, chosen] > INSIDE * largest) & (points.elim != chosen))
        if len(rows):
            yield (f"where z_{chosen} is eliminated", rows,
                   in_patch(points[rows], points.patch[rows], np.full(len(rows), chosen)))


def along(points: Points, direction: Sequence[complex] | np.ndarray, shift: complex) -> Points:
    """The points moved in their local coordinates, back on the variety; patch and eliminated coordinate stay.

    Parameters
    ----------
    points : Points
        P of them.
    direction : (n,) array
        Of the local coordinates.
    shift : complex
        How far.
    """
    z, rows = points.coordinates.copy(), np.arange(len(points))
    for a, part in enumerate(direction):
        z[rows, points.good[:, a]] += shift * part
    for _ in range(6):
        value, slope = points.variety.polynomial.gradient(z)
        z[rows, points.elim] -= value / slope[rows, points.elim]
    return replace(points, coordinates=z)


def _derivatives(function: Callable[[Points], np.ndarray], points: Points) -> tuple[np.ndarray, np.ndarray]:
    """∂_c f at the points, the index c last, by differences of fourth order, and their errors, (P,)."""
    found = [[_holomorphic(function, points, a, step) for a in range(points.variety.dim)] for step in (STEP, STEP / 2)]
    wide, near = (np.stack(parts, axis=-1) for parts in found)
    gap = np.abs(wide - near)
    return near, gap.reshape(len(points), -1).max(axis=1)


def _holomorphic(function: Callable[[Points], np.ndarray], points: Points, a: int, step: float) -> np.ndarray:
    unit = np.eye(points.variety.dim)[a]
    parts = []
    for turn in (1, 1j):
        f = [function(along(points, unit, k * turn * step)) for k in (-2, -1, 1, 2)]
        parts.append((f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * step))
    return np.asarray((parts[0] - 1j * parts[1]) / 2)


def _torsion(slopes: np.ndarray, error: np.ndarray, g: np.ndarray, tolerance: float) -> Iterator[Fault]:
    gap = np.abs(slopes - np.swapaxes(slopes, 1, 3)).max(axis=(1, 2, 3))
    size = np.abs(slopes).max(axis=(1, 2, 3)) + np.abs(g).max(axis=(1, 2))
    place = int(np.argmax((gap - 10 * error) / size))
    if gap[place] > tolerance * size[place] + 10 * error[place]:
        _, a, b, c = np.unravel_index(int(np.argmax(np.abs(slopes - np.swapaxes(slopes, 1, 3))[place])),
                                      (1, *slopes.shape[1:]))
        yield "the metric is not closed: ∂_c g_ab̄ and ∂_a g_cb̄ differ", place, [
            f"∂_{c + 1} g_{a + 1}{b + 1} = {slopes[place, a, b, c]:.6g}, and ∂_{a + 1} g_{c + 1}{b + 1} = "
            f"{slopes[place, c, b, a]:.6g}"]


def _potential(metric: PolarisedMetric, points: Points, g: np.ndarray, tolerance: float) -> Iterator[Fault]:
    """v^a v̄^b g_{ab̄} against ∂_t∂_t̄ K(x + tv), for v along the coordinates and between them."""
    n = points.variety.dim
    unit = np.eye(n, dtype=complex)
    for a in range(n):
        for b in range(a, n):
            for turn in (1,) if a == b else (1, 1j):
                v = unit[a] if a == b else unit[a] + turn * unit[b]
                wide, near = (_laplacian(metric, points, v, step) for step in (4 * STEP, 2 * STEP))
                expected = np.einsum("a,pab,b->p", v, g, v.conj()).real
                gap, size = np.abs(near - expected), np.abs(g).max(axis=(1, 2)) + np.abs(near)
                allowed = tolerance * size + 10 * np.abs(wide - near)
                place = int(np.argmax(gap - allowed))
                if gap[place] > allowed[place]:
                    ratio = expected[place] / near[place]
                    yield f"the metric is not ∂∂̄ of its potential: it is {ratio:.6g} times that", place, [
                        f"along v = {np.array2string(v, precision=3)}: v v̄ g = {expected[place]:.6g}, and ∂∂̄K = "
                        f"{near[place]:.6g}"]
                    return


def _laplacian(metric: PolarisedMetric, points: Points, v: np.ndarray, step: float) -> np.ndarray:
    """∂_t∂_t̄ K(x + tv) = ¼(∂_x² + ∂_y²)K by differences of fourth order."""
    start = metric.potential(points)
    total = np.zeros(len(points))
    for turn in (1, 1j):
        f = [metric.potential(along(points, v, k * turn * step)) for k in (-2, -1, 1, 2)]
        total += (-f[0] + 16 * f[1] - 30 * start + 16 * f[2] - f[3]) / (12 * step**2)
    return total / 4


def _jets(metric: PolarisedMetric, points: Points, g: np.ndarray, slopes: np.ndarray, error: np.ndarray,
          tolerance: float) -> Iterator[Fault]:
    second, third, _ = metric.jets(points)
    size = np.abs(g).max(axis=(1, 2)) + np.abs(slopes).max(axis=(1, 2, 3))
    pairs = (("∂_a∂_b̄K", second, g, 0 * error), ("∂_a∂_c∂_b̄K", third, np.moveaxis(slopes, 3, 2), 10 * error))
    for words, found, expected, room in pairs:
        gap = np.abs(found - expected).reshape(len(points), -1).max(axis=1)
        place = int(np.argmax(gap - room))
        if gap[place] > tolerance * size[place] + room[place]:
            yield f"the metric's jets {words} are not its derivatives", place, [f"they differ by {gap[place]:.6g}"]
            return
