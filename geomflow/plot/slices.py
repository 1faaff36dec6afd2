"""v and the scalar curvature over a plane slice of a variety."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geomflow.core.errors import InputError, UnknownNameError, require_known
from geomflow.plot.quantities import tex
from geomflow.plot.style import MUTED, colour_bar, colour_map, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from geomflow.variety import Hypersurface, Points, PolarisedMetric

_CLIPPED = 0.02
_FOR_KAPPA = 5000  # κ to σ/70, less than a picture shows


@dataclass(frozen=True, eq=False)
class Slice:
    """The points of a variety over a square of a plane: `axis` (m,), `points` (m·m, y fastest), and in words.

    Made by `plane_slice`.
    """

    axis: np.ndarray
    points: Points
    labels: tuple[str, str]
    caption: str


def plane_slice(
    variety: Hypersurface,
    *,
    extent: float = 1.5,
    m: int = 161,
    fixed: Mapping[str, complex] | None = None,
    branch: int = 0,
) -> Slice:
    """The slice z = (1, x, y, c, …, w) with x, y real in [−extent, extent], and w a root of Q = 0.

    In each factor the first coordinate is one. Of the others the first two are x and y (on a curve the first is
    x + iy), the last is solved for, and the rest have the values `fixed` by name, ½ unless given: zero is a special
    place. At the centre `branch` numbers the roots by modulus and argument; from there it is followed to nearest roots,
    along y = 0 first, and it may jump along cuts; where w passes through zero as a root of a small number, a quantity
    changes fast, and the picture has a thin line. Raises `InputError` for a branch that does not exist or where Q does
    not contain the last coordinate on the slice, and `UnknownNameError` for a coordinate that cannot be fixed.

    Parameters
    ----------
    variety : Hypersurface
        The variety Q = 0.
    extent : float
        The square is −extent ≤ x, y ≤ extent.
    m : int
        Points along a side.
    fixed : mapping, optional
        Values of coordinates that are held, by name.
    branch : int
        Which root of Q is followed, from 0.
    """
    free = [i for b in variety.ambient.blocks for i in range(b.start + 1, b.stop)]
    axes, rest, last = (free[:1], free[1:-1], free[-1]) if len(free) < 3 else (free[:2], free[2:-1], free[-1])
    constants = _constants(variety, rest, fixed or {})
    axis = np.linspace(-extent, extent, m)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    z = np.ones((m, m, variety.ambient.size), complex)
    z[..., rest] = constants
    z[..., axes] = np.stack([x + 1j * y] if len(axes) == 1 else [x, y], axis=-1)
    roots = _roots(variety, z, last)
    z[..., last] = _followed(roots, _first(roots, branch, variety.names[last]))
    points = variety.points(z.reshape(m * m, -1))
    return Slice(axis, points, _labels(len(axes)), _caption(variety, axes, dict(zip(rest, constants)), last, branch))


def _constants(variety: Hypersurface, rest: Sequence[int], fixed: Mapping[str, complex]) -> np.ndarray:
    """The values of the coordinates that are held."""
    names = [variety.names[i] for i in rest]
    for name in fixed:
        require_known("coordinate to fix", name, names)
    return np.array([complex(fixed.get(name, 0.5)) for name in names])


def _roots(variety: Hypersurface, z: np.ndarray, last: int) -> np.ndarray:
    """All solutions of Q = 0 for one coordinate: (…, N) -> (…, d), by companion matrices."""
    exponents, numbers = variety.polynomial.exponents, variety.polynomial.coefficients
    coefficients = np.zeros((*z.shape[:-1], int(exponents[:, last].max()) + 1), complex)
    z = z.copy()
    z[..., last] = 1
    for powers, number in zip(exponents, numbers):
        coefficients[..., powers[last]] += number * np.prod(z**powers, axis=-1)
    size = np.abs(coefficients).reshape(-1, coefficients.shape[-1]).max(axis=0)
    degree = int(np.flatnonzero(size > 1e-14 * size.max())[-1])
    if degree == 0:
        raise InputError(f"on this slice the polynomial does not contain {variety.names[last]}; fix other values")
    lead = coefficients[..., degree].copy()
    lead[np.abs(lead) < 1e-12 * size.max()] = 1e-12 * size.max()  # a root at infinity, near enough to be scaled back
    companion = np.zeros((*lead.shape, degree, degree), complex)
    companion[..., np.arange(1, degree), np.arange(degree - 1)] = 1
    companion[..., -1] = -coefficients[..., :degree] / lead[..., None]
    return np.linalg.eigvals(companion)


def _first(roots: np.ndarray, branch: int, name: str) -> complex:
    """The numbered root at the centre."""
    centre = roots[roots.shape[0] // 2, roots.shape[1] // 2]
    if not 0 <= branch < len(centre):
        raise InputError(f"{name} has {len(centre)} branches on this slice, numbered from 0; {branch} was given")
    keys = np.round(np.abs(centre), 9), np.round(np.angle(centre) % (2 * np.pi), 9)
    return complex(centre[np.lexsort(keys[::-1])[branch]])


def _followed(roots: np.ndarray, first: complex) -> np.ndarray:
    """One root at each place, the nearest to that of its neighbour towards the centre: (m, m, d) -> (m, m)."""
    m = len(roots)
    chosen = np.empty((m, m), complex)
    centre = m // 2
    chosen[centre, centre] = first
    for way in (range(centre + 1, m), range(centre - 1, -1, -1)):
        for i in way:
            before = chosen[i - way.step, centre]
            chosen[i, centre] = _nearest(roots[i, centre][None], np.array([before]))[0]
    for way in (range(centre + 1, m), range(centre - 1, -1, -1)):
        for j in way:
            chosen[:, j] = _nearest(roots[:, j], chosen[:, j - way.step])
    return chosen


def _nearest(roots: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The root of each row nearest to a target on the Riemann sphere."""
    distance = np.abs(roots - targets[:, None]) / np.sqrt(1 + np.abs(roots) ** 2)
    return np.asarray(roots[np.arange(len(roots)), np.argmin(distance, axis=1)])


