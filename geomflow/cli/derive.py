"""geomflow derive NAME | --rate "FIELD: RATE" … | --density TEXT --fields NAMES [--dim N | --ansatz NAME] [--latex]:
how an equation of motion comes about.

For a flow such as ricci: its equation in index notation; with --dim written out in the components of the field on a
torus of that dimension, which is complex for the flows of Kähler potentials.

For a functional such as kenergy: its definition, the steps of its first variation, its gradient flow in a metric (the
functional's first unless --gradient names another), whether that is well-posed, the rates at which plane waves decay or
grow, and the certificate that two independent derivations agree. With --latex only the flow's equation. The functional
calabi has the name of a flow too: --gradient asks for the functional.

For an equation of one's own, each field with its rate, --rate "g: -2*Ric + 2*a*d(f)*d(f)" --rate "f: laplacian(f)"
--parameter "a = 1": the equations, with --dim written out in components, and whether they are well-posed. Fields are
scalars, but that called g a metric; others are told, --rate "A form: div(d(A))", --rate "phi potential: log(v)" and
--rate "h hermitian: -ChernRic", the last two on complex tori.

For a functional of one's own, of several fields, --density "R^2 + dot(d(f), d(f))" --fields "g f", what is told of
functionals by name. All fields move, or those of --of; each by its own inner product, --metric "f:H-1"; --keep volume
keeps integrals.

For a flow of a metric, by name or by its rate, on an ansatz of the catalogue, --ansatz "sphere n=3": what it becomes
for the unknowns of the ansatz, exactly, or the component that leaves it.

`geomflow derive --list` names flows, functionals and ansätze.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from geomflow.cli.density import density_lines, require_density
from geomflow.cli.symmetric import reduced_lines
from geomflow.cli.terminal import add_command, whole
from geomflow.cli.typed import assignment, numeric, rendered, typed_lines
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.progress import waiting

if TYPE_CHECKING:
    from geomflow.symbolic.functionals import DerivedFlow

LARGEST = 4
"""Of the dimensions that equations are written out in."""


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand."""
    sub = add_command(commands, "derive", "derive a gradient flow, or print the equation of a flow", __doc__)
    sub.add_argument("name", nargs="?", help="a functional or a flow by name, such as kenergy or ricci")
    sub.add_argument("--rate", action="append", default=[], metavar="'FIELD: RATE'",
                     help='instead of a name: the rate of a field, once for each, such as "g: -2*Ric"')
    sub.add_argument("--density", metavar="TEXT",
                     help="instead of a name: the density of a functional of several fields, such as R^2 + f^2")
    sub.add_argument("--fields", metavar="'FIELD …'", help='with --density: what it is of, such as "g f A:form"')
    sub.add_argument("--of", metavar="'FIELD …'", help="with --density: the fields that move; all unless given")
    sub.add_argument("--keep", action="append", default=[], metavar="TEXT",
                     help='with --density: a density whose integral is kept, such as volume, once for each')
    sub.add_argument("--metric", metavar="'FIELD:NAME …'", help="with --density: inner products, such as f:H-1")
    sub.add_argument("--where", action="append", default=[], type=assignment, metavar="'NAME = TEXT'",
                     help="with --rate and --density: what a name in these stands for")
    sub.add_argument("--parameter", action="append", default=[], type=numeric, metavar="'NAME = NUMBER'",
                     help="with --rate and --density: the value of a parameter in these")
    sub.add_argument("--gauge", help="with --rate: deturck, to damp short waves along diffeomorphisms; "
                                        "deturck+conformal, along conformal changes too")
    sub.add_argument("--dim", type=whole, help="dimension of the torus; for a flow, write out the components on it")
    sub.add_argument("--ansatz", metavar="'NAME …'",
                     help='of a flow of a metric: reduced to an ansatz, such as su2 or "sphere n=3"')
    sub.add_argument("--gradient", nargs="?", const="", metavar="METRIC",
                     help="of a functional: the metric of the gradient, such as mabuchi or dirichlet")
    sub.add_argument("--function", metavar="F", help='of ef and eg: the function of v, such as "v*log(v)"')
    sub.add_argument("--latex", action="store_true", help="the equation alone, in LaTeX")
    sub.add_argument("--list", action="store_true", help="list the names of flows and functionals")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Print the equation, or the derivation."""
    from geomflow.flow.registry import FLOWS
    from geomflow.symbolic.functionals import FUNCTIONALS

    if args.list:
        print("\n".join(listing()))
        return 0
    if args.dim is not None and args.dim > LARGEST:
        raise InputError(f"equations are written out up to dimension {LARGEST}, and --dim is {args.dim}")
    require_density(args)
    if args.ansatz is not None:
        with waiting("deriving"):
            lines = on_ansatz(args)
        print("\n".join(lines))
        return 0
    if args.density is not None:
        with waiting("deriving"):
            lines = density_lines(args, linear_rates)
        print("\n".join(lines))
        return 0
    if args.rate:
        with waiting("deriving"):
            lines = typed(args)
        print("\n".join(lines))
        return 0
    if args.name is None:
        raise InputError("derive needs the name of a flow or a functional, --rate or --density; 'geomflow derive "
                         "--list' lists the names")
    of_functional = args.gradient is not None or args.function is not None
    flows = {} if of_functional else {name: entry for name, entry in FLOWS.items() if not entry.derived}
    if args.name in flows:
        with waiting("deriving"):
            lines = equations(args)
    elif args.name in FUNCTIONALS:
        with waiting("deriving"):
            lines = derivation(args)
    else:
        names = (*flows, *FUNCTIONALS)
        raise UnknownNameError.among("functional" if of_functional else "flow or functional", args.name, names)
    print("\n".join(lines))
    return 0


def on_ansatz(args: argparse.Namespace) -> list[str]:
    """A flow of a metric, reduced."""
    if args.density is not None or args.gradient is not None or args.function is not None:
        raise InputError("--ansatz is of a flow of a metric, by name or with --rate: leave out --density, --gradient "
                         "and --function")
    if args.name is None and not args.rate:
        raise InputError("--ansatz needs the name of a flow, such as ricci, or --rate \"g: -2*Ric\"")
    return reduced_lines(args)


def listing() -> list[str]:
    """Flows, functionals with their metrics and definitions, and ansätze."""
    from geomflow.flow.registry import FLOWS, functional_options
    from geomflow.symbolic.catalogue import ansatz_names
    from geomflow.symbolic.functionals import FUNCTIONALS

    flows = [f"  {name}" for name, entry in FLOWS.items() if not entry.derived]
    functionals = [f"  {name:<20} {' '.join(kind.metrics):<24} "
                   + ("--function" if "function" in functional_options(name) else str(kind.definition))
                   for name, kind in FUNCTIONALS.items()]
    return ["flows:", *flows, "functionals, with the metrics of their gradients, the first by default:", *functionals,
            "ansätze, for --ansatz:", *(f"  {name}" for name in ansatz_names())]


def typed(args: argparse.Namespace) -> list[str]:
    """An equation of the user's own."""
    if args.name is not None or args.gradient is not None or args.function is not None:
        raise InputError("--rate is of an equation of one's own: leave out the name, --gradient and --function")
    return typed_lines(args)


