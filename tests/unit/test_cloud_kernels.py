"""Kernels of point clouds: nearest points, coordinates as inputs, and the cut-off with its bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import geomflow.variety as gv
from geomflow.core import memory
from geomflow.core.errors import InputError, MemoryLimitError, ShapeError
from geomflow.kernels import (
    CoordinateKernel,
    CutOffKernel,
    FubiniStudyGaussian,
    FubiniStudyGeodesicGaussian,
    GaussianKernel,
    NearestKernel,
    NetworkKernel,
    geodesic_distance,
)

GAUSSIANS = (FubiniStudyGaussian, FubiniStudyGeodesicGaussian)


def complex_points(count, coordinates=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, coordinates)) + 1j * rng.standard_normal((count, coordinates))


def test_nearest_points_are_those_of_least_distance():
    x, y = complex_points(300), complex_points(200, seed=1)
    nearest = geodesic_distance(x, y).argmin(axis=1)
    np.testing.assert_array_equal(NearestKernel().matrix(x, y), np.eye(200)[nearest])
    values = np.random.default_rng(2).standard_normal((200, 3, 3))
    np.testing.assert_array_equal(NearestKernel().apply(x, y, values), values[nearest])


def test_each_point_is_its_own_nearest():
    x = complex_points(50)
    np.testing.assert_array_equal(NearestKernel().matrix(x), np.eye(50))
    np.testing.assert_array_equal(NearestKernel().apply(x, None, np.arange(50.0)), np.arange(50.0))
    np.testing.assert_array_equal(NearestKernel().diagonal(x), np.ones(50))
    with pytest.raises(ShapeError, match="4 and of 5"):
        NearestKernel().matrix(x[:, :4], x)


def test_coordinates_are_inputs():
    points = gv.Fermat(5).sample(40, seed=0)
    relu, values = NetworkKernel("relu", weight_std=80.52, bias_std=5.716), np.arange(40.0)
    inputs = np.stack([points.coordinates.real, points.coordinates.imag], axis=2).reshape(40, 10)
    kernel = CoordinateKernel(relu)
    np.testing.assert_array_equal(kernel.matrix(points), relu.matrix(inputs))
    np.testing.assert_array_equal(kernel.matrix(points, points[:3]), relu.matrix(inputs, inputs[:3]))
    np.testing.assert_array_equal(kernel.apply(points, None, values), relu.apply(inputs, None, values))
    np.testing.assert_array_equal(kernel.diagonal(points), relu.diagonal(inputs))
    with pytest.raises(InputError, match="complex coordinates"):
        kernel.matrix(inputs)
    with pytest.raises(InputError, match="'relu' is none"):
        CoordinateKernel("relu")


@pytest.mark.parametrize("gaussian", GAUSSIANS)
@given(radius=st.floats(0.05, 1.5), scale=st.floats(0.05, 0.35), seed=st.integers(0, 5))
def test_what_a_cut_off_leaves_out_is_bounded(gaussian, radius, scale, seed):
    x, y = complex_points(60, 3, seed), complex_points(70, 3, seed + 100)
    kernel = CutOffKernel(gaussian(scale), radius)
    values = np.random.default_rng(seed).standard_normal((70, 2))
    full, distances = kernel.kernel.matrix(x, y), geodesic_distance(x, y)
    np.testing.assert_allclose(kernel.matrix(x, y), np.where(distances <= radius, full, 0), rtol=0, atol=1e-12)
    cut = kernel.neighbours(x, y)(values)
    np.testing.assert_allclose(cut, np.where(distances <= radius, full, 0) @ values, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(kernel.apply(x, y, values), cut)
    assert np.abs(full @ values - cut).max() <= kernel.bound(70) * np.abs(values).max() + 1e-12


@pytest.mark.parametrize("gaussian", GAUSSIANS)
def test_the_bound_is_reached_by_points_just_outside(gaussian):
    angles = np.exp(2j * np.pi * np.arange(20) / 20)
    ring = np.stack([np.full(20, np.cos(0.3001)), np.sin(0.3001) * angles], axis=1)
    kernel, centre = CutOffKernel(gaussian(0.1), 0.3), np.array([[1.0 + 0j, 0]])
    assert kernel.apply(centre, ring, np.ones(20))[0] == 0
    left_out = kernel.kernel.apply(centre, ring, np.ones(20))[0]
    assert left_out == pytest.approx(kernel.bound(20), rel=1e-2)


@pytest.mark.parametrize("gaussian", GAUSSIANS)
def test_on_one_set_the_spectrum_moves_by_no_more_than_the_bound(gaussian):
    points = gv.sample_patch(gv.Fermat(5), 300, seed=0, patch=0, elim=1)
    kernel = CutOffKernel.within(gaussian(0.12), 300, tolerance=0.3)
    difference = kernel.kernel.matrix(points) - kernel.matrix(points)
    assert kernel.bound(300) == pytest.approx(0.3, rel=1e-9)
    assert 1e-3 < np.abs(np.linalg.eigvalsh(difference)).max() <= 0.3


def test_a_tight_tolerance_gives_the_full_sum():
    points = gv.sample_patch(gv.Fermat(5), 700, seed=0, patch=0, elim=1)
    full = FubiniStudyGeodesicGaussian(1 / 30)
    kernel = CutOffKernel.within(full, 700, tolerance=1e-13)
    values, neighbours = np.random.default_rng(0).standard_normal((700, 9)), kernel.neighbours(points)
    assert neighbours.pairs < 20 * 700
    np.testing.assert_allclose(neighbours(values), full.apply(points, None, values), rtol=0, atol=1e-12)


def test_sums_over_neighbours_do_not_depend_on_threads(monkeypatch):
    points, values = complex_points(600), np.random.default_rng(0).standard_normal((600, 9))
    kernel = CutOffKernel(FubiniStudyGaussian(0.2), 0.6)
    first = kernel.apply(points, None, values)
    monkeypatch.setenv("GEOMFLOW_THREADS", "1")
    np.testing.assert_array_equal(kernel.apply(points, None, values), first)


def test_a_wide_kernel_is_not_cut():
    kernel = CutOffKernel.within(FubiniStudyGaussian(0.5), 100)
    x = complex_points(40)
    assert kernel.bound(100) == 0
    np.testing.assert_allclose(kernel.matrix(x), kernel.kernel.matrix(x), rtol=0, atol=1e-14)


def test_what_a_cut_off_refuses(monkeypatch):
    gaussian = FubiniStudyGaussian(0.1)
    with pytest.raises(InputError, match="Gaussians of the Fubini–Study distance"):
        CutOffKernel(GaussianKernel(0.1), 0.3)
    for radius in (0.0, 1.6, np.nan):
        with pytest.raises(InputError, match="between 0 and π/2"):
            CutOffKernel(gaussian, radius)
    with pytest.raises(InputError, match="tolerance"):
        CutOffKernel.within(gaussian, 100, 0.0)
    neighbours = CutOffKernel(gaussian, 0.3).neighbours(complex_points(30))
    with pytest.raises(ShapeError, match="30 points"):
        neighbours(np.ones((29, 1)))
    monkeypatch.setattr(memory, "available", lambda: 100)
    with pytest.raises(MemoryLimitError, match="pairs of 30 and 30 points"):
        CutOffKernel(gaussian, 0.3).neighbours(complex_points(30))
