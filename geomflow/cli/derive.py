"""geomflow derive NAME [--dim N] [--latex]: the equation of a flow, as text or LaTeX.

Without --dim the equation in index notation; with it, written out in the components of the field on a torus of that
dimension, which is complex for the flows of Kähler potentials. `geomflow derive --list` names the flows.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from geomflow.core.errors import InputError

if TYPE_CHECKING:
    import sympy


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    sub = commands.add_parser("derive", help="print the equation of a flow")
    sub.add_argument("name", nargs="?", help="a flow by name, such as calabi")
    sub.add_argument("--dim", type=int, help="write out the components on a torus of this dimension")
    sub.add_argument("--latex", action="store_true", help="LaTeX instead of text")
    sub.add_argument("--list", action="store_true", help="list the names of the flows")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Print the equation."""
    from geomflow.flow.registry import FLOWS, named_flow

    if args.list:
        print("\n".join(FLOWS))
        return 0
    if args.name is None:
        raise InputError("derive needs the name of a flow; 'geomflow derive --list' lists them")
    flow = named_flow(args.name, {})
    equations = [flow.equation] if args.dim is None else flow.components(FLOWS[args.name].torus(args.dim))
    for equation in equations:
        print(rendered(equation, args.latex))
    return 0


def rendered(equation: sympy.Eq, latex: bool) -> str:
    """An equation as LaTeX or as text."""
    import sympy

    if latex:
        return sympy.latex(equation)
    return f"{sympy.sstr(equation.lhs)} = {sympy.sstr(equation.rhs)}"
