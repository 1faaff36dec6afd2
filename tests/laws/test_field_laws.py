"""Laws of curvature for random metrics and Kähler potentials.

Laws that hold only in the limit are tested on spectral grids against what the grid is seen not to resolve: the upper
third of the Fourier coefficients of the quantities involved, and rounding.
"""

from __future__ import annotations

import numpy as np
import pytest
from fields import grid_of, rounding, unresolved
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from geomflow.field import ComplexTorus, Torus
from geomflow.testing import amplitudes, automorphisms, seeds

SURFACE = Torus(2, periods=(1.0, 1.5)).grid(48, scheme="spectral")
SPACE = Torus(3).grid(16, scheme="spectral")
CURVE = ComplexTorus(1, modulus=0.25 + 1j).grid(48, scheme="spectral")
KAHLER_SURFACE = ComplexTorus(2).grid(16, scheme="spectral")
# A smaller seed is no simpler than a larger one: failures are reported as they are found.
UNSHRUNK = (Phase.explicit, Phase.generate)
QUICK = settings(max_examples=12, phases=UNSHRUNK)
SLOW = settings(max_examples=4, phases=UNSHRUNK)


def flattened(values, dim):
    """The component arrays of a tensor field."""
    return values.reshape(*values.shape[:dim], -1)


def spectral_error(field, derivatives=0):
    """What the grid does not resolve of a field, each derivative amplifying it by π/h, and rounding."""
    grid = field.grid
    rows = flattened(field.values, grid.dim)
    tail = max(unresolved(rows[..., k]) for k in range(rows.shape[-1]))
    return (np.pi / min(grid.spacing)) ** derivatives * tail + rounding(grid, np.max(np.abs(rows)), 2 + derivatives)


@QUICK
@given(seeds, amplitudes, st.floats(min_value=0.01, max_value=100), st.sampled_from([2, 4, 8, "spectral"]))
def test_ricci_curvature_ignores_the_scale(seed, amplitude, factor, order):
    """Ric(cg) = Ric(g), to rounding, whatever the discretisation."""
    metric = grid_of(Torus(2), 16, order).random_metric(seed, amplitude)
    ricci = metric.ricci()
    assert (factor * metric).ricci().max_distance(ricci) < 1e-12 * ricci.max_modulus()


@SLOW
@given(seeds, amplitudes)
def test_ricci_curvature_in_space_ignores_the_scale(seed, amplitude):
    metric = SPACE.random_metric(seed, amplitude, modes=1)
    ricci = metric.ricci()
    assert (3.0 * metric).ricci().max_distance(ricci) < 1e-11 * ricci.max_modulus()


def bianchi_residual(metric):
    """max |∇^i R_ij − ½ ∂_j R|, and what the grid can be expected to resolve of it."""
    grid, ricci, scalar = metric.grid, metric.ricci(), metric.scalar()
    gamma, raised, unit = metric.christoffel().values, np.linalg.inv(metric.values), np.eye(grid.dim, dtype=int)
    d_ricci = np.stack(
        [
            np.stack([grid.derivative(row, unit[k]) for k in range(grid.dim)], axis=-1)
            for row in np.moveaxis(flattened(ricci.values, grid.dim), -1, 0)
        ],
        axis=-2,
    ).reshape(*grid.shape, grid.dim, grid.dim, grid.dim)
    nabla = d_ricci - np.einsum("...mki,...mj->...ijk", gamma, ricci.values)
    nabla -= np.einsum("...mkj,...im->...ijk", gamma, ricci.values)
    divergence = np.einsum("...ik,...ijk->...j", raised, nabla)
    slope = np.stack([grid.derivative(scalar.values, index) for index in unit], axis=-1)
    expected = spectral_error(ricci, derivatives=1) + spectral_error(scalar, derivatives=1)
    return np.max(np.abs(divergence - 0.5 * slope)), expected * np.max(np.abs(raised)), np.max(np.abs(slope))


@QUICK
@given(seeds, amplitudes)
def test_contracted_bianchi_identity_on_surfaces(seed, amplitude):
    """∇^i R_ij = ½ ∂_j R."""
    residual, expected, size = bianchi_residual(SURFACE.random_metric(seed, amplitude, modes=1))
    assert residual < 10 * expected
    assert residual < 1e-2 * size


@SLOW
@given(seeds)
def test_contracted_bianchi_identity_in_space(seed):
    residual, expected, size = bianchi_residual(SPACE.random_metric(seed, 0.1, modes=1))
    assert residual < 10 * expected
    assert residual < 1e-2 * size


@QUICK
@given(seeds, amplitudes)
def test_gauss_bonnet(seed, amplitude):
    """∫ R dμ = 0 for every metric on a two-dimensional torus."""
    metric = SURFACE.random_metric(seed, amplitude)
    density = metric.scalar() * metric.volume_density()
    assert abs(metric.total_curvature()) < 10 * spectral_error(density) * SURFACE.torus.cell_volume
    assert abs(metric.total_curvature()) < 1e-3 * density.norm()


@QUICK
@given(seeds, amplitudes, st.sampled_from([2, 4, 6, 8, "spectral"]))
def test_total_curvature_of_a_kahler_curve_vanishes_exactly(seed, amplitude, order):
    """In complex dimension one R dμ is a Laplacian, whose sum over the grid is zero for every discretisation."""
    phi = grid_of(CURVE.torus, 24, order).random_potential(seed, amplitude)
    density = phi.scalar() * phi.volume_density()
    assert abs(phi.total_curvature()) < rounding(phi.grid, np.max(np.abs(phi.log_density().values)), 2)
    assert density.norm() > 1e-3


