"""geomflow quintic [--degree K] [--points N] [--psi PSI] [--work W] ...: a nearly Ricci-flat metric on the quintic.

Fits the optimal algebraic metric of degree K on the Fermat quintic, or on a member of the Dwork family
Σ z_i⁵ − 5ψ Π z_i = 0, and measures σ, κ and the volume on unseen points. With --work it climbs the even degrees, up to
the one given, for so many core-seconds. What it writes is what `geomflow variety` writes. --workers N and --scheduler
ADDRESS spread the points over processes; the fit of an algebraic metric stays in this one.
"""

from __future__ import annotations

import argparse
from typing import Any

from geomflow.cli.arguments import add_workers, file_path, number, whole, workers_of
from geomflow.cli.schema import CURVED, POINTS
from geomflow.cli.task import Task
from geomflow.cli.variety import carry_out
from geomflow.core.errors import InputError

DEGREE = 10
HIGHEST = 20


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the subcommand."""
    sub = commands.add_parser("quintic", help="a nearly Ricci-flat metric on the quintic, in seconds")
    sub.add_argument("--degree", type=whole, help=f"the k of O(k) ({DEGREE} unless given)")
    sub.add_argument("--points", type=whole, default=POINTS, help="points to fit on, and as many to measure on")
    sub.add_argument("--seed", type=whole, default=1, help="seed of the points (1 unless given)")
    sub.add_argument("--psi", help="the parameter of the Dwork family, such as 0.5 or --psi=-1/2+i/3")
    sub.add_argument("--work", type=number, metavar="W",
                     help="core-seconds for the fits: no degree is begun that is expected to take more")
    sub.add_argument("--curvature", type=whole, nargs="?", const=CURVED, default=0, metavar="N",
                     help=f"measure and draw the scalar curvature at N unseen points ({CURVED} unless given)")
    sub.add_argument("--euler", type=whole, nargs="?", const=POINTS, default=0, metavar="N",
                     help="measure the Euler number from N unseen points")
    sub.add_argument("--out", type=file_path, metavar="DIR",
                     help="the directory to write (varieties/quintic unless given)")
    sub.add_argument("--resume", action="store_true", help="go on from the metric that the directory holds")
    sub.add_argument("--no-pictures", action="store_true", help="draw nothing")
    add_workers(sub, "the points")
    sub.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Sample, fit, measure, draw and store."""
    return carry_out(Task.of(document(args)), "quintic", args.out, args.resume, workers_of(args))


def document(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The arguments as the tables of a file."""
    if args.degree is not None and args.degree < 1:
        raise InputError(f"the degree is {args.degree}; give a whole number >= 1")
    tables: dict[str, dict[str, Any]] = {
        "variety": {"family": "fermat"} if args.psi is None else {"family": "dwork", "psi": args.psi},
        "points": {"count": args.points, "seed": args.seed},
        "metric": {"degree": args.degree or DEGREE},
        "measure": {"curvature": args.curvature, "euler": args.euler},
    }
    if args.work is not None:
        last = args.degree or HIGHEST
        tables["metric"] |= {"degree": last, "ladder": list(range(2, last, 2)), "work": args.work}
    if args.no_pictures:
        tables["output"] = {"pictures": []}
    return tables
