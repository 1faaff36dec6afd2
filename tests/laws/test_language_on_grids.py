"""Random rates on spectral grids are what numpy makes of the same texts, index by index.

The grids resolve all that is computed, so that both err by rounding alone: k derivatives raise it by (n/√2)^k beside
the waves of length one, the shortest waves being diagonal; 5e-6 for k = 8 and n = 28, of the largest number occurring.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from rates import Grid, tensors

import geomflow as gf
from geomflow.core import graph as gr

SIZE, ROUNDING = 28, 1e-5
TORI = {"square": gf.Torus(dim=2), "skew": gf.Torus(dim=2, lattice=[[1.0, 0.0], [0.37, 1.3]]),
        "complex": gf.ComplexTorus(dim=1), "turned": gf.Torus(dim=2, lattice=[[0.0, 1.5], [1.0, 0.3]])}


def state(torus):
    """A metric and two functions, made of few waves, so small that sines of curvatures are smooth."""
    grid = torus.grid(SIZE, scheme="spectral")
    phases = 2 * np.pi * np.moveaxis(grid.points() @ np.linalg.inv(np.array(torus.lattice)), -1, 0)

    def wave(m, n, shift):
        return np.cos(m * phases[0] + n * phases[1] + shift)

    slant = wave(1, -1, 2) / 300
    metric = np.array([[1 + wave(0, 1, 1) / 200, slant], [slant, 1.2 + wave(1, 0, 0) / 250]])
    parts = {"f": wave(1, 0, 0) / 100 + wave(1, 1, 2) / 160, "h": 0.5 + wave(0, 1, 1) / 100}
    start = grid.fields(g=grid.metric(np.moveaxis(metric, (0, 1), (-2, -1))), **parts)
    return start, Grid(metric, torus.lattice), parts


def computed(stages, grid, arrays, numbers):
    """The outputs of the last of some stages, each derivative by the grid."""
    for stage in stages:
        jets = [leaf for leaf in gr.leaves(stage.nodes) if leaf.op == "jet"]
        known = numbers | {jet: grid.derivative(arrays[jet.data[0]], jet.data[1]) for jet in jets}
        rows = [np.broadcast_to(row, grid.shape) for row in gr.evaluate(list(stage.nodes), known)]
        arrays = arrays | dict(zip(stage.names, rows, strict=True))
    return np.array(rows)


def rates_of(flow, start):
    """The rates of a state, without compiling them."""
    equation, numbers = flow.on(start), dict[gr.Node, float]()
    arrays = dict(zip(equation.program.fields, start.pack(), strict=True))
    for average in equation.averages:
        program = equation.program.averaged(average)
        top, bottom = computed(program.stages, start.grid, arrays, numbers)
        numbers[gr.symbol(average.parameter)] = top.sum() / bottom.sum()
    return computed(equation.program.stages, start.grid, arrays, numbers)


@pytest.mark.parametrize("torus", TORI.values(), ids=TORI)
@given(tensors())
@settings(max_examples=10)
def test_random_rates(torus, texts):
    scalar, tensor = texts
    start, grid, parts = state(torus)
    rates = {"g": "sym(T)", "f": "S", "h": "trace(T)"}
    found = rates_of(gf.Flow.from_expression(rates, where={"S": scalar, "T": tensor}, forced=True), start)
    T = grid.value(tensor, **parts)
    symmetric = (T + T.swapaxes(0, 1)) / 2
    right = [*symmetric[np.triu_indices(2)], grid.value(scalar, **parts), grid.contracted(T)]
    assert np.abs(found - np.array(right)).max() <= ROUNDING * max(1.0, grid.largest)