def equations(args: argparse.Namespace) -> list[str]:
    """The equation of a flow, or those of its components."""
    from geomflow.flow.registry import FLOWS, named_flow

    flow = named_flow(args.name, {})
    torus: Any = FLOWS[args.name].torus
    shown = [flow.equation] if args.dim is None else flow.components(torus(args.dim))
    return [rendered(equation, args.latex) for equation in shown]


def derivation(args: argparse.Namespace) -> list[str]:
    """The gradient flow of a functional, with its derivation unless in LaTeX."""
    from geomflow.flow.registry import named_functional, torus_of

    options = {} if args.function is None else {"function": args.function}
    functional = named_functional(args.name, torus_of(args.name, args.dim), options)
    flow = functional.gradient_flow(args.gradient or None)
    if args.latex:
        return [rendered(flow.equation, True)]
    return [flow.explain(), linear_rates(flow), f"{functional.certify()}."]


def linear_rates(flow: DerivedFlow) -> str:
    """The rates of small plane waves e^{ik·x} at the flat metric, in a sentence.

    For a potential the polynomial in k; for a metric the eigenvalues at the unit wave vector along the first axis.
    """
    linear = flow.linearisation
    if len(linear.unknowns) == 1:
        return f"A small plane wave e^{{ik·x}} decays at the rate {linear.polynomial}."
    found = linear.rates((1,) + (0,) * (len(linear.coordinates) - 1))
    each = ", ".join(f"{rate} ({times})" for rate, times in found.items())
    return f"Small plane waves of |k| = 1 change at these rates, positive ones grow (with multiplicity): {each}."
