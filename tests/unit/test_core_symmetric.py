"""One packing of symmetric matrices: its order, its products, and that nothing in the package has another."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import geomflow
from geomflow.core.symmetric import entries, multiplicity, pack, packed_index, packed_places, unpack


def symmetric(dim, seed=0):
    a = np.random.default_rng(seed).standard_normal((7, dim, dim))
    return a + np.swapaxes(a, -1, -2)


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_packing_is_undone(dim):
    matrices = symmetric(dim)
    assert pack(matrices).shape == (dim * (dim + 1) // 2, 7)
    assert np.array_equal(unpack(pack(matrices), dim), matrices)


def test_the_order_is_row_by_row():
    matrix = np.array([[1, 2, 3], [2, 4, 5], [3, 5, 6]])
    assert pack(matrix).tolist() == entries(matrix) == [1, 2, 3, 4, 5, 6]
    assert (packed_index(3) + 1).tolist() == matrix.tolist()
    assert packed_places(3) == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_products_are_traces(dim):
    a, b = symmetric(dim, 1), symmetric(dim, 2)
    trace = np.einsum("pij,pji->p", a, b)
    np.testing.assert_allclose(multiplicity(dim) @ (pack(a) * pack(b)), trace, rtol=1e-12)


def test_no_other_module_orders_the_components():
    found = [path.name for path in Path(geomflow.__file__).parent.rglob("*.py")
             if re.search(r"combinations_with_replacement\(range\(.*\), 2\)", path.read_text())]
    assert found == ["symmetric.py"]
