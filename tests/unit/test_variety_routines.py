"""Compiled loops over polynomials and forms against the same sums written in NumPy."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.variety import HermitianForm
from geomflow.variety.jets import first_order
from geomflow.variety.polynomial import read
from geomflow.variety.routines.polynomial import table
from geomflow.variety.sections import monomials


def derivative(exponents, coefficients, z, along):
    """∂_along of Σ c z^e at z (P, N), term by term."""
    coefficients, exponents = np.array(coefficients), exponents.copy()
    for i in along:
        coefficients = coefficients * exponents[:, i]
        exponents[:, i] = np.maximum(exponents[:, i] - 1, 0)
    return np.prod(z[:, None, :] ** exponents, axis=2) @ coefficients


def test_a_polynomial_and_its_derivatives_are_those_of_its_terms():
    polynomial = read("x^5 + 2*x^2*y^2*z - (1 + i)*x*y*z^3 + 3*y^4*z + z^5", ["x", "y", "z"])
    z = np.random.default_rng(1).standard_normal((7, 3, 2)) @ [1, 1j]
    terms = polynomial.exponents, polynomial.coefficients, z
    value, slope = polynomial.gradient(z)
    assert np.allclose(value, derivative(*terms, ()), rtol=1e-13)
    assert np.allclose(slope, np.stack([derivative(*terms, (i,)) for i in range(3)], 1), rtol=1e-12)
    second = [[derivative(*terms, (i, j)) for j in range(3)] for i in range(3)]
    assert np.allclose(polynomial.hessian(z), np.moveaxis(second, 2, 0), rtol=1e-12)


def test_a_table_makes_every_product_once_and_knows_constants():
    left, right, monomial, _ = table(np.array([[4, 0], [2, 1], [0, 0]]), np.ones(3, complex))
    assert len(left) == 3  # x², x⁴ and x²y
    assert monomial.tolist() == [4, 5, 2]
    assert (left.tolist(), right.tolist()) == ([0, 3, 3], [0, 3, 1])


@pytest.mark.parametrize("count", [1, 7, 8, 9, 20])
def test_forms_at_any_number_of_points_are_sums_over_pairs_of_monomials(count):
    X, exponents = gf.Fermat(5), monomials(5, 3)
    rng = np.random.default_rng(2)
    root = (rng.standard_normal((len(exponents), 40, 2)) @ [1, 1j]) * (rng.random((len(exponents), 1)) < 0.5)
    points, form = X.sample(count, seed=3), root @ root.conj().T
    z, frame = points.coordinates, first_order(points)
    partials = [derivative(exponents[[m]], [1], z, along) for m in range(len(exponents))
                for along in ((), *((i,) for i in range(5)))]
    jets = np.einsum("prq,mqp->pmr", frame, np.reshape(partials, (len(exponents), 6, count)))
    expected = np.einsum("pmr,mn,pns->prs", jets, form, jets.conj())
    found = HermitianForm(X, exponents, form, 3).gram(points)
    assert np.abs(found - expected).max() <= 1e-13 * np.abs(expected).max()
