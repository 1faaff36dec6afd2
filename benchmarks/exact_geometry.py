"""Exact geometry, seconds: geomflow against sympy used directly, with the targets.

Each time includes the conversion from sympy and back, with sympy's cache emptied first; the smallest of several runs
counts. Direct sympy is measured where it ends within seconds. Times in brackets are those recorded when the targets
were set; they are not measured here.

    python benchmarks/exact_geometry.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import sympy
from sympy.core.cache import clear_cache

from geomflow.symbolic import Chart, KahlerMetric, Metric, catalogue

RUNS = 5


@dataclass(frozen=True)
class Case:
    """One task: what geomflow does, what sympy does (if it ends within seconds), and the target in seconds."""

    name: str
    task: Callable[[], bool]
    target: float | None
    direct: Callable[[], object] | None = None
    note: str = "not run"


def seconds(task: Callable[[], object], runs: int = RUNS) -> float:
    """The smallest wall time of a few runs, with sympy's cache emptied before each."""
    times = []
    for _ in range(runs):
        clear_cache()
        start = time.perf_counter()
        result = task()
        times.append(time.perf_counter() - start)
        if result is False:
            raise SystemExit("a task gave the wrong answer")
    return min(times)


def kerr() -> bool:
    """Kerr is Ricci-flat, decided, and its Ricci tensor is written."""
    metric = catalogue.get("kerr").metric
    return metric.is_ricci_flat and metric.ricci == sympy.zeros(4, 4)


def fubini_study(n: int) -> bool:
    """CP^n from its potential: Einstein with constant n + 1, with Ricci and R written."""
    metric = catalogue.get("fubini-study", dim=n).metric
    return metric.einstein_constant == n + 1 and metric.scalar == 2 * n * (n + 1) and metric.ricci.shape == (n, n)


def real_projective_plane() -> bool:
    """CP² as a real metric in four coordinates: Einstein."""
    return catalogue.get("fubini-study", dim=2).metric.realify().einstein_constant == 3


def ricci_flat(name: str, **parameters: int) -> bool:
    """An entry of the catalogue from its potential: Ricci-flat, with its metric written."""
    metric = catalogue.get(name, **parameters).metric
    return isinstance(metric, KahlerMetric) and metric.is_ricci_flat and metric.determinant == 1


def general(dim: int) -> sympy.Matrix:
    """A metric whose components are all unknown functions."""
    symbols = sympy.symbols("x y z w", real=True)[:dim]
    return sympy.Matrix(dim, dim, lambda i, j: sympy.Function(f"g{min(i, j)}{max(i, j)}")(*symbols))


def general_ricci(dim: int) -> bool:
    """The Ricci tensor of the most general metric."""
    symbols = sympy.symbols("x y z w", real=True)[:dim]
    return Metric(Chart(list(symbols)), general(dim)).ricci.shape == (dim, dim)


def direct_ricci(g: sympy.Matrix, x: tuple[sympy.Symbol, ...]) -> sympy.Matrix:
    """The textbook formula in sympy, unsimplified."""
    n, inverse = len(x), g.inv()
    gamma = [
        [
            [sum(inverse[k, m] * (g[m, j].diff(x[i]) + g[m, i].diff(x[j]) - g[i, j].diff(x[m])) for m in range(n)) / 2
             for j in range(n)]
            for i in range(n)
        ]
        for k in range(n)
    ]  # fmt: skip
    ricci = sympy.zeros(n, n)
    for k, j in product(range(n), repeat=2):
        for i in range(n):
            ricci[k, j] += gamma[i][j][k].diff(x[i]) - gamma[i][i][k].diff(x[j])
            ricci[k, j] += sum(gamma[i][i][m] * gamma[m][j][k] - gamma[i][j][m] * gamma[m][i][k] for m in range(n))
    return ricci


def direct_fubini_study(n: int) -> bool:
    """The potential in sympy, with `simplify` to see that Ric = (n+1) g."""
    z, w = sympy.symbols(f"z1:{n + 1}"), sympy.symbols(f"w1:{n + 1}")
    potential = sympy.log(1 + sum(a * b for a, b in zip(z, w, strict=True)))
    g = sympy.Matrix(n, n, lambda a, b: potential.diff(z[a], w[b]))
    log_det = sympy.log(sympy.factor(g.det()))
    ricci = sympy.Matrix(n, n, lambda a, b: -log_det.diff(z[a], w[b]))
    return sympy.simplify(ricci - (n + 1) * g) == sympy.zeros(n, n)


CASES = [
    Case("Kerr is Ricci-flat", kerr, 0.5, note="(> 300)"),
    Case("CP^2 from its potential, Einstein", lambda: fubini_study(2), 0.2, lambda: direct_fubini_study(2)),
    Case("CP^3 from its potential, Einstein", lambda: fubini_study(3), 0.2, lambda: direct_fubini_study(3)),
    Case("CP^4 from its potential, Einstein", lambda: fubini_study(4), 0.2),
    Case("CP^2 as a real 4-metric, Einstein", real_projective_plane, None, note="(63)"),
    Case("Eguchi-Hanson, Ricci-flat", lambda: ricci_flat("eguchi-hanson"), 0.2, note="(> 300)"),
    Case("Calabi n = 3, Ricci-flat", lambda: ricci_flat("calabi", dim=3), 0.2),
    Case("Ricci of a general 3-metric", lambda: general_ricci(3), 0.2,
         lambda: direct_ricci(general(3), sympy.symbols("x y z", real=True))),
    Case("Ricci of a general 4-metric", lambda: general_ricci(4), 2.0),
]  # fmt: skip


def main() -> None:
    """Print the table."""
    print(f"{'task':36s} {'geomflow':>9s} {'target':>7s} {'target/time':>12s} {'sympy':>9s} {'sympy/time':>11s}")
    for case in CASES:
        mine = seconds(case.task)
        direct = seconds(case.direct, runs=1) if case.direct else None
        shown = f"{direct:9.2f}" if direct else f"{case.note:>9s}"
        ratio = f"{direct / mine:11.0f}" if direct else f"{'-':>11s}"
        target = f"{case.target:7.1f} {case.target / mine:12.1f}" if case.target else f"{'-':>7s} {'-':>12s}"
        print(f"{case.name:36s} {mine:9.4f} {target} {shown} {ratio}")


if __name__ == "__main__":
    main()
