"""Exact values of curvature at grid points, and how well a grid resolves a function: used by tests of fields."""

from __future__ import annotations

import numpy as np

from geomflow.core import graph as gr
from geomflow.field.sampling import expression_node
from geomflow.symbolic.jets import MetricNodes, hermitian_nodes


def grid_of(torus, n, order):
    """The grid with stencils of an order, or with Fourier derivatives where the order is "spectral"."""
    return torus.grid(n, scheme="spectral") if order == "spectral" else torus.grid(n, order=order)


def on_grid(grid, node):
    """The values of a closed form at the points, (*grid)."""
    leaves = [gr.symbol(name) for name in grid.torus.coordinates]
    values = gr.evaluate([node], dict(zip(leaves, grid.coordinates())))[0]
    return np.broadcast_to(values, grid.shape)


def exact_metric(torus, components):
    """The exact geometry of a metric given by text components."""
    matrix = np.array([[expression_node(torus, entry) for entry in row] for row in components], dtype=object)
    return MetricNodes(torus.coordinates, matrix)


def exact_kahler(torus, potential, reference=None):
    """The exact geometry of a Kähler metric given by the text of its potential."""
    return hermitian_nodes(torus.coordinates, reference, expression_node(torus, potential))


def unresolved(values):
    """Sum of the moduli of the Fourier coefficients with a wave number in the upper third of the grid's range.

    For an analytic function this bounds, up to a factor of order one, what a grid of this size does not see.
    """
    coefficients = np.abs(np.fft.fftn(values)) / values.size
    high = np.zeros(values.shape, bool)
    for axis, n in enumerate(values.shape):
        shape = [1] * values.ndim
        shape[axis] = n
        high |= (np.abs(np.fft.fftfreq(n)) > 1 / 3).reshape(shape)
    return float(coefficients[high].sum())


def rounding(grid, scale, derivatives):
    """Rounding error of `derivatives` spectral derivatives of numbers of size `scale`: ε (π/h)^derivatives."""
    return 10 * np.finfo(float).eps * scale * (np.pi / min(grid.spacing)) ** derivatives