@SLOW
@given(seeds, st.floats(min_value=0.05, max_value=0.3))
def test_total_curvature_of_a_kahler_surface_vanishes(seed, amplitude):
    """∫ R dμ = 0 on every Kähler torus."""
    phi = KAHLER_SURFACE.random_potential(seed, amplitude, modes=1)
    density = phi.scalar() * phi.volume_density()
    assert abs(phi.total_curvature()) < 10 * spectral_error(density)
    assert abs(phi.total_curvature()) < 1e-4 * density.norm()


@QUICK
@given(seeds, amplitudes)
def test_volume_and_mean_density_of_a_kahler_class(seed, amplitude):
    """The volume depends on the reference form only, and v has mean one."""
    phi = KAHLER_SURFACE.random_potential(seed, amplitude, modes=1)
    assert phi.volume() == pytest.approx(1, abs=10 * unresolved(phi.metric().determinant().values) + 1e-13)
    assert phi.density().mean() == pytest.approx(1, abs=1e-13)


@QUICK
@given(seeds, st.floats(min_value=0.05, max_value=0.3))
def test_realified_kahler_curvature_is_riemannian_on_curves(seed, amplitude):
    """−2Δ_∂ log det g equals the scalar curvature of the real metric."""
    phi = CURVE.random_potential(seed, amplitude)
    kahler, riemannian = phi.scalar(), phi.realify().scalar()
    assert kahler.max_distance(riemannian) < 10 * (spectral_error(kahler) + spectral_error(riemannian))
    assert kahler.max_distance(riemannian) < 1e-2 * kahler.norm()


@settings(max_examples=2, phases=UNSHRUNK)
@given(seeds)
def test_realified_kahler_curvature_is_riemannian_on_surfaces(seed):
    """The real Ricci tensor of the real metric is the realified Ricci form, component by component."""
    phi = KAHLER_SURFACE.random_potential(seed, 0.15, modes=1)
    kahler, riemannian = phi.ricci().realify(), phi.realify().ricci()
    difference = np.max(np.abs(kahler.values - riemannian.values))
    assert difference < 10 * (spectral_error(kahler) + spectral_error(riemannian))
    assert difference < 1e-2 * riemannian.norm()


@QUICK
@given(seeds, st.floats(min_value=0.05, max_value=0.2), automorphisms(2))
def test_scalar_curvature_is_natural_under_automorphisms(seed, amplitude, matrix):
    """R(A*g) = A*(R(g)) for A in SL(2, Z)."""
    metric = Torus(2).grid(48, scheme="spectral").random_metric(seed, amplitude, modes=1)
    moved = metric.pull_back(matrix)
    found, expected = moved.scalar(), metric.scalar().pull_back(matrix)
    assert found.max_distance(expected) < 10 * (spectral_error(found) + spectral_error(expected))
    assert found.max_distance(expected) < 1e-2 * expected.norm()


@SLOW
@given(seeds, automorphisms(3, length=1))
def test_scalar_curvature_is_natural_in_space(seed, matrix):
    """R(A*g) = A*(R(g)) for A in SL(3, Z)."""
    metric = SPACE.random_metric(seed, 0.05, modes=1)
    found, expected = metric.pull_back(matrix).scalar(), metric.scalar().pull_back(matrix)
    assert found.max_distance(expected) < 10 * (spectral_error(found) + spectral_error(expected))
    assert found.max_distance(expected) < 5e-2 * expected.norm()


@QUICK
@given(seeds, amplitudes)
def test_one_torus_has_many_lattices(seed, amplitude):
    """Curvature at the same points is the same whichever basis of the lattice the grid follows."""
    square = Torus(2).grid(48, scheme="spectral")
    slanted = Torus(2, lattice=[[1, 0], [1, 1]]).grid(48, scheme="spectral")
    metric = square.random_metric(seed, 0.5 * amplitude, modes=1)
    i, j = np.meshgrid(range(48), range(48), indexing="ij")
    places = ((i + j) % 48, j)
    found = slanted.metric(metric.values[places]).scalar()
    expected = metric.scalar()
    worst = np.max(np.abs(found.values - expected.values[places]))
    assert worst < 10 * (spectral_error(found) + spectral_error(expected))
    assert worst < 1e-2 * expected.norm()


@SLOW
@given(seeds, amplitudes)
def test_riemann_tensor_has_its_symmetries_and_contracts_to_ricci(seed, amplitude):
    """R_lkij = −R_klij = −R_lkji = R_ijlk, R_lkij + R_lijk + R_ljki = 0, R^l_klj = Ric_kj."""
    metric = SPACE.random_metric(seed, amplitude, modes=1)
    riemann = metric.riemann().values
    lower = np.einsum("...ml,...lkij->...mkij", metric.values, riemann)
    size = np.max(np.abs(lower))
    cyclic = lower + np.einsum("...lijk->...lkij", lower) + np.einsum("...ljki->...lkij", lower)
    for broken in (
        lower + np.swapaxes(lower, -3, -4),
        lower + np.swapaxes(lower, -1, -2),
        lower - np.einsum("...ijlk->...lkij", lower),
        cyclic,
        np.einsum("...lklj->...kj", riemann) - metric.ricci().values,
    ):
        assert np.max(np.abs(broken)) < 1e-12 * size
