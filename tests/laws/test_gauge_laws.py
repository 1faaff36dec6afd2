"""Gauged flows at random metrics: every short wave is damped, as |k|_g^{2m} at its point."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow.flow.character import DIRECTIONS, unit_vectors
from geomflow.flow.slopes import sampled

FLOWS = [(2, "-2*Ric", 1, 2), (2, "laplacian(R)*g", 1, 4), (2, "-laplacian(laplacian(R))*g", 1, 6), (3, "-2*Ric", 1, 2),
         (3, "-Ric", 0.5, 2), (3, "laplacian(Ric)", 0.5, 4)]
"""Dimension, rate, c and 2m."""


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(FLOWS), st.integers(0, 10**6), st.floats(0.01, 0.2))
def test_all_short_waves_of_a_gauged_flow_are_damped(case, seed, size):
    """The symbol is −c|k|_g^{2m} on all of them."""
    dim, rate, scale, order = case
    metric = gf.Torus(dim=dim).grid(8).random_metric(seed, size)
    (block,) = gf.Flow.from_expression(rate, gauge="deturck").character(metric)
    assert (block.growth, block.oscillation, block.undamped, block.order) == (0, 0, 0, order)
    rows = sampled(np.moveaxis(metric.values.reshape(*metric.grid.shape, -1), -1, 0))
    inverse = np.linalg.inv(rows.T.reshape(-1, dim, dim))
    waves = unit_vectors(np.eye(dim), DIRECTIONS)
    squares = np.einsum("di,pij,dj->pd", waves, inverse, waves)
    np.testing.assert_allclose(block.damping, scale * squares.max() ** (order // 2), rtol=1e-4)
