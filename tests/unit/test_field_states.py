"""States: packing, measuring, comparing, integrals, arithmetic, random fields."""

from __future__ import annotations

import numpy as np
import pytest

from geomflow.core import conventions
from geomflow.core.errors import InputError, PositivityError, ShapeError
from geomflow.field import ComplexTorus, Torus
from geomflow.field.hermitian import HermitianField
from geomflow.field.matrices import determinant, quotient_trace
from geomflow.field.potential import PotentialField

GRID = Torus(2, periods=(1, 2)).grid((8, 10))
SPACE = Torus(3).grid(6, order=2)
CURVE = ComplexTorus(1).grid(16, scheme="spectral")
SURFACE = ComplexTorus(2).grid(6, scheme="spectral")

STATES = {
    "scalar": GRID.random_scalar(1),
    "metric": GRID.random_metric(1, amplitude=0.5),
    "metric of space": SPACE.random_metric(2, amplitude=0.5),
    "Hermitian form": SURFACE.random_potential(3, amplitude=0.5).metric(),
    "Hermitian metric": SURFACE.random_hermitian(5, amplitude=0.5),
    "potential": CURVE.random_potential(4, amplitude=0.5),
    "tensor": GRID.random_metric(1).christoffel,
}


@pytest.mark.parametrize("name", STATES)
def test_pack_and_unpack_are_inverse(name):
    state = STATES[name]() if callable(STATES[name]) else STATES[name]
    packed = state.pack()
    assert packed.shape == (len(state.component_names), *state.grid.shape)
    assert packed.dtype == np.float64
    assert packed.flags.c_contiguous
    again = state.unpack(packed)
    assert type(again) is type(state)
    assert np.array_equal(again.values, state.values)
    assert state.distance(again) == 0
    packed[0] += 1
    assert state.distance(again) == 0, "a state must not see its packed array change"


@pytest.mark.parametrize("name", ["scalar", "metric", "Hermitian form", "potential"])
def test_unpack_refuses_other_shapes(name):
    with pytest.raises(ShapeError, match="ncomp"):
        STATES[name].unpack(np.zeros((7, 3)))


def test_component_names():
    assert STATES["metric of space"].component_names == ("g_xx", "g_xy", "g_xz", "g_yy", "g_yz", "g_zz")
    assert STATES["Hermitian form"].component_names == ("h_11", "h_22", "re_h_12", "im_h_12")
    assert STATES["potential"].component_names == ("phi",)


def test_metric_names_are_those_of_the_exact_floor():
    from geomflow.symbolic.jets import metric_names

    assert STATES["metric of space"].component_names == metric_names(("x", "y", "z"))


def test_distance_is_the_root_mean_square_and_max_distance_the_maximum():
    zero, wave = GRID.scalar(0), GRID.scalar("cos(2*pi*x)")
    assert zero.distance(wave) == pytest.approx(np.sqrt(0.5))
    assert zero.max_distance(wave) == 1
    assert wave.norm() == pytest.approx(np.sqrt(0.5))
    flat = GRID.metric()
    assert flat.distance(flat * 2.0) == pytest.approx(np.sqrt(2))


def test_distance_refuses_other_kinds_and_grids():
    with pytest.raises(ShapeError, match="two fields of one kind on one grid"):
        GRID.scalar(0).distance(GRID.metric())
    with pytest.raises(ShapeError, match="two fields of one kind on one grid"):
        GRID.scalar(0).distance(Torus(2).grid(8).scalar(0))
    with pytest.raises(ShapeError, match=r"indices \^k_ij"):
        STATES["tensor"]().distance(GRID.random_metric(1).riemann())


@pytest.mark.parametrize("degree", range(8))
def test_integrals_are_exact_for_trigonometric_polynomials(degree):
    grid = Torus(2, periods=(1, 2)).grid((8, 9), order=2)
    value = grid.scalar(f"3/2 + cos(2*pi*{degree}*x + 1)*cos(pi*y)^2").integral()
    assert value == pytest.approx(2 * (1.5 + (0.5 * np.cos(1) if degree == 0 else 0)), abs=1e-14)


def test_volume_of_a_constant_metric():
    metric = GRID.metric([["4", "1"], ["1", "1"]])
    assert metric.volume() == pytest.approx(2 * np.sqrt(3))
    assert GRID.scalar(2).integral(metric) == pytest.approx(4 * np.sqrt(3))


def test_arithmetic_of_scalars():
    f, g = GRID.random_scalar(1), GRID.random_scalar(2)
    assert np.array_equal((2 * f + g / 3 - 1).values, 2 * f.values + g.values / 3 - 1)
    assert np.array_equal((1 - f).values, 1 - f.values)
    assert np.array_equal((1 / (2 + f)).values, 1 / (2 + f.values))
    assert np.array_equal((-(f**2)).values, -(f.values**2))
    assert np.array_equal(f.map(np.exp).values, np.exp(f.values))
    with pytest.raises(TypeError):
        f + "x"
    with pytest.raises(ShapeError, match="different grids"):
        f + SPACE.scalar(0)


def test_arithmetic_of_metrics():
    metric, factor = GRID.random_metric(1), GRID.random_scalar(2) + 2.0
    assert np.array_equal((factor * metric).values, factor.values[..., None, None] * metric.values)
    assert np.array_equal((metric + metric).values, (2 * metric).values)


