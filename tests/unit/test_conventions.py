"""The convention table against derivatives taken by hand and by numpy, not against itself."""

from __future__ import annotations

import numpy as np
import pytest

from geomflow.core import conventions
from geomflow.core.errors import InputError
from geomflow.core.numbers import generator


def hermitian(n: int, seed: int) -> np.ndarray:
    """A positive Hermitian matrix."""
    rng = generator(seed)
    a = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
    return a @ a.conj().T + np.eye(n)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_real_metric_gives_length_2_g_dz_dzbar(n):
    h, rng = hermitian(n, 1), generator(2)
    dx, dy = rng.normal(size=(2, n))
    dz, vector = dx + 1j * dy, np.concatenate([dx, dy])
    length = 2 * np.einsum("ab,a,b->", h, dz, dz.conj()).real
    assert vector @ conventions.realify(h) @ vector == pytest.approx(length, rel=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_volume_is_the_root_of_the_real_determinant(n):
    h = hermitian(n, 3)
    assert conventions.volume_density(h) == pytest.approx(np.sqrt(np.linalg.det(conventions.realify(h))), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_kahler_form_is_i_g_dz_wedge_dzbar(n):
    h, rng = hermitian(n, 4), generator(5)
    u, w = rng.normal(size=(2, 2 * n))
    dz_u, dz_w = u[:n] + 1j * u[n:], w[:n] + 1j * w[n:]
    wedge = 1j * (dz_u @ h @ dz_w.conj() - dz_w @ h @ dz_u.conj())
    assert abs(wedge.imag) < 1e-12
    assert u @ conventions.kahler_form(h) @ w == pytest.approx(wedge.real, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_real_laplacian_is_twice_the_complex_one_on_a_flat_metric(n):
    h, rng = hermitian(n, 6), generator(7)
    hessian = rng.normal(size=(2 * n, 2 * n))
    hessian = hessian + hessian.T
    real = np.trace(np.linalg.inv(conventions.realify(h)) @ hessian)
    assert 2 * conventions.complex_trace(h, conventions.complexify(hessian)) == pytest.approx(real, rel=1e-11)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_ricci_norm_is_the_norm_of_the_realified_tensor(n):
    h, ricci = hermitian(n, 8), hermitian(n, 9) - 2 * np.eye(n)
    mixed = np.linalg.inv(conventions.realify(h)) @ conventions.realify(ricci)
    assert conventions.ricci_norm_squared(h, ricci) == pytest.approx(np.trace(mixed @ mixed), rel=1e-11)


def test_gradient_norm_is_that_of_the_real_metric():
    h, rng = hermitian(3, 10), generator(11)
    dx, dy = rng.normal(size=(2, 3))
    real = np.concatenate([dx, dy])
    expected = real @ np.linalg.inv(conventions.realify(h)) @ real
    assert conventions.gradient_norm_squared(h, conventions.wirtinger(dx, dy)[0]) == pytest.approx(expected, rel=1e-12)


def test_functions_broadcast_over_leading_axes():
    stack = np.stack([hermitian(2, seed) for seed in range(4)]).reshape(2, 2, 2, 2)
    assert conventions.realify(stack).shape == (2, 2, 4, 4)
    assert np.array_equal(conventions.realify(stack)[1, 0], conventions.realify(stack[1, 0]))
    assert np.array_equal(conventions.complexify(conventions.realify(stack)), stack)


def test_pairs_reorder_coordinates():
    names = np.array(["x1", "x2", "y1", "y2"])
    assert names[conventions.pairs_from_blocks(2)].tolist() == ["x1", "y1", "x2", "y2"]


def test_a_generator_passes_through_and_none_is_refused():
    rng = np.random.default_rng(3)
    assert generator(rng) is rng
    with pytest.raises(InputError, match="seed is None"):
        generator(None)
    with pytest.raises(InputError, match="-1"):
        generator(-1)
