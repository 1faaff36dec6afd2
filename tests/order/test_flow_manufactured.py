"""Runs converge in space at the order of their stencils, against manufactured solutions.

A smooth y(t, x) is chosen; with the source ∂_t y − F(y), computed exactly from the flow's own expressions and the
closed form of y, it solves ∂_t y = F(y) + source. The runs' errors in the maximum norm, at tolerances far below
them, fall as the order of the stencils.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.codegen import compile_points
from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import all_from_sympy

T1 = 0.002


@dataclass(frozen=True)
class Forced:
    """A flow with the source that makes `solution`, sympy expressions in t and the coordinates, solve it."""

    flow: gf.Flow
    solution: tuple[sympy.Expr, ...]

    def bind(self, state: Any):
        problem, equation = self.flow.bind(state), self.flow.on(state)
        source = self.source(equation.program, equation.numbers)
        points = np.moveaxis(state.grid.points(), -1, 0)

        def rate(t, y, out):
            problem.rate(t, y, out)
            out += np.moveaxis(source(np.full(points[0].shape, t), *points), -1, 0)

        return replace(problem, rate=rate)

    def source(self, program, numbers):
        """∂_t y − F(y) as a routine of (t, x, ...), with the numbers of the state's class."""
        coordinates = program.coordinates
        closed = dict(zip(program.fields, all_from_sympy(self.solution), strict=True))
        derive = gr.Derivation(("t", *coordinates))
        rates = program.unstaged()
        jets = {gr.symbol(name): gr.constant(Fraction(number)) for name, number in numbers.items()}
        for leaf in gr.leaves(rates):
            if leaf.op == "jet":
                node = closed[leaf.data[0]]
                for axis, times in enumerate(leaf.data[1]):
                    for _ in range(times):
                        node = derive(node, axis + 1)
                jets[leaf] = node
        exact = gr.substitute(rates, jets)
        nodes = [derive(closed[name], 0) - node for name, node in zip(program.fields, exact, strict=True)]
        return compile_points(nodes, [gr.symbol(name) for name in ("t", *coordinates)])


def values(solution, grid, t):
    names = sympy.symbols(("t", *grid.torus.coordinates))
    function = sympy.lambdify(names, list(solution), "numpy")
    points = np.moveaxis(grid.points(), -1, 0)
    return np.stack([np.broadcast_to(v, grid.shape) for v in function(t, *points)])


def slope(make_state, flow, torus, solution, sizes, order):
    errors = []
    for n in sizes:
        grid = torus.grid(n, order=order)
        state = make_state(grid, values(solution, grid, 0.0))
        sol = gf.solve(Forced(flow, solution), state, t1=T1, stepper="rk45", rtol=1e-11)
        errors.append(np.abs(sol.last.pack() - values(solution, grid, T1)).max())
    fits = np.polyfit(np.log(sizes), np.log(errors), 1)
    return -fits[0]


def deturck_solution():
    t, x, y, z = sympy.symbols("t x y z")
    wave = 2 * sympy.pi
    decay = sympy.exp(-20 * t) / 10
    return (1 + decay * sympy.sin(wave * y), decay * sympy.cos(wave * z) / 2, decay * sympy.sin(wave * (x + y)) / 3,
            1 + decay * sympy.cos(wave * (x - z)), decay * sympy.cos(wave * x) / 2, 1 + decay * sympy.sin(wave * z))


def potential_solution():
    t, x1, y1, x2, y2 = sympy.symbols("t x1 y1 x2 y2")
    wave = 2 * sympy.pi
    return ((sympy.cos(wave * (x1 + y2)) + sympy.sin(wave * x2) * sympy.cos(wave * y1)) * sympy.exp(-10 * t) / 300,)


@pytest.mark.slow
@pytest.mark.parametrize("order", [2, 4])
def test_deturck_flow_in_dimension_three(order):
    found = slope(lambda grid, packed: grid.metric().unpack(packed), gf.RicciFlow(gauge="deturck"), gf.Torus(dim=3),
                  deturck_solution(), (16, 24, 32), order)
    assert abs(found - order) < 0.15


@pytest.mark.parametrize(("order", "sizes"), [
    (2, (12, 18, 24)), pytest.param(8, (16, 20, 26), marks=pytest.mark.slow)])  # fmt: skip
def test_kahler_ricci_flow_in_complex_dimension_two(order, sizes):
    found = slope(lambda grid, packed: grid.potential(packed[0]), gf.KahlerRicciFlow(), gf.ComplexTorus(dim=2),
                  potential_solution(), sizes, order)
    assert abs(found - order) < 0.15
