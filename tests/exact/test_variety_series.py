"""Power series along varieties against closed forms and against polynomials multiplied out by SymPy."""

import numpy as np
import pytest
import sympy

import geomflow.variety as gv
from geomflow.variety import frames
from geomflow.variety.routines.series import add_product
from geomflow.variety.series import truncation


def hermitian_series(kept, count, seed):
    rng = np.random.default_rng(seed)
    raw = rng.standard_normal((2, kept.rows, kept.rows, count))
    series = raw[0] + 1j * raw[1]
    series = series + np.swapaxes(series, 0, 1).conj()
    series[0, 0] = 3 + rng.random(count)
    return series


def test_the_logarithm_of_fubini_study_is_known():
    """log(1 + |x|²) = Σ_j (−1)^{j+1}/j |x|^{2j}, and |x|^{2j} = Σ_{|α|=j} j!/α! x^α x̄^α."""
    kept = truncation(2, 4)
    series = np.zeros((kept.rows, kept.rows, 1), complex)
    series[[0, 1, 2], [0, 1, 2]] = 1
    expected = np.zeros((kept.rows, kept.rows))
    for row, (a, b) in enumerate(kept.indices):
        if a + b:
            expected[row, row] = (-1) ** (a + b + 1) / (a + b) * float(sympy.binomial(a + b, a))
    assert np.abs(kept.logarithm(series)[:, :, 0] - expected).max() < 1e-14


def test_the_volume_of_fubini_study_is_known():
    """det ∂∂̄ log(1 + |x|²) = (1 + |x|²)^{−n−1}."""
    kept, below = truncation(3, 3), truncation(3, 2)
    series = np.zeros((kept.rows, kept.rows, 1), complex)
    series[range(4), range(4)] = 1
    potential = kept.logarithm(series)
    expected = -4 * potential[: below.rows, : below.rows]
    assert np.abs(kept.log_volume(potential) - expected).max() < 1e-13


def test_determinants_are_those_of_polynomials():
    kept = truncation(1, 2)
    entries = [[hermitian_series(kept, 1, 10 * i + j) for j in range(3)] for i in range(3)]
    x, y = sympy.symbols("x y")
    matrix = sympy.Matrix(3, 3, lambda i, j: sum(
        complex(entries[i][j][a, b, 0]) * x**a * y**b for a in range(3) for b in range(3)))
    product = sympy.Poly(sympy.expand(matrix.det(method="berkowitz")), x, y)
    expected = np.array([[complex(product.coeff_monomial(x**a * y**b)) for b in range(3)] for a in range(3)])
    assert np.abs(kept.determinant(entries)[:, :, 0] - expected).max() < 1e-12 * np.abs(expected).max()


def test_a_logarithm_undone_is_the_series():
    """The Euler fields of f and of log f: D f = f D log f in both kinds of variables."""
    kept = truncation(2, 3)
    series = hermitian_series(kept, 5, 1)
    log = kept.logarithm(series)
    for turned in (lambda s: s, lambda s: np.swapaxes(s, 0, 1)):
        rate = np.zeros_like(series)
        weighted = turned(turned(log) * kept.degrees[:, None, None])
        add_product(series, np.ascontiguousarray(weighted), *kept.tables, 1.0, rate)
        expected = turned(turned(series) * kept.degrees[:, None, None])
        assert np.abs(rate - expected).max() < 1e-11 * np.abs(expected).max()


@pytest.mark.parametrize("variety", [gv.Fermat(3), gv.Dwork("1/2"), gv.Bicubic()], ids=str)
def test_coordinates_stay_on_the_variety(variety):
    kept = truncation(variety.dim, 4)
    points = variety.sample(20, seed=1)
    value = kept.polynomial(variety.polynomial, kept.coordinates(points))
    assert np.abs(value).max() < 1e-12 * np.abs(kept.coordinates(points)).max() ** 5


def test_second_order_is_that_of_frames():
    variety = gv.Dwork("1/2")
    points = variety.sample(20, seed=1)
    series = truncation(3, 2).coordinates(points)[points.elim, :, np.arange(20)]
    bends = frames.bends(points)
    for row, index in enumerate(truncation(3, 2).indices):
        if sum(index) == 2:
            a, c = [i for i, e in enumerate(index) for _ in range(e)]
            assert np.allclose(series[:, row] * (1 + (a == c)), bends[:, a, c], rtol=1e-12, atol=1e-12)
