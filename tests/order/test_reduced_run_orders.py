"""Orders of runs on surfaces of revolution by stencils: area, curvature at poles and everywhere, by fitted slopes."""

import numpy as np
import pytest

import geomflow as gf

SIZES = (24, 32, 48, 64)
START, END = -2.0, -0.5


def errors(n: int, order: int, gauge: str | None) -> tuple[float, float, float]:
    """Of the area, of R at the poles and of R at all points as a function of the radius, King's and Rosenau's metric.

    With s = sinh(−t), c = cosh t: A = −8πt, R = c/s at the poles and (c(4s − cψ²) + ψ²)/(4s²) where the radius is ψ.
    """
    root = f"2*sqrt(sinh({-START})/(1 + cos(x)^2 + cosh({START})*sin(x)^2))"
    start = gf.catalogue.ansatz("sphere", n=1).grid(n, order).state(chi=root, psi=f"sin(x)*{root}")
    last = gf.solve(gf.RicciFlow(gauge=gauge), start, END - START).last
    s, c, square = np.sinh(-END), np.cosh(END), last["psi"] ** 2
    everywhere = np.abs(last.scalar("R") - (c * (4 * s - c * square) + square) / (4 * s**2)).max()
    poles = np.abs(last.scalar_at([0, np.pi], "R") - c / s).max()
    return abs(last.volume() + 8 * np.pi * END), poles, everywhere


@pytest.mark.parametrize("order, gauge", [(2, None), (4, None), (6, None), (8, None), (4, "deturck"), (8, "deturck")])
def test_runs_have_the_order_of_their_stencils(order: int, gauge: str | None) -> None:
    found = np.array([errors(n, order, gauge) for n in SIZES])
    for column in found.T:
        slope = -np.polyfit(np.log(SIZES), np.log(column), 1)[0]
        assert slope == pytest.approx(order, abs=0.1 * order)
