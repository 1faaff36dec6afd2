"""Programs on grids: stencils and Fourier behind one interface, on rectangles and on lattices."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from fields import grid_of

from geomflow.core import graph as gr
from geomflow.core import memory
from geomflow.core.errors import MemoryLimitError, ShapeError
from geomflow.core.program import Program, Stage
from geomflow.field import ComplexTorus, Torus
from geomflow.field.metric import metric_program
from geomflow.field.operators import PointwiseOperator, cell_parameters, discretise, held_arrays, pointwise, to_cell

SLANTED = Torus(2, lattice=[[1.0, 0.0], [0.3, 1.2]])
GRIDS = [
    grid_of(torus, (16, 18), order) for torus in (Torus(2, periods=(1, 2)), SLANTED) for order in (2, 6, "spectral")
]


def jet(name, *index):
    return gr.jet(name, index)


TWO_STAGES = Program(
    coordinates=("x", "y"),
    fields=("u",),
    statics=("s",),
    parameters=("c",),
    stages=(
        Stage((("w", jet("u", 2, 0) + gr.symbol("c") * jet("u", 1, 1)),)),
        Stage((("a", jet("w", 0, 1) * jet("u", 0, 0) + jet("s", 1, 0)), ("b", gr.symbol("x") * jet("w", 0, 0)))),
    ),
)


@pytest.mark.parametrize("grid", GRIDS, ids=repr)
def test_programs_agree_with_derivatives_of_single_arrays(grid):
    u, s = grid.random_scalar(1).values, grid.random_scalar(2).values
    found = discretise(TWO_STAGES, grid, statics=s[None])(u[None], (0.7,))
    w = grid.derivative(u, (2, 0)) + 0.7 * grid.derivative(u, (1, 1))
    x = np.broadcast_to(grid.coordinates()[0], grid.shape)
    expected = np.stack([grid.derivative(w, (0, 1)) * u + grid.derivative(s, (1, 0)), x * w])
    assert found.shape == (2, *grid.shape)
    assert np.max(np.abs(found - expected)) < 1e-11 * np.max(np.abs(expected))


@pytest.mark.parametrize("grid", GRIDS[:2], ids=repr)
def test_fused_and_pointwise_routines_agree(grid):
    u, s = grid.random_scalar(1).pack(), grid.random_scalar(2).pack()
    fused, plain = (make(TWO_STAGES, grid, statics=s)(u, (0.7,)) for make in (discretise, pointwise))
    assert np.max(np.abs(fused - plain)) < 1e-12 * np.max(np.abs(plain))


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_fused_curvature_agrees_with_pointwise_curvature(order):
    """So that the convergence orders measured on states are those of the fused routines of flows."""
    metric = Torus(2).grid(20, order=order).random_metric(3, amplitude=0.4)
    fused = discretise(metric_program(("x", "y"), "scalar"), metric.grid)(metric.pack())[0]
    expected = metric.scalar().values
    assert np.max(np.abs(fused - expected)) < 1e-12 * np.max(np.abs(expected))


@pytest.mark.parametrize("grid", GRIDS[:3], ids=repr)
def test_results_are_written_into_out(grid):
    u, s = grid.random_scalar(1).pack(), grid.random_scalar(2).pack()
    operator = discretise(TWO_STAGES, grid, statics=s)
    out = np.full((2, *grid.shape), np.nan)
    assert operator(u, (0.7,), out=out) is out
    assert np.array_equal(out, operator(u, (0.7,)))


@pytest.mark.parametrize("grid", [GRIDS[0], GRIDS[2]], ids=repr)
def test_what_operators_refuse(grid):
    u, s = grid.random_scalar(1).pack(), grid.random_scalar(2).pack()
    operator = discretise(TWO_STAGES, grid, statics=s)
    with pytest.raises(ShapeError, match=r"the program takes \(1, 16, 18\): \(u\)"):
        operator(u[0], (0.7,))
    with pytest.raises(ShapeError, match="0 parameters were given; the program takes 1"):
        operator(u)
    with pytest.raises(ShapeError, match="out must be C-contiguous"):
        operator(u, (0.7,), out=np.empty((1, *grid.shape)))
    with pytest.raises(ShapeError, match=r"needs the static arrays \(s\).*none were given"):
        discretise(TWO_STAGES, grid)
    with pytest.raises(ShapeError, match="shape"):
        discretise(TWO_STAGES, grid, statics=s[0])


def test_one_routine_serves_all_lattices_with_the_same_zeros():
    other = Torus(2, lattice=[[2.0, 0.0], [-0.4, 0.9]])
    assert to_cell(TWO_STAGES, SLANTED) is to_cell(TWO_STAGES, other)
    assert len(cell_parameters(SLANTED)) == len(to_cell(TWO_STAGES, SLANTED).parameters) - 1
    assert cell_parameters(Torus(2, periods=(1, 2))) == ()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("order", [4, "spectral"])
def test_the_number_of_threads_does_not_change_results(order, threads):
    """Large enough a grid that both the transforms and the routines share their work."""
    import numba

    grid = grid_of(Torus(2), 512, order)
    metric = grid.random_metric(5, amplitude=0.4)
    operator = discretise(metric_program(grid.torus.coordinates, "scalar"), grid)
    everything = operator(metric.pack())
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(min(threads, before))
        assert np.array_equal(operator(metric.pack()), everything)
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("grid", [grid_of(torus, n, order) for order in (2, "spectral")
                                  for torus, n in ((Torus(2), 128), (ComplexTorus(3), 5))], ids=repr)
def test_no_more_memory_is_taken_than_was_stated(grid):
    """And no array outlives its use, also where a stage differentiates the results of another."""
    first, last = (1, *(0,) * (grid.dim - 1)), (*(0,) * (grid.dim - 1), 2)
    mixed, none = (1, *(0,) * (grid.dim - 2), 1), (0,) * grid.dim
    stages = (Stage((("w", jet("u", *last) + jet("u", *mixed)), ("s", jet("u", *first) * jet("u", *none)))),
              Stage((("a", jet("w", *mixed) * jet("s", *last) + jet("u", *mixed)),)))
    program = Program(grid.torus.coordinates, ("u",), (), (), stages)
    operator, u = pointwise(program, grid), grid.random_scalar(1).values[None]
    expected = operator(u)
    gc.disable()
    tracemalloc.start()
    try:
        for _ in range(2):
            found = operator(u)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()
    np.testing.assert_array_equal(found, expected)
    assert peak <= (held_arrays(operator.program) + 1) * grid.nbytes + 20_000
    assert peak > 0.5 * held_arrays(operator.program) * grid.nbytes


def test_grids_of_six_axes_take_what_is_fused_on_four(monkeypatch):
    grid = ComplexTorus(3).grid(3, order=2)
    program = Program(grid.torus.coordinates, ("u",), (), (), (Stage((("w", jet("u", 2, 0, 0, 0, 0, 0)),)),))
    assert isinstance(discretise(program, grid), PointwiseOperator)
    monkeypatch.setattr(memory, "available", lambda: held_arrays(program) * grid.nbytes - 1)
    with pytest.raises(MemoryLimitError, match="arrays of derivatives and results"):
        discretise(program, grid)
