"""Times to derive and certify first variations, beside sympy's Euler operator: python -m benchmarks.derivations

Processor seconds of one thread, the least of several runs, conversion included: a fresh functional is varied by the
Euler operator on jets and the result is certified at random exact jets against the variation by structure or the closed
form. "probe" is what a throw-away probe reached on the machine that the targets were set on; the target is five times
that.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from geomflow.core import graph as gr
from geomflow.field import ComplexTorus, Torus
from geomflow.symbolic import functionals as fn
from geomflow.symbolic.variation import metrics as mt

FACTOR = 5
"""Targets are this many times the probe's times."""


def perelman(dim: int) -> Callable[[], object]:
    """Perelman's F at fixed measure, certified to give −(Ric + ∇∇f)dm."""

    def textbook(use: mt.MetricAlgebra) -> dict[mt.Tensor, gr.Node]:
        minus = -gr.exp(-use.dilaton)
        return {mt.RICCI: minus, mt.Tensor("hessian", (use.dilaton,)): minus}

    return lambda: unchecked(fn.PerelmanF, Torus(dim=dim) if dim <= 4 else Bare(dim, dim)).certify_gradient(textbook)


def k_energy(dim: int) -> Callable[[], object]:
    """∫ v log v dμ_Ω, half the K-energy, varied both ways."""
    return lambda: unchecked(fn.EF, Bare(dim, 2 * dim), function="v*log(v)").certify()


@dataclass(frozen=True)
class Bare:
    """Coordinates alone: a geometry of a dimension in which nothing is offered to run."""

    dim: int
    real_dim: int

    @property
    def coordinates(self) -> tuple[str, ...]:
        """x1, x2, ..."""
        return tuple(f"x{i + 1}" for i in range(self.real_dim))


def unchecked(kind: type, geometry: object, **fields: object) -> Any:
    """A functional in any dimension."""
    made = object.__new__(kind)
    for name, value in {"geometry": geometry, **fields}.items():
        object.__setattr__(made, name, value)
    return made


CASES: list[tuple[str, Callable[[], object], float]] = [
    *((f"Perelman F at fixed measure, dimension {d}", perelman(d), probe)
      for d, probe in ((2, 0.006), (3, 0.03), (4, 0.14), (6, 1.8))),
    *((f"K-energy, complex dimension {n}", k_energy(n), probe) for n, probe in ((2, 0.004), (3, 0.05), (4, 0.4))),
    *((f"Calabi functional, complex dimension {n}", lambda n=n: fn.Calabi(ComplexTorus(dim=n)).certify(), probe)
      for n, probe in ((2, 0.07), (3, 1.8))),
]


def seconds(run: Callable[[], object], repeats: int) -> float:
    """The least processor time of several runs."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        if not run():
            raise RuntimeError("a derivation was not certified")
        times.append(time.process_time() - start)
    return min(times)


def sympy_perelman(dim: int) -> float:
    """Processor seconds of sympy's euler_equations for Perelman's F at fixed measure."""
    import sympy
    from sympy.calculus.euler import euler_equations

    from geomflow.core.graph.sympy_bridge import all_to_sympy

    functional = fn.PerelmanF(Torus(dim=dim))
    axes = sympy.symbols(functional.coordinates)
    density = all_to_sympy(functional.density.unstaged(), {}, axes)[0]
    fields = [sympy.Function(name)(*axes) for name in functional.unknowns]
    start = time.process_time()
    euler_equations(density, fields, axes)
    return time.process_time() - start


def everything() -> float:
    """Processor seconds for every functional offered, in every dimension: varied twice and certified."""
    warnings.simplefilter("ignore")
    real = (fn.Volume, fn.EinsteinHilbert, fn.ScalarSquared, fn.RicciSquared, fn.PerelmanF, fn.PerelmanFCoupled,
            fn.PerelmanW, fn.PerelmanWCoupled, fn.PerelmanLambda)
    kahler = (fn.KEnergy, fn.Calabi, fn.JFunctional, fn.AubinI, fn.AubinJ, fn.Ding, fn.Sigma, fn.PerelmanKahler,
              lambda t: fn.EF(t, "v*log(v)"), lambda t: fn.EF(t, "(v-1)^2"), lambda t: fn.EG(t, "v^-2"),
              lambda t: fn.EG(t, "1/v"), lambda t: fn.EG(t, "v"))
    start = time.process_time()
    tori = ([Torus(dim=d) for d in (2, 3, 4)], [ComplexTorus(dim=n) for n in (1, 2, 3)])
    for kinds, spaces in zip((real, kahler), tori):
        if not all(kind(t).certify() for kind in kinds for t in spaces):
            raise RuntimeError("a derivation was not certified")
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sympy", action="store_true", help="run sympy's Euler operator too (tens of seconds)")
    options = parser.parse_args()
    print(f"{'first variation, derived and certified':48s} {'seconds':>8s} {'probe':>8s} {'ratio':>6s}  target")
    for name, run, probe in CASES:
        took = seconds(run, options.repeats)
        verdict = "met" if took <= FACTOR * probe else "missed"
        print(f"{name:48s} {took:8.3f} {probe:8.3f} {took / probe:6.1f}  {verdict} (<= {FACTOR * probe:g})")
    print(f"{'everything offered, all dimensions':48s} {everything():8.1f} {'':8s} {'':6s}  120")
    if options.sympy:
        ours, theirs = seconds(perelman(2), options.repeats), sympy_perelman(2)
        print(f"sympy euler_equations, Perelman F, dimension 2: {theirs:.2f} s, {theirs / ours:.0f} times ours")


if __name__ == "__main__":
    main()