def test_realified_metric_matches_the_convention_table():
    form = STATES["Hermitian form"]
    order = conventions.pairs_from_blocks(2)
    blocks = conventions.realify(form.values)
    assert np.array_equal(form.realify().values, blocks[..., order[:, None], order[None, :]])
    assert form.realify().volume_density().values == pytest.approx(conventions.volume_density(form.values))
    ricci = STATES["Hermitian form"].unpack(np.random.default_rng(1).standard_normal((4, *SURFACE.shape)))
    trace = conventions.complex_trace(form.values, ricci.values)
    assert form.trace(ricci).values == pytest.approx(trace)


def test_density_has_mean_one_and_log_density_is_its_logarithm():
    phi = STATES["potential"]
    assert phi.density().mean() == pytest.approx(1, abs=1e-15)
    assert phi.log_density().values == pytest.approx(np.log(phi.density().values), abs=1e-14)
    assert phi.volume() == pytest.approx(1, abs=1e-14)


def test_log_density_outside_the_kahler_cone_names_the_place():
    outside = STATES["potential"].unpack(CURVE.scalar("cos(2*pi*x)").pack())
    with pytest.raises(PositivityError, match=r"det g is -9\.3696 at grid point \(0, 0\)"):
        outside.log_density()


def test_flat_states_have_no_curvature():
    assert CURVE.potential(0).scalar().max() == 0
    assert SURFACE.potential(0, reference=[[2, "1"], ["1", 1]]).ricci().norm() == 0
    assert GRID.metric([["2", "1"], ["1", "1"]]).riemann().norm() < 1e-12
    line = Torus(1).grid(9).metric([["2 + cos(2*pi*x)"]])
    assert line.ricci().norm() == line.riemann().norm() == line.scalar().norm() == 0
    assert line.christoffel().max_modulus() > 1


@pytest.mark.parametrize("seed", range(3))
def test_random_fields_are_the_same_functions_on_every_grid(seed):
    torus = ComplexTorus(1, modulus=0.3 + 1.1j)
    coarse, fine = torus.grid(8), torus.grid(16)
    for make in ("random_scalar", "random_metric", "random_potential"):
        a, b = getattr(coarse, make)(seed), getattr(fine, make)(seed)
        assert a.values == pytest.approx(b.values[::2, ::2], abs=1e-14)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("torus", [ComplexTorus(1), ComplexTorus(2), ComplexTorus(1, modulus=0.5 + 2j)])
def test_random_fields_keep_their_promise_of_positivity(torus, seed):
    grid = torus.grid(12, scheme="spectral")
    low, high = grid.random_metric(seed, amplitude=0.7).eigenvalue_range()
    assert 0.3 - 1e-12 <= low < high <= 1.7 + 1e-12
    low, high = grid.random_potential(seed, amplitude=0.7).eigenvalue_range()
    assert 0.15 - 1e-12 <= low < high <= 0.85 + 1e-12


def test_random_fields_refuse_bad_arguments():
    with pytest.raises(InputError, match=r"amplitude is 1\.0"):
        GRID.random_metric(1, amplitude=1.0)
    with pytest.raises(InputError, match="modes is 0"):
        GRID.random_scalar(1, modes=0)
    with pytest.raises(InputError, match="seed"):
        GRID.random_scalar(None)


def test_pull_back_permutes_points():
    grid = Torus(2).grid(8)
    f = grid.scalar("cos(2*pi*x)")
    assert f.pull_back([[1, 1], [0, 1]]).values == pytest.approx(grid.scalar("cos(2*pi*(x+y))").values)
    metric = grid.metric([["2", "0"], ["0", "1"]]).pull_back([[1, 1], [0, 1]])
    assert metric.values[0, 0] == pytest.approx(np.array([[2, 2], [2, 3]]))
    for matrix, error, message in (
        ([[1, 0.5], [0, 1]], InputError, "integer matrices"),
        ([[2, 0], [0, 1]], InputError, "determinant"),
        ([[1]], ShapeError, "2×2"),
    ):
        with pytest.raises(error, match=message):
            f.pull_back(matrix)
    with pytest.raises(ShapeError, match="equal axes"):
        GRID.scalar(0).pull_back([[0, 1], [1, 0]])


@pytest.mark.parametrize("name", STATES)
def test_states_print_as_sentences(name):
    state = STATES[name]() if callable(STATES[name]) else STATES[name]
    assert repr(state).startswith("a ")
    assert " on a grid of " in repr(state)


def test_constructors_refuse_other_shapes():
    with pytest.raises(ShapeError, match="needed"):
        HermitianField(SURFACE, np.zeros((2, 2)))
    with pytest.raises(ShapeError, match="constant reference form is 1×1"):
        PotentialField(CURVE, np.zeros(CURVE.shape), np.eye(2))


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_small_matrices(size):
    """Determinants and tr(h⁻¹T) against numpy's general solver, for well-conditioned Hermitian h."""
    random = np.random.default_rng(size)
    form, other = (random.standard_normal((5, size, size)) + 1j * random.standard_normal((5, size, size)) for _ in "ab")
    form = form @ np.conj(np.swapaxes(form, -1, -2)) + np.eye(size)
    other = other + np.conj(np.swapaxes(other, -1, -2))
    assert determinant(form) == pytest.approx(np.linalg.det(form))
    expected = np.trace(np.linalg.inv(form) @ other, axis1=-2, axis2=-1).real
    assert quotient_trace(form, other) == pytest.approx(expected)
