"""Functionals typed on the command line, `--density "R^2 + dot(d(f), d(f))" --fields "g f"`: varied and certified."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from geomflow.cli.typed import DIM, each, rendered, table
from geomflow.core.errors import ExpressionError, InputError

if TYPE_CHECKING:
    from geomflow.symbolic.functionals import DerivedFlow

OWN = ("fields", "of", "keep", "metric")
"""Options that belong to --density."""


def require_density(args: argparse.Namespace) -> None:
    """Raise InputError for options that belong to --density where it is not given, and for others beside it."""
    given = [key for key in OWN if getattr(args, key)]
    if args.density is None and given:
        raise InputError(f"--{given[0]} is of a functional of several fields: give its --density too")
    beside = [f"--{key}" for key in ("rate", "gauge", "gradient", "function") if getattr(args, key) not in (None, [])]
    if args.density is not None and (args.name is not None or beside):
        raise InputError("--density is of a functional of one's own: leave out "
                         f"{'the name' if args.name is not None else beside[0]}")
    if args.density is not None and args.fields is None:
        raise InputError('--density needs what it is a functional of: give --fields "g f", with kinds behind colons, '
                         'as in "g f A:form"')


def density_lines(args: argparse.Namespace, linear_rates: Callable[[DerivedFlow], str]) -> list[str]:
    """How the gradient flow comes about, what is known of it, and the certificate; in LaTeX the equations alone.

    Parameters
    ----------
    args : Namespace
        The options of `geomflow derive`.
    linear_rates : callable
        The rates of small plane waves in words.
    """
    import geomflow.field as gf
    from geomflow.flow.registry import gradient

    options = {"density": args.density, "fields": args.fields, "where": table("where", args.where)}
    flow = gradient(gf.Torus(DIM if args.dim is None else args.dim), "density", args.metric,
                    table("parameter", args.parameter), of=args.of, keep=args.keep, **options).derived
    equations = [rendered(equation, args.latex) for equation in each(flow.equation)]
    if args.latex:
        return equations
    E = flow.functional
    return [E.explain(), f"The gradient flow in {flow.metric}:", *equations, *judged(flow, linear_rates),
            f"{E.certify()}."]


def judged(flow: DerivedFlow, linear_rates: Callable[[DerivedFlow], str]) -> list[str]:
    """Whether small plane waves on the flat state grow, and how fast, where the flow has a value there."""
    try:
        return [flow.linearisation.verdict, linear_rates(flow)]
    except ExpressionError:
        return ["The flow has no value at the flat state, where g_ij = δ_ij and all else is 0: run it, and it is "
                "judged at the state given."]
