"""Curvature on grids against the exact geometry of the same closed forms, at every grid point."""

from __future__ import annotations

import numpy as np
import pytest
from fields import exact_kahler, exact_metric, on_grid, rounding, unresolved

from geomflow.field import ComplexTorus, Torus

SURFACE = [["1 + cos(2*pi*y)/5", "sin(2*pi*(x+y))/10"], ["sin(2*pi*(x+y))/10", "1 + sin(2*pi*x)/5"]]
SPACE = [
    ["1 + cos(2*pi*y)/10", "sin(2*pi*z)/10", "0"],
    ["sin(2*pi*z)/10", "1 + sin(2*pi*(x+z))/10", "cos(2*pi*x)/20"],
    ["0", "cos(2*pi*x)/20", "1 + cos(2*pi*(x-y))/10"],
]
TOLERANCE = 2e-10


def matrix_on_grid(grid, nodes):
    """The values of an object array of nodes, (*grid, tensor indices)."""
    values = np.empty((*grid.shape, *nodes.shape))
    for index, node in np.ndenumerate(nodes):
        values[(..., *index)] = on_grid(grid, node)
    return values


@pytest.mark.parametrize("dim, n, components", [(2, 48, SURFACE), (3, 28, SPACE)])
def test_tensors_of_a_metric(dim, n, components):
    grid = Torus(dim).grid(n, scheme="spectral")
    metric, exact = grid.metric(components), exact_metric(grid.torus, components)
    raised = np.linalg.inv(metric.values)
    riemann = np.einsum("...lm,...mkij->...lkij", raised, matrix_on_grid(grid, exact.riemann_lower))
    for found, expected in (
        (metric.christoffel(), matrix_on_grid(grid, exact.christoffel)),
        (metric.ricci(), matrix_on_grid(grid, exact.ricci)),
        (metric.riemann(), riemann),
        (metric.scalar(), on_grid(grid, exact.scalar)),
    ):
        assert np.max(np.abs(found.values - expected)) < TOLERANCE * np.max(np.abs(expected))


def test_conformal_surface():
    """g = u δ has R = −u⁻¹ Δ_0 log u."""
    grid = Torus(2).grid(64, scheme="spectral")
    u = grid.scalar("exp(cos(2*pi*x)/4 + sin(2*pi*y)/5)")
    flat_laplacian = grid.scalar("-(2*pi)^2*(cos(2*pi*x)/4 + sin(2*pi*y)/5)")
    found = (u * grid.metric()).scalar()
    assert found.max_distance(-flat_laplacian / u) < TOLERANCE * found.norm()


def test_products_of_three_curves():
    """log det of a product metric is a sum, so its scalar curvature is the sum of those of the curves."""
    texts = ["cos(2*pi*x)/300", "sin(2*pi*y)/400", "cos(2*pi*(x+y))/500"]
    curve, threefold = ComplexTorus(1).grid(6, scheme="spectral"), ComplexTorus(3).grid(6, scheme="spectral")
    product = " + ".join(t.replace("x", f"x{a}").replace("y", f"y{a}") for a, t in enumerate(texts, start=1))
    parts = [curve.potential(text).scalar().values for text in texts]
    expected = sum(part.reshape((1,) * 2 * a + (6, 6) + (1,) * 2 * (2 - a)) for a, part in enumerate(parts))
    found = threefold.potential(product).scalar()
    assert np.max(np.abs(found.values - expected)) < 1e-11 * found.norm()


def test_laplacian_of_a_metric():
    """Δf = u⁻¹ Δ_0 f for g = u δ in dimension two."""
    grid = Torus(2).grid(48, scheme="spectral")
    u = grid.scalar("exp(cos(2*pi*x)/4 + sin(2*pi*y)/5)")
    found = (u * grid.metric()).laplacian("cos(2*pi*(x+2*y))")
    expected = grid.scalar("-5*(2*pi)^2*cos(2*pi*(x+2*y))") / u
    assert found.max_distance(expected) < TOLERANCE * found.norm()


@pytest.mark.parametrize(
    "torus, n, text",
    [
        (ComplexTorus(1), 64, "cos(2*pi*x)*cos(2*pi*y)/200 + sin(2*pi*x)/300"),
        (ComplexTorus(1, modulus=0.5 + 1j), 64, "cos(2*pi*(x - y/2))/200 + sin(2*pi*y)/300"),
        (ComplexTorus(2), 16, "cos(2*pi*x1)*cos(2*pi*y2)/600 + sin(2*pi*(x1 + x2))/800"),
    ],
    ids=["square", "slanted", "surface"],
)
def test_kahler_metrics(torus, n, text):
    grid = torus.grid(n, scheme="spectral")
    phi, exact = grid.potential(text), exact_kahler(torus, text)
    scalar = on_grid(grid, exact.scalar)
    tolerance = rounding(grid, np.max(np.abs(phi.values)), 4) + 10 * unresolved(scalar)
    assert tolerance < 1e-2 * np.max(np.abs(scalar))
    metric, ricci = phi.metric().values, phi.ricci().values
    for a, b in np.ndindex(torus.dim, torus.dim):
        for found, nodes in ((metric, exact.matrix[a, b]), (ricci, exact.ricci[a, b])):
            expected = on_grid(grid, nodes.re) + 1j * on_grid(grid, nodes.im)
            assert np.max(np.abs(found[..., a, b] - expected)) < tolerance
    assert np.max(np.abs(phi.scalar().values - scalar)) < tolerance
    laplacian = exact.complex_laplacian(exact.log_det)
    found = phi.laplacian(np.array(on_grid(grid, exact.log_det)))
    assert np.max(np.abs(found.values - 2 * on_grid(grid, laplacian))) < tolerance
