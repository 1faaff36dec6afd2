"""Points on a hypersurface: on random lines (Shiffman–Zelditch), in one patch, given, or moved by noise.

Lines are drawn in coordinates z = s·y too in which the polynomial's coefficients are of one size."""

from __future__ import annotations

from dataclasses import replace
from math import lgamma
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.core.memory import require
from geomflow.core.numbers import require_unmasked, whole
from geomflow.core.threads import slices
from geomflow.distribute import as_workers
from geomflow.variety.errors import OffVarietyError
from geomflow.variety.estimate import line_sums, warn_if_few
from geomflow.variety.points import Points, concatenate
from geomflow.variety.routines.lines import POLISH, meet, settle_all

if TYPE_CHECKING:
    from geomflow.variety.ambient import Ambient
    from geomflow.variety.hypersurface import Hypersurface
    from geomflow.variety.polynomial import Polynomial


_LINES = 1024
#: Tasks, at most, that the blocks of lines are dealt to.
_TASKS = 64


def sample(variety: Hypersurface, n: int, seed: int = 0, workers: Any = None) -> Points:
    """`n` points distributed by the Fubini–Study volume of the embedding, with weights for Ω∧Ω̄.

    A line through two random points of P^{n+1} meets the hypersurface in its degree many points, which are
    distributed by ω_FS^n. In a product, a line in factor j and a random point of every other factor give
    ω_j^{n_j−1} Π_{i≠j} ω_i^{n_i}; drawing factor j in proportion to n_j makes the sum exactly (Σ ω_i)^n. Hence
    weights w = |Ω|² / density are Vol_FS / |∂Q|² at unit norm, and their mean estimates ∫|Ω|² d^{2n}x. The points of a
    line are correlated: each knows its `line`, by which all errors are estimated.

    Where coefficients are of many sizes, few such points carry most of Ω. Then one line of every two is drawn in
    coordinates y = z/s in which they are of one size (`variety.scales`), and the density is the mean of both kinds:
    neither weights nor Fubini–Study volumes vary by more than twice what they do in the better coordinates. The two
    lines count as one in `line`.

    Blocks of lines have their own random stream: the first points do not depend on `n`, nor anything on the threads
    or the `workers` (see `geomflow.distribute.as_workers`).
    Warns (`UnreliableSampleWarning`) where a few points carry most of Ω even so, or points of some lines are missing.
    Raises `InputError` for n < 1, a bad seed or coefficients too far apart for doubles, and
    `MemoryLimitError` before memory is taken.
    """
    n, seed = whole(n, "the number of points", 1), whole(seed, "the seed", 0)
    require_resolved(variety)
    require(n * (16 * variety.ambient.size * 2 + 64), f"a sample of {n} points", "take fewer points")
    dims, degree = np.array(variety.ambient.dims), np.array(variety.degree)
    expected = float(degree @ dims / dims.sum()) * _LINES
    pieces: list[tuple[np.ndarray, ...]] = []
    done = 0
    block = 0
    with as_workers(workers) as team:
        while done < n:
            wave = max(1, int(np.ceil((n - done) / expected)))
            parts = slices(wave, -(-wave // _TASKS))
            new = team.map(_blocks, [range(block + s.start, block + s.stop) for s in parts], common=(variety, seed))
            pieces += new
            done += sum(len(piece[0]) for piece in new)
            block += wave
    *arrays, lost = (np.concatenate(part) for part in zip(*pieces))
    points, patch, elim, omega2, density, line = (array[:n] for array in arrays)
    weights = variety.fubini_study_volume / line_density(variety, points, density)
    warn_if_few(line_sums(weights, line), len(weights), lost.sum())
    return Points(variety, points, weights, omega2, patch, elim, line)


def _blocks(variety: Hypersurface, seed: int, blocks: range) -> tuple[np.ndarray, ...]:
    """All points on some blocks of lines."""
    return tuple(np.concatenate(part) for part in zip(*(_block(variety, seed, block) for block in blocks)))


def _block(variety: Hypersurface, seed: int, block: int) -> tuple[np.ndarray, ...]:
    """All points on one block of lines, and on how many of them none were found."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
    size, dims = variety.ambient.size, np.array(variety.ambient.dims)
    ends = rng.standard_normal((2, _LINES, size, 2)).view(np.complex128)[..., 0]
    factor = rng.choice(len(dims), size=_LINES, p=dims / dims.sum())
    labels = _labels(seed, block)
    if np.any(variety.scales != 1):  # lines go in pairs, one of them, in random order, in rescaled coordinates
        ends[:, np.arange(0, _LINES, 2) + rng.integers(2, size=_LINES // 2)] *= variety.scales
        labels[1::2] = labels[::2]
    degrees = np.array(variety.degree, dtype=np.int64)
    room = _LINES * int(degrees.max())
    out = (
        np.empty((room, size), np.complex128),
        np.empty((room, len(dims)), np.int64),
        np.empty(room, np.int64),
        np.empty(room),
        np.empty(room),
        np.empty(room, np.int64),
    )
    count = meet(ends[0], ends[1], factor, variety.polynomial.table, variety.bounds, degrees, out)
    *arrays, number = (array[:count] for array in out)
    return *arrays, labels[number], np.array([_LINES - len(np.unique(number))])


def _labels(seed: int, block: int) -> np.ndarray:
    """A number of 63 random bits for each line of a block: the same in equal samples, and in no others."""
    stream = np.random.SeedSequence(seed, spawn_key=(block, 0))
    return (stream.generate_state(_LINES, np.uint64) >> np.uint64(1)).astype(np.int64)


_ROUNDS = 200


def sample_patch(variety: Hypersurface, n: int, seed: int, patch: int | tuple[int, ...], elim: int) -> Points:
    """`n` points whose largest coordinate is `patch` (one for each factor) and whose eliminated one is `elim`.

    Samples are drawn and all other points rejected, as in section 3 of the paper; the weights remain those of the whole
    variety, so sums over the patch are integrals over it. Raises `InputError` where the patch is empty.

    Parameters
    ----------
    variety : Hypersurface
        The variety Q = 0.
    n : int
        How many points.
    seed : int
        Equal seeds give equal points.
    patch : int or tuple of int
        The largest coordinate, of each factor.
    elim : int
        The eliminated coordinate.
    """
    wanted = np.atleast_1d(patch)
    kept: list[Points] = []
    found, drawn = 0, 0
    for round_ in range(_ROUNDS):
        draw = 4096 if drawn == 0 or found == 0 else int(1.1 * (n - found) * drawn / found) + 256
        points = variety.sample(draw, np.random.SeedSequence((seed, round_)).generate_state(1)[0])
        mask = np.all(points.patch == wanted, axis=1) & (points.elim == elim)
        kept.append(points[mask])
        found, drawn = found + int(mask.sum()), drawn + draw
        if found >= n:
            return concatenate(*kept)[:n]
        if round_ > 10 and found == 0:
            break
    raise InputError(
        f"{found} of {drawn} points are in patch {wanted.tolist()} with coordinate {elim} eliminated: no sample of {n}"
    )


_ON = 1e-6


def given_points(variety: Hypersurface, coordinates: np.ndarray, *, off_variety: bool = False) -> Points:
    """Homogeneous coordinates (P, N) as `Points`: scaled to their patch, polished onto Q = 0, measured.

    With `off_variety` the points stay where they are (noise experiments): local coordinates and pull-backs are taken
    there. The weights are those of a sample.
    Raises `ShapeError`, `NotFiniteError`, and `OffVarietyError` with the worst |Q| / (|z|^d Σ|coefficients|) and its
    place where that is above 1e-6.
    """
    require_unmasked(coordinates, "the array of coordinates")
    try:
        z = np.array(coordinates, dtype=complex, ndmin=2, order="C")
    except (TypeError, ValueError) as error:
        raise ShapeError(f"the coordinates are not an array of numbers ({error}); give (points, coordinates)") from None
    if z.ndim != 2 or z.shape[1] != variety.ambient.size:
        raise ShapeError(
            f"the coordinates have shape {np.shape(coordinates)}; "
            f"{variety.ambient} needs (points, {variety.ambient.size})"
        )
    _check_finite(variety, z)
    z = variety.ambient.scaled(z)
    if not off_variety:
        _check_on(variety, z)
    count, factors = len(z), len(variety.ambient.dims)
    out = np.empty((count, factors), np.int64), np.empty(count, np.int64), np.empty(count), np.empty(count)
    degrees = np.array(variety.degree, dtype=np.int64)
    settle_all(z, variety.polynomial.table, variety.bounds, degrees, 0 if off_variety else POLISH, out)
    patch, elim, omega2, density = out
    weights = variety.fubini_study_volume / line_density(variety, z, density)
    return Points(variety, z, weights, omega2, patch, elim)


def _check_finite(variety: Hypersurface, z: np.ndarray) -> None:
    zero = np.any([~np.any(z[:, block], axis=1) for block in variety.ambient.blocks], axis=0)
    bad = np.nonzero(~np.all(np.isfinite(z), axis=1) | zero)[0]
    if bad.size:
        raise NotFiniteError(
            f"point {bad[0]} is {z[bad[0]].tolist()}: coordinates must be finite and not all zero in any factor"
        )


def _check_on(variety: Hypersurface, z: np.ndarray) -> None:
    worst = variety.relative_residual(z)
    off = np.count_nonzero(worst > _ON)
    if off:
        p = int(np.argmax(worst))
        raise OffVarietyError(
            f"{off} of {len(z)} points are not on the {variety}: the worst is point {p}, with relative |Q| = "
            f"{worst[p]:.3g} (at most {_ON:g}); pass off_variety=True to keep them where they are"
        )


_PROJECTIONS = 50


def noised(points: Points, size: float, seed: int, *, on_variety: bool = False) -> Points:
    """Every point moved by complex Gaussian noise with root mean square `size` in |δz|, tangent to the unit sphere.

    For small sizes that is the root mean square Fubini–Study distance. By default the points leave the variety, as in
    the paper's experiments; with `on_variety` they are projected back along ∂̄Q. Raises `InputError` for a negative
    size.

    Parameters
    ----------
    points : Points
        They stay as they are.
    size : float
        Root mean square of |δz| at unit norm.
    seed : int
        Of the noise.
    on_variety : bool
        Project back.
    """
    if not size >= 0:
        raise InputError(f"the noise has size {size}; give a number >= 0")
    rng = np.random.default_rng(seed)
    z = points.variety.ambient.unit(points.coordinates)
    for block in points.variety.ambient.blocks:
        part = z[:, block]
        step = rng.standard_normal((*part.shape, 2)).view(complex)[..., 0]
        step -= np.sum(step * part.conj(), axis=1, keepdims=True) * part
        freedom = 2 * (part.shape[1] - 1) * len(points.variety.ambient.dims)
        z[:, block] = part + size / np.sqrt(freedom) * step
    if on_variety:
        z = _projected(points, z)
    return replace(given_points(points.variety, z, off_variety=not on_variety), line=points.line)


def _projected(points: Points, z: np.ndarray) -> np.ndarray:
    """Gauss–Newton back onto Q = 0 along ∂̄Q, at most a tenth of the norm a step."""
    for _ in range(_PROJECTIONS):
        value, slope = points.variety.polynomial.gradient(z)
        step = (value / np.sum(np.abs(slope) ** 2, axis=1))[:, None] * slope.conj()
        length = np.linalg.norm(step, axis=1, keepdims=True)
        z = z - step * np.minimum(1, 0.1 / np.maximum(length, 1e-300))
        if length.max() < 1e-13:
            break
    return z


#: The largest derivative of the logarithm of |Q|² / Π s_i² at which coefficients are even enough.
_EVEN = 1e-5
#: The largest logarithm of a scale: what is farther away is no minimum.
_FARTHEST = 300.0
#: How many decimal digits the largest terms of a polynomial may be apart on a sphere.
_DIGITS = 12


def even_scales(polynomial: Polynomial, ambient: Ambient) -> np.ndarray:
    """The powers of two s_i, (N,), nearest to those of least |Q(s·y)|² / Π s_i²: all one where none is better.

    |Q|² = Σ_e |c_e|² Π e_i! is the norm that rotations keep, up to a factor the mean of |Q|² over spheres. Its
    logarithm is convex in log s, and has a minimum where the variety is smooth, since Q is stable then (Kempf–Ness).
    """
    exponents = polynomial.exponents
    if not np.all(np.isfinite(polynomial.coefficients)):
        return np.ones(exponents.shape[1])
    with np.errstate(divide="ignore"):
        size = 2 * np.log(np.abs(polynomial.coefficients))
    size += np.sum([[lgamma(e + 1) for e in row] for row in exponents.tolist()], axis=1)

    def norm(logs: np.ndarray) -> tuple[float, np.ndarray]:
        terms = size + 2 * exponents @ logs
        top = terms.max()
        share = np.exp(terms - top)
        return top + np.log(share.sum()) - 2 * logs.sum(), 2 * (exponents.T @ share / share.sum() - 1)

    if np.abs(norm(np.zeros(exponents.shape[1]))[1]).max() < _EVEN:
        return np.ones(exponents.shape[1])
    from scipy.optimize import minimize

    with np.errstate(over="ignore"):  # where there is no minimum it goes as far as numbers do
        found = minimize(norm, np.zeros(exponents.shape[1]), jac=True, method="BFGS")
    if not found.success or np.abs(found.x).max() > _FARTHEST:
        return np.ones(exponents.shape[1])
    centred = np.concatenate([found.x[block] - found.x[block].mean() for block in ambient.blocks])
    result: np.ndarray = np.exp2(np.round(centred / np.log(2)))
    return result


def require_resolved(variety: Hypersurface) -> None:
    """Raise `InputError` where terms of Q differ by more than the points of a line in z can be told apart with.

    d roots that ε^{1/d} separates are known to 1e-16/ε^{1 − 1/d} in a double: less than their distance for ε > 1e-12.
    """
    spread = np.log10(variety.scales.max() / variety.scales.min()) * max(variety.degree)
    if not (spread < _DIGITS and np.all(np.isfinite(variety.polynomial.coefficients))):
        raise InputError(
            f"the coefficients of the {variety} are {spread:.0f} decimal digits apart, or beyond double precision, and "
            f"points can be told apart up to {_DIGITS}: substitute multiples of the coordinates that bring them closer"
        )


def line_density(variety: Hypersurface, z: np.ndarray, slope_norm: np.ndarray) -> np.ndarray:
    """Points of a sample per |Ω|², times the Fubini–Study volume, at z (P, N) with |∂Q|² at unit norm (P,).

    Lines in z give |∂Q|²; lines in y = z/s give the same of Q'(y) = Q(s·y) over Π s_i², since Ω = Π s_i · Ω'. Where
    the scales are not all one half of the lines are of either kind, and the density is the mean of both.
    """
    scale, ambient = variety.scales, variety.ambient
    if np.all(scale == 1):
        return slope_norm
    y, slope = z / scale, variety.polynomial.gradient(z)[1] * scale
    norms, slopes = ambient.norms(y), ambient.norms(slope)
    other = np.sum(norms * slopes, axis=1) / np.prod(norms ** np.array(variety.degree), axis=1)
    result: np.ndarray = (slope_norm + other / np.prod(scale) ** 2) / 2
    return result
