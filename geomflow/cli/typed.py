"""Equations typed on the command line, `--rate "g: -2*Ric"`: shown, judged, and written out in components."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from geomflow.cli.terminal import number
from geomflow.core.errors import InputError, require_known

if TYPE_CHECKING:
    import sympy

    from geomflow.field import Field
    from geomflow.field.grid import Grid

KINDS = ("scalar", "metric", "vector", "form", "symmetric", "potential", "hermitian")
COMPLEX = ("potential", "hermitian")
UNKNOWN, METRIC, DIM = "u", "g", 2
POINTS, SIZE = 9, 0.05
"""Points along an axis, and how far fields are from constants, of the state at which an equation is judged."""


@final
@dataclass(frozen=True)
class Rate:
    """One argument of --rate: "NAME: RATE", "NAME KIND: RATE", or a rate alone, of a function u.

    A field called g is a metric unless it is said otherwise, every other a scalar.

    >>> Rate.read("A form: div(d(A))")
    Rate(name='A', kind='form', text='div(d(A))')
    """

    name: str
    kind: str
    text: str

    @classmethod
    def read(cls, given: str) -> Rate:
        """Raises InputError for what names no field, UnknownNameError for another kind."""
        head, colon, text = given.rpartition(":")
        name, *kinds = (head if colon else UNKNOWN).split() or [""]
        if not name.isidentifier() or len(kinds) > 1:
            raise InputError(f"--rate '{given}' names no field: write --rate \"g: -2*Ric\", or with its kind "
                             "--rate \"A form: div(d(A))\"")
        kind = kinds[0] if kinds else "metric" if name == METRIC else "scalar"
        require_known("kind of field", kind, KINDS)
        return cls(name, kind, text.strip())

    def field(self, grid: Grid, seed: int) -> Field:
        """A field of the kind: a metric near the flat one, a function near 1, else small components."""
        if self.kind == "metric":
            return grid.random_metric(seed, SIZE)
        if self.kind == "symmetric":
            return grid.symmetric(grid.random_metric(seed, SIZE).values - grid.metric().values)
        if self.kind == "potential":
            return grid.random_potential(seed, SIZE)
        if self.kind == "hermitian":
            return grid.random_hermitian(seed, SIZE)
        rows = [grid.random_scalar([seed, n], SIZE).values for n in range(grid.dim)]
        if self.kind == "scalar":
            return grid.scalar(1 + rows[0])
        return grid.form(rows) if self.kind == "form" else grid.vector(rows)


def typed_lines(args: argparse.Namespace) -> list[str]:
    """The equations, or with --dim those of their components, and unless in LaTeX what kind of equation each is."""
    import geomflow.field as gf
    from geomflow.flow.equations.beside import written_out
    from geomflow.flow.registry import expression

    rates = [Rate.read(given) for given in args.rate]
    dim = DIM if args.dim is None else args.dim
    torus = gf.ComplexTorus if any(rate.kind in COMPLEX for rate in rates) else gf.Torus
    grid = torus(dim).grid(POINTS)
    state = grid.fields(**{rate.name: rate.field(grid, seed) for seed, rate in enumerate(rates)})
    if len(state.parts) < len(rates):
        raise InputError("two --rate are given for one field: give each field one")
    flow: Any = expression({rate.name: rate.text for rate in rates}, where=table("where", args.where),
                           parameters=table("parameter", args.parameter), gauge=args.gauge)
    equation = flow.written(state)
    shown = each(flow.equation) if args.dim is None else written_out(equation.program, grid.torus)
    lines = [rendered(equation, args.latex) for equation in shown]
    if args.latex:
        return lines
    judged = [f"{block.verdict}." for block in flow.character(state)]
    if args.gauge is not None:
        lines.append(f"with {equation.facts['gauge']}")
    kind = "complex dimension" if grid.torus.complex_dim else "dimension"
    return [*lines, f"At {place(rates)}, {kind} {dim}:", *judged]


def place(rates: Sequence[Rate]) -> str:
    """Where equations are judged, in words."""
    names = {"metric": "a metric near the flat one", "scalar": "functions near 1", "vector": "a small vector field",
             "form": "a small one-form", "symmetric": "a small symmetric tensor",
             "potential": "a Kähler metric near the flat one", "hermitian": "a Hermitian metric near the flat one"}
    found = [words for kind, words in names.items() if any(rate.kind == kind for rate in rates)]
    return ", ".join(found)


def each(equation: sympy.Eq) -> list[sympy.Eq]:
    """The equations of a system one by one."""
    import sympy

    if not isinstance(equation.lhs, sympy.Tuple):
        return [equation]
    return [sympy.Eq(lhs, rhs, evaluate=False) for lhs, rhs in zip(equation.lhs, equation.rhs, strict=True)]


def rendered(equation: sympy.Eq, latex: bool) -> str:
    """An equation as LaTeX or as text."""
    import sympy

    if latex:
        return str(sympy.latex(equation))
    return f"{sympy.sstr(equation.lhs)} = {sympy.sstr(equation.rhs)}"


def table(option: str, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """What an option given several times assigns to names. Raises InputError for a name that is given twice.

    >>> table("parameter", [("a", 2.0), ("b", 1.0)])
    {'a': 2.0, 'b': 1.0}
    """
    found = dict(pairs)
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two --{option} are given for '{twice}': give each name one")
    return found


def assignment(text: str) -> tuple[str, str]:
    """NAME = TEXT, as an option holds it.

    >>> assignment("F=d(A)")
    ('F', 'd(A)')
    """
    match = re.fullmatch(r"\s*(\w+)\s*=\s*(\S.*)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"takes NAME = TEXT, and '{text}' was given")
    return match[1], match[2].strip()


def numeric(text: str) -> tuple[str, float]:
    """NAME = NUMBER, as an option holds it.

    >>> numeric("a = 2")
    ('a', 2.0)
    """
    name, value = assignment(text)
    return name, number(value)
