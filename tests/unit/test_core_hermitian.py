"""One packing of Hermitian matrices: its order, its products, and that nothing in the package has another."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import geomflow
from geomflow.core.hermitian import log_determinant, multiplicity, orthonormal, pack, unpack


def hermitian(n, seed=0, count=7):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((2, count, n, n))
    a = a[0] + 1j * a[1]
    return a + np.swapaxes(a.conj(), -1, -2)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_packing_is_undone(n):
    matrices = hermitian(n)
    assert pack(matrices).shape == (7, n * n)
    assert np.array_equal(unpack(pack(matrices)), matrices)
    assert np.array_equal(pack(unpack(pack(matrices))), pack(matrices))


def test_the_order_is_that_of_the_compiled_loops():
    matrix = np.array([[1, 4 + 5j, 6 + 7j], [4 - 5j, 2, 8 + 9j], [6 - 7j, 8 - 9j, 3]])
    assert pack(matrix).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_products_are_traces(n):
    a, b = hermitian(n, 1), hermitian(n, 2)
    trace = np.einsum("pij,pji->p", a, b).real
    np.testing.assert_allclose(np.sum(pack(a) * multiplicity(n) * pack(b), axis=1), trace, rtol=1e-12)
    frames = [pack(x) * orthonormal(n) for x in (a, b)]
    np.testing.assert_allclose(np.sum(frames[0] * frames[1], axis=1), trace, rtol=1e-12)


def test_the_logarithm_of_a_determinant_is_nan_where_it_is_not_positive():
    positive = hermitian(3) @ hermitian(3) + np.eye(3)
    np.testing.assert_allclose(np.exp(log_determinant(positive)), np.linalg.det(positive).real, rtol=1e-12)
    assert np.isnan(log_determinant(np.diag([-1.0, -1.0, 1.0]) + 0j))


def test_no_other_module_takes_matrices_apart():
    """The entries beside a diagonal are numbered in one place."""
    found = [path.name for path in Path(geomflow.__file__).parent.rglob("*.py")
             if re.search(r"tri[ul]_indices\([^)]*, -?1\)", path.read_text())]
    assert found == ["hermitian.py"]
