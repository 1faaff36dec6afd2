"""Programs rewritten from Cartesian derivatives to derivatives along the lattice directions of a torus.

With X = Σ_a s_a e_a a jet ∂^index u becomes Σ c_m ∂_s^m u (see `geomflow.field.cell`), and a coordinate X_j becomes
Σ_a E_{aj} s_a. The entries of E^{-1} and E are parameters of the rewritten program, so that one generated routine
serves every lattice with the same zeros.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Program
from geomflow.field.cell import expand
from geomflow.field.lattice import FlatTorus

Pattern = tuple[tuple[bool, ...], ...]


def cell_parameters(torus: FlatTorus) -> tuple[float, ...]:
    """Values of the parameters that `to_cell` adds, in order: none on rectangular tori."""
    if torus.is_rectangular:
        return ()
    matrices = (torus.dual, torus.directions)
    return tuple(float(value) for matrix in matrices for value in matrix[matrix != 0])


def to_cell(program: Program, torus: FlatTorus) -> Program:
    """The program in cell coordinates; its parameters are followed by the lattice's (`cell_parameters`)."""
    return _rewritten(program, _pattern(torus.dual), _pattern(torus.directions))


def _pattern(matrix: np.ndarray) -> Pattern:
    return tuple(tuple(bool(value != 0) for value in row) for row in matrix)


@lru_cache(maxsize=128)
def _rewritten(program: Program, dual: Pattern, directions: Pattern) -> Program:
    roots = [node for stage in program.stages for node in stage.nodes]
    rules = {leaf: rule for leaf in gr.leaves(roots) if (rule := _rule(leaf, program, dual, directions)) is not None}
    stages = tuple(stage.substituted(rules) for stage in program.stages)
    extra = (*_names("dual", dual), *_names("direction", directions))
    return Program(program.coordinates, program.fields, program.statics, (*program.parameters, *extra), stages)


def _rule(leaf: gr.Node, program: Program, dual: Pattern, directions: Pattern) -> gr.Node | None:
    """What a leaf becomes, or None where it stays."""
    if leaf.op == "jet":
        field, index = leaf.data
        terms = expand(index, lambda j, a: _entry("dual", dual, j, a), gr.ONE)
        return gr.add(*(factor * gr.jet(field, cell_index) for cell_index, factor in terms.items()))
    if leaf.data in program.coordinates:
        j = program.coordinates.index(leaf.data)
        parts = [(_entry("direction", directions, a, j), gr.symbol(name)) for a, name in enumerate(program.coordinates)]
        return gr.add(*(factor * symbol for factor, symbol in parts if isinstance(factor, gr.Node)))
    return None


def _entry(name: str, pattern: Pattern, i: int, j: int) -> gr.Node | int:
    return gr.symbol(f"lattice_{name}_{i}{j}") if pattern[i][j] else 0


def _names(name: str, pattern: Pattern) -> tuple[str, ...]:
    return tuple(f"lattice_{name}_{i}{j}" for i, row in enumerate(pattern) for j, there in enumerate(row) if there)
