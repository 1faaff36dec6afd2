"""Grid routines converge at the order of their stencils, in the maximum norm.

u = exp(a sin(2 pi x) + a cos(2 pi y) / 2) is differentiated exactly by the graph and numerically on two grids; the
slope of the error must be the order to 0.15, for every kind of derivative and for a program of two stages. The
grids are fine enough for the leading error term and coarse enough that rounding, eps / h**4, stays below it.
"""

from fractions import Fraction

import numpy as np
import pytest

from geomflow.codegen import compile_grid
from geomflow.core import graph as gr
from geomflow.core.program import Program, Stage

X, Y = gr.symbol("x"), gr.symbol("y")
INDICES = [(1, 0), (0, 1), (2, 0), (0, 2), (1, 1), (3, 0), (1, 2), (0, 4), (2, 2)]


def wave(amplitude):
    return gr.exp((gr.sin(2 * gr.PI * X) + gr.cos(2 * gr.PI * Y) * Fraction(1, 2)) * amplitude)


def exact(expression, n):
    x, y = np.meshgrid(np.arange(n) / n, np.arange(n) / n, indexing="ij")
    return gr.evaluate([expression], {X: x, Y: y})[0]


def total(expression, index):
    derivation = gr.Derivation(("x", "y"))
    for axis, times in enumerate(index):
        for _ in range(times):
            expression = derivation(expression, axis)
    return expression


def slopes(program, order, u, solutions, grids):
    """The measured orders of the outputs."""
    routine, errors = compile_grid(program, order), []
    for n in grids:
        value = routine(exact(u, n)[None], (1 / n, 1 / n))
        errors.append([np.abs(v - exact(s, n)).max() for v, s in zip(value, solutions)])
    return np.log(np.array(errors[0]) / np.array(errors[1])) / np.log(grids[1] / grids[0])


@pytest.mark.parametrize("order, grids", [(2, (128, 256)), (4, (96, 192)), (6, (64, 128)), (8, (56, 72))])
def test_derivatives_converge_at_the_order(order, grids):
    outputs = tuple((f"d{i}{j}", gr.jet("u", (i, j))) for i, j in INDICES)
    program, u = Program(("x", "y"), ("u",), (), (), (Stage(outputs),)), wave(1)
    measured = slopes(program, order, u, [total(u, index) for index in INDICES], grids)
    assert np.all(np.abs(measured - order) < 0.15), dict(zip(INDICES, measured))


@pytest.mark.parametrize("order, grids", [(2, (96, 192)), (4, (96, 192)), (6, (64, 128)), (8, (64, 96))])
def test_stages_converge_at_the_order(order, grids):
    """w = (Delta a) / u + a_xy with a = log u + u_x**2, in two stages."""
    first = Stage((("a", gr.log(gr.jet("u", (0, 0))) + gr.jet("u", (1, 0)) ** 2),))
    second = (gr.jet("a", (2, 0)) + gr.jet("a", (0, 2))) / gr.jet("u", (0, 0)) + gr.jet("a", (1, 1))
    program, u = Program(("x", "y"), ("u",), (), (), (first, Stage((("w", second),)))), wave(Fraction(1, 2))
    a = gr.log(u) + total(u, (1, 0)) ** 2
    solution = (total(a, (2, 0)) + total(a, (0, 2))) / u + total(a, (1, 1))
    measured = slopes(program, order, u, [solution], grids)
    assert np.all(np.abs(measured - order) < 0.15), measured