def _labels(count: int) -> tuple[str, str]:
    return ("$x$", "$y$") if count == 2 else ("$x$ (real part)", "$y$ (imaginary part)")


def _caption(
    variety: Hypersurface, axes: Sequence[int], constants: Mapping[int, complex], last: int, branch: int
) -> str:
    """The slice in words."""
    shown = {axes[0]: "x+iy"} if len(axes) == 1 else dict(zip(axes, ("x", "y")))
    shown |= {i: _number(c) for i, c in constants.items()} | {last: tex(variety.names[last])}
    factors = [", ".join(shown.get(i, "1") for i in range(b.start, b.stop)) for b in variety.ambient.blocks]
    return f"slice $({'; '.join(factors)})$ with $x, y$ real and ${tex(variety.names[last])}$ on branch {branch}"


def _number(c: complex) -> str:
    shown = f"{c.real:.3g}" if c.imag == 0 else f"{c.real:.3g}{c.imag:+.3g}i"
    return shown.replace("-", "−")


@styled
def slices(
    metric: PolarisedMetric, points: Points, quantities: Sequence[str] = ("v", "R"), *, plane: Slice | None = None
) -> np.ndarray:
    """Draw "v" − 1 and "R", the scalar curvature, over a plane slice of the variety, in colours centred on zero.

    `points` is a sample, for the κ of v = det g/(κ|Ω|²); `plane` is made by `plane_slice`, its default unless given.
    The caption says which slice it is; colours end where 2 % of it is beyond, and the title has the extreme. The
    curvature takes a tenth of a millisecond a point, at degree 10 on two cores. Returns the array of Axes, one for each
    quantity. Raises `UnknownNameError` for another quantity.

    Parameters
    ----------
    metric : PolarisedMetric
        A Kähler metric in a class.
    points : Points
        A sample, for κ.
    quantities : sequence of str
        "v" and "R".
    plane : Slice, optional
        Made by `plane_slice`.
    """
    import matplotlib.pyplot as plt

    plane = plane or plane_slice(metric.variety)
    figure, axes = plt.subplots(1, len(quantities), figsize=(4.5 * len(quantities), 3.9), squeeze=False)
    for ax, name in zip(axes[0], quantities):
        _draw_map(ax, plane, *slice_values(metric, points, plane, name))
    figure.supxlabel(plane.caption, color=MUTED, fontsize=9.5)
    return np.asarray(axes[0])


def slice_values(metric: PolarisedMetric, points: Points, plane: Slice, name: str) -> tuple[np.ndarray, str]:
    """v − 1 or R over the slice, (m, m), and its symbol."""
    from geomflow.variety import kappa, scalar_curvature
    from geomflow.variety.measures import log_ratio

    shape = len(plane.axis), len(plane.axis)
    if name == "R":
        return scalar_curvature(metric, plane.points).reshape(shape), "$R$"
    if name == "v":
        ratio = np.exp(log_ratio(metric, plane.points)) / float(kappa(metric, points[:_FOR_KAPPA]))
        return ratio.reshape(shape) - 1, "$v - 1$"
    raise UnknownNameError.among("quantity", name, ("v", "R"))


def _draw_map(ax: Axes, plane: Slice, values: np.ndarray, symbol: str) -> None:
    """Colours over the square, centred on zero; they end where 2 % of the square is beyond."""
    limit = float(np.quantile(np.abs(values), 1 - _CLIPPED)) or 1.0
    mesh = colour_map(ax, plane.axis, plane.axis, values.T, (-limit, limit))
    ax.set(xlabel=plane.labels[0], ylabel=plane.labels[1])
    extreme = values.flat[int(np.argmax(np.abs(values)))]
    ax.set_title(f"{symbol}, up to {_number(extreme)}", loc="left")
    colour_bar(ax.figure, mesh, ax, shrink=0.88, pad=0.03, extend="both")
