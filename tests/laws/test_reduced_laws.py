"""Laws of bases and of evaluated expressions: projections, integrals of derivatives, Jacobians against differences."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomflow.core import graph as gr
from geomflow.core.content import content
from geomflow.core.program import Average
from geomflow.field.bases import Clustered, Drawn, Fourier, Legendre, Periodic, Point, Product, Staggered
from geomflow.field.reduced import Closing, Evaluated

EPS = np.finfo(float).eps

orders = st.sampled_from([2, 4, 6, 8])
places = st.lists(st.tuples(st.floats(0, np.pi), st.floats(0, 4)), max_size=2).map(tuple)
angles = st.lists(st.tuples(st.floats(0, 2 * np.pi), st.floats(0, 2)), max_size=2).map(tuple)
circles = st.one_of(st.builds(Fourier, st.integers(1, 20), st.floats(0.5, 7)),
                    st.builds(Drawn, st.integers(4, 20), st.floats(0.5, 7), angles),
                    st.builds(Periodic, st.integers(9, 20), st.floats(0.5, 7), orders))
intervals = st.one_of(
    st.builds(Legendre, st.integers(4, 24), st.floats(-1, 0), st.floats(0.5, 4)),
    st.builds(Clustered, st.integers(8, 24), st.floats(-1, 0), st.floats(0.5, 4), places),
    st.builds(Staggered, st.integers(9, 20), st.floats(-1, 0), st.floats(0.5, 4), orders))
one_axis = st.one_of(circles, intervals)
bases = st.one_of(one_axis, st.builds(Product, one_axis, one_axis), st.just(Point()))
seeds = st.integers(0, 2**32 - 1)


def power_of(basis, times):
    return tuple(times if axis == len(basis.shape) - 1 else 0 for axis in range(len(basis.shape)))


@given(bases)
def test_projections_are_idempotent_and_keep_constants(basis):
    matrix = basis.project
    assert np.abs(matrix @ matrix - matrix).max() < 100 * basis.size * EPS
    assert np.abs(matrix @ np.ones(basis.size) - 1).max() < 100 * basis.size * EPS
    assert basis.weights.shape == basis.odd_weights.shape == (basis.size,)


@given(one_axis)
def test_derivatives_are_of_what_is_projected(basis):
    first, scale = basis.derivative((1,)), 1 + np.abs(basis.derivative((1,))).sum(axis=1).max()
    assert np.abs(first @ basis.project - first).max() < 100 * basis.size * scale * EPS
    assert np.abs(first.sum(axis=1)).max() < 100 * basis.size * scale * EPS


@given(circles, seeds)
def test_integrals_of_derivatives_vanish_on_circles(basis, seed):
    f = np.random.default_rng(seed).normal(size=basis.size)
    for times in (1,) if isinstance(basis, Drawn) else (1, 2):
        matrix = basis.derivative((times,))
        size = basis.weights @ np.abs(matrix) @ np.abs(f)
        assert abs(basis.weights @ matrix @ f) <= 100 * basis.size * EPS * size


@given(st.builds(Legendre, st.integers(4, 24), st.just(-0.5), st.floats(0.5, 4)), seeds)
def test_integrals_of_derivatives_are_differences_of_ends(basis, seed):
    """∫ f_ξ dξ = f(1) − f(−1), and ∫ ((1 − ξ²) f_ξ)_ξ dξ = 0, of the projected polynomial."""
    f = np.random.default_rng(seed).normal(size=basis.size)
    start, end = basis.at([basis.a, basis.b]) @ f
    slope = basis.derivative((1,)) @ f
    size = basis.weights_xi @ np.abs(slope)
    assert basis.weights_xi @ slope == pytest.approx(start - end, abs=100 * basis.size * EPS * size)
    second = basis.sine_squared * (basis.derivative((2,)) @ f)
    laplacian = second - 2 * basis.points[0] * slope
    assert abs(basis.weights_xi @ laplacian) < 100 * basis.size * EPS * (basis.weights_xi @ np.abs(second) + 2 * size)


@given(bases, bases)
def test_bases_are_told_apart_by_content(one, two):
    assert (content(one) == content(two)) == (one == two)
    assert hash(one) == hash(one)
    assert one == one


def expressions(basis):
    """Rates of two unknowns with a given function, a number, an average and exponentials."""
    axes = len(basis.shape)
    u, w = (gr.jet(name, (0,) * axes) for name in ("u", "w"))
    du, dw = (gr.jet("u", power_of(basis, 1)), gr.jet("w", power_of(basis, 2))) if axes else (u**2, w)
    closing = Closing("w", "rho", Fraction(-2, 3))
    rho, t, mean, other = (gr.symbol(name) for name in ("rho", "t", "mean", "other"))
    nodes = [gr.exp(-u) * du * dw + rho * mean + t * u * closing.symbol(2), gr.sin(u) * closing.symbol(0) + dw,
             other * mean + closing.symbol(5) * closing.symbol(1)]
    averages = [Average("mean", gr.exp(w) * du + u, gr.exp(u) + rho * w**2),
                Average("other", closing.symbol(3), gr.exp(w))]
    return nodes, averages, [closing]


@settings(max_examples=20)
@given(bases, seeds)
def test_jacobians_are_the_differences_of_rates(basis, seed):
    """Central differences of two steps, extrapolated, along random directions."""
    rng = np.random.default_rng(seed)
    nodes, averages, closings = expressions(basis)
    rates = Evaluated(nodes, ["u", "w"], basis, {"rho": rng.uniform(0, 1, basis.size)}, averages, closings)
    scale = max([1.0, *(np.abs(m).sum(axis=1).max() for m in rates._matrices.values())])
    y, direction = 0.5 * rng.normal(size=(2, 2, 1)) + rng.normal(size=(2, 2, basis.size)) / scale  # of jets near one
    numbers, step = {"t": 0.7}, 2e-3

    def difference(step):
        return (rates(y + step * direction, numbers) - rates(y - step * direction, numbers)) / (2 * step)

    wanted = (4 * difference(step / 2) - difference(step)) / 3
    found = (rates.jacobian(y, numbers) @ direction.ravel()).reshape(wanted.shape)
    rounding = 16 * EPS * scale / step
    assert np.abs(found - wanted).max() < 1e-8 * max(1, np.abs(found).max()) + rounding


@given(st.builds(Legendre, st.integers(5, 24), st.just(0.0), st.just(1.0)), seeds)
def test_unknowns_may_have_bases_of_their_own(basis, seed):
    y = np.random.default_rng(seed).normal(size=(2, basis.size))
    rates = Evaluated([gr.jet("u", (1,)) * gr.jet("w", (1,))], ["u", "w"], [basis, basis.limited(2)])
    wanted = (basis.derivative((1,)) @ y[0]) * (basis.limited(2).derivative((1,)) @ y[1])
    assert np.array_equal(rates(y, {})[0], wanted)
