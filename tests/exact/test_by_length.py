"""Metrics whose arclength is known, brought to x ∝ arclength: their radii at the new points by roots in 40 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import geomflow as gf
from geomflow.field.reduced.arclength import by_length

SPHERE = ("sphere", 32, "1 + cos(x)/3", "sin(x)*(1 + cos(x)/3)",
          lambda x: x + mpmath.sin(x) / 3, lambda x: mpmath.sin(x) * (1 + mpmath.cos(x) / 3))
TUBE = ("sphere-circle", 64, "1 + cos(x)/3 + sin(2*x)/5", "2 + cos(x)",
        lambda x: x + mpmath.sin(x) / 3 + (1 - mpmath.cos(2 * x)) / 10, lambda x: 2 + mpmath.cos(x))


@pytest.mark.parametrize(("name", "points", "chi", "psi", "length", "radius"), [SPHERE, TUBE])
def test_radii_at_shares_of_the_length(name, points, chi, psi, length, radius):
    grid = gf.catalogue.ansatz(name, n=2).grid(points)
    found = by_length(grid.state(chi=chi, psi=psi))
    with mpmath.workdps(40):
        places = [mpmath.findroot(lambda x, y=float(y): length(x) - y, float(y)) for y in np.ravel(grid.points["x"])]
        wanted = [float(radius(x)) for x in places]
    assert found["chi"] == pytest.approx(np.ones(points), rel=1e-14)
    assert found["psi"] == pytest.approx(np.array(wanted), rel=1e-13)
