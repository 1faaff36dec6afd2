"""Surfaces in space have the curvature and the geodesics that are known of them."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from geomflow import plot
from geomflow.core.errors import InputError, ShapeError


@pytest.fixture(scope="module")
def sphere():
    return plot.Surface(("cos(u)*cos(v)", "cos(u)*sin(v)", "sin(u)"), {"u": ("-pi/2", "pi/2"), "v": (0, "2*pi")})


def test_geodesics_of_a_sphere_are_great_circles(sphere):
    assert sphere.curvature == 1
    curve = sphere.places(*sphere.geodesic((0.3, 0.1), (1, 0.7), np.pi).T)
    normal = np.cross(curve[:, 0], curve[:, 60])
    assert np.abs(normal @ curve).max() < 1e-6
    np.testing.assert_allclose(curve[:, -1], -curve[:, 0], atol=1e-6)


def test_colours_are_the_curvature_and_balanced_by_area():
    torus = plot.Surface(("(2 + cos(v))*cos(u)", "(2 + cos(v))*sin(u)", "sin(v)"), {"u": (0, "2*pi"), "v": (0, "2*pi")})
    u, v = torus.square
    np.testing.assert_allclose(torus.gauss(u, v), np.cos(v) / (2 + np.cos(v)), atol=1e-13)
    ax = plot.surface(torus, geodesics=[torus.geodesic((0, -0.5), (1, 0.4), 5)])
    assert (ax.get_xlabel(), ax.get_zlabel()) == ("$x$", "$z$")
    assert ax.figure.axes[1].get_ylabel() == "Gaussian curvature $K$"
    assert ax.figure.axes[1].get_ylim() == pytest.approx((-1, 1))
    plt.close(ax.figure)


def test_what_is_no_surface_or_no_direction_is_refused(sphere):
    with pytest.raises(ShapeError, match="three functions of two coordinates"):
        plot.Surface(("u", "v"), {"u": (0, 1), "v": (0, 1)})
    with pytest.raises(InputError, match="needs a direction"):
        sphere.geodesic((0, 0), (0, 0), 1)
