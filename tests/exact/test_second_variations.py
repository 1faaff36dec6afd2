"""Second variations at the flat torus, against exact rates of the linearised gradient flows."""

import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow import functionals as fn

REAL, COMPLEX = gf.Torus(2, periods=(1, 1.3)), gf.ComplexTorus(1, periods=(1, 1.3))
CRITICAL = {
    "einstein-hilbert": lambda: fn.EinsteinHilbert(gf.Torus(3)),
    "scalar-squared": lambda: fn.ScalarSquared(REAL),
    "ricci-squared": lambda: fn.RicciSquared(REAL),
    "perelman-f": lambda: fn.PerelmanF(REAL),
    "perelman-lambda": lambda: fn.PerelmanLambda(REAL),
    "kenergy": lambda: fn.KEnergy(COMPLEX),
    "calabi": lambda: fn.Calabi(COMPLEX),
    "aubin-i": lambda: fn.AubinI(COMPLEX),
    "aubin-j": lambda: fn.AubinJ(COMPLEX),
    "ding": lambda: fn.Ding(COMPLEX),
    "j-functional": lambda: fn.JFunctional(COMPLEX, [["3/4"]]),
    "ef": lambda: fn.EF(COMPLEX, "v^3 - v"),
    "eg": lambda: fn.EG(COMPLEX, "2/v"),
    "sum": lambda: fn.KEnergy(COMPLEX) / 2 + 3 * fn.AubinJ(COMPLEX),
}
"""Functionals that the flat torus is critical for: there the gradient's linearisation is a second variation."""


def exact_rates(functional, grid):
    """Those of all plane waves on the grid, sorted."""
    linear = functional.second_variation_at("flat")
    matrix = sympy.lambdify(linear.wave_numbers, linear.matrix)
    dual = 2 * np.pi * np.linalg.inv(np.array(grid.torus.lattice))
    numbers = np.stack(np.meshgrid(*[np.arange(n) - n // 2 for n in grid.shape], indexing="ij"), -1)
    waves = numbers.reshape(-1, grid.dim) @ dual.T
    return np.sort(np.concatenate([np.linalg.eigvals(np.array(matrix(*k), dtype=complex)).real if k.any() else
                                   np.zeros(len(linear.unknowns)) for k in waves]))


@pytest.mark.parametrize("name", CRITICAL)
def test_the_spectrum_at_the_flat_torus(name):
    """Of −c H beside the inner product Σ_ij h_ij h'_ij of metrics, by e^{−f}dV = dx/∫dx for λ, ψψ' of potentials."""
    functional = CRITICAL[name]()
    grid = functional.geometry.grid(3 if functional.geometry.real_dim == 3 else 5, scheme="spectral")
    metric = isinstance(functional, fn.MetricFunctional)
    flat = grid.metric() if metric else grid.potential("0")
    H = functional.hessian(flat) @ np.eye(flat.pack().size)
    pairs = [(i, j) for i in range(grid.dim) for j in range(i, grid.dim)]
    counts = np.repeat([2.0 - (i == j) for i, j in pairs] if metric else [1.0], grid.size)
    counts = counts / (grid.torus.cell_volume if name == "perelman-lambda" else 1.0)
    symmetric = H / np.sqrt(np.outer(counts, counts))
    found = np.sort(-float(functional.factor) * np.linalg.eigvalsh((symmetric + symmetric.T) / 2))
    wanted = exact_rates(functional, grid)
    assert np.abs(wanted).max() > 1
    np.testing.assert_allclose(found, wanted, rtol=0, atol=(1e-7 if name == "perelman-lambda" else 1e-11) * np.abs(
        wanted).max())


def test_the_volume_is_quadratic_by_hand():
    """Vol = ∫√(ac − b²): D²Vol in closed form, not at a critical point, at a metric that varies."""
    grid = gf.Torus(2).grid(6, order=2)
    g = grid.metric([["2 + cos(2*pi*x)", "sin(2*pi*y)/2"], ["sin(2*pi*y)/2", "3"]])
    H = fn.Volume(grid.torus).hessian(g) @ np.eye(3 * grid.size)
    a, b, c = g.pack()
    root = a * c - b**2
    blocks = np.array([[-(c**2), 2 * b * c, 2 * root - a * c], [2 * b * c, -4 * a * c, 2 * a * b],
                       [2 * root - a * c, 2 * a * b, -(a**2)]]) / (4 * root**1.5)
    wanted = np.zeros_like(H)
    for i in range(3):
        for j in range(3):
            np.fill_diagonal(wanted[i * 36:(i + 1) * 36, j * 36:(j + 1) * 36], blocks[i, j].ravel())
    np.testing.assert_allclose(H, wanted, rtol=0, atol=1e-14)
