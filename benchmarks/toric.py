"""The Kähler–Einstein metric of the hexagon, beside plain NumPy: python -m benchmarks.toric --degrees 10 14 18

The peer is what one writes in an afternoon: products of Legendre polynomials up to a total degree on the square about
the hexagon, Gauss points of its six triangles, u_ij inverted as it stands inside of the polygon, least squares by
NumPy. It knows no symmetry. Seconds are the least of several runs, each from nothing; the ratio is NumPy's over ours.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.polynomial import legendre

import geomflow as gf
from geomflow.field.toric.polynomials import OrthogonalPolynomials

NORMALS = np.array([(1, 0), (1, 1), (0, 1), (-1, 0), (-1, -1), (0, -1)], dtype=float)
CORNERS = np.array([(-1, 1), (-1, 0), (0, -1), (1, -1), (1, 0), (0, 1)], dtype=float)
STEPS = 8


def places(order: int) -> np.ndarray:
    """Gauss points of the six triangles about the origin."""
    nodes = (1 + legendre.leggauss(order)[0]) / 2
    far, side = (grid.ravel()[:, None] for grid in np.meshgrid(nodes, nodes))
    return np.concatenate([far * ((1 - side) * CORNERS[k - 1] + side * CORNERS[k]) for k in range(6)])


def basis(points: np.ndarray, degree: int) -> np.ndarray:
    """Products of Legendre polynomials, not affine, with first and second derivatives, (6, N, count)."""
    jets = [[legendre.legval(points[:, axis], legendre.legder(np.eye(degree + 1), times)).T for times in range(3)]
            for axis in (0, 1)]
    pairs = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i) if i + j > 1]
    first, second = (np.array(each) for each in zip(*pairs, strict=True))
    orders = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
    return np.stack([jets[0][i][:, first] * jets[1][j][:, second] for i, j in orders])


def numpy_einstein(degree: int) -> float:
    """The largest residual of the peer at its own places."""
    points = places(degree + 8)
    modes = basis(points, degree)
    sides = 1 + points @ NORMALS.T
    known = np.einsum("na,ai,aj->nij", 1 / sides, NORMALS, NORMALS)
    h = np.zeros(modes.shape[2])
    for _ in range(STEPS):
        f, f1, f2, a, b, c = modes @ h
        hessian = known + np.moveaxis(np.array([[a, b], [b, c]]), -1, 0)
        value = (np.log(np.linalg.det(hessian)) + np.log(sides).sum(axis=1)
                 - points[:, 0] * f1 - points[:, 1] * f2 + f)
        inverse = np.linalg.inv(hessian)
        slopes = (inverse[:, 0, 0, None] * modes[3] + 2 * inverse[:, 0, 1, None] * modes[4]
                  + inverse[:, 1, 1, None] * modes[5] - points[:, :1] * modes[1] - points[:, 1:] * modes[2] + modes[0])
        value, slopes = value - value.mean(), slopes - slopes.mean(axis=0)
        h = h - np.linalg.lstsq(slopes, value, rcond=None)[0]
    return float(np.abs(value).max())


def own_einstein(degree: int) -> float:
    """The largest residual of the package, everything made anew."""
    return float(gf.Toric("dP3").einstein(degree).residual)


def least(call: Callable[[int], float], degree: int, rounds: int) -> tuple[float, float]:
    """The least seconds of several runs, and the residual."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        residual = call(degree)
        times.append(time.perf_counter() - start)
    return min(times), residual


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--degrees", type=int, nargs="+", default=[10, 14, 18])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    OrthogonalPolynomials(gf.Toric("dP3").polygon, 2).jets(np.zeros((1, 2)))  # scipy is loaded
    print(f"{'degree':>6} {'NumPy':>9} {'residual':>9} {'geomflow':>9} {'residual':>9} {'ratio':>6}")
    for degree in options.degrees:
        peer, own = (least(call, degree, options.rounds) for call in (numpy_einstein, own_einstein))
        print(f"{degree:>6} {peer[0]:>8.2f}s {peer[1]:>9.1e} {own[0]:>8.2f}s {own[1]:>9.1e} {peer[0] / own[0]:>6.1f}")


if __name__ == "__main__":
    main()
