"""Runs of metrics with symmetry beside scipy on the same equations: python -m benchmarks.symmetric [--save symmetric]

A dumbbell on S³ until its neck is 1/10 wide, beside the method of lines: the regular equations written by hand, on the
same nodes and modes, by scipy's Radau and BDF with and without geomflow's Jacobian; the rates are compared first. Then
a left-invariant metric on SU(2) to 99 % of its life and one on SL(2, R) for long, by scipy's DOP853 and Radau.
Processor seconds of one thread, the faster of two runs, compiled before, what geomflow looks at before and along its
runs included, the former also by itself; errors against runs at the smallest tolerance.
"""

from __future__ import annotations

import argparse
import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from threadpoolctl import threadpool_limits

import geomflow as gf
from benchmarks.keep import keep
from benchmarks.report import MISSING, busy, table
from geomflow.flow.reduced.binding import bind_reduced

NODES, WIDTH, UNTIL = 96, 0.1, 0.08
START = "sin(x)*sqrt(1 - 9/10*sin(x)^2)"
NECK = 0.0692491112
"""When the neck is 1/10 wide, by arclength with 144 nodes and by a hand-written arclength gauge, to 7 digits."""


@dataclass(frozen=True)
class Run:
    """What one run took: processor seconds, those before the first step, steps, evaluations of the rate, its error."""

    who: str
    seconds: float
    before: float | None
    steps: int
    rates: int
    error: float

    def cells(self) -> list[str]:
        """For a table."""
        before = MISSING if self.before is None else f"{self.before:.3f}"
        return [self.who, f"{self.seconds:.3f}", before, f"{self.steps:,}", f"{self.rates:,}", f"{self.error:.1e}"]


def measured(who: str, task: Callable[[], tuple[int, int, float]], before: Callable[[], Any] | None = None) -> Run:
    """The faster of two calls of a task that gives steps, rates and an error, and of what it does before the first."""
    (seconds, (steps, rates, error)), prepared = _fastest(task), _fastest(before)[0] if before else None
    return Run(who, seconds, prepared, steps, rates, error)


def _fastest(task: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the faster of two calls, and what the last one gave."""
    times = []
    for _ in range(2):
        begun = time.process_time()
        found = task()
        times.append(time.process_time() - begun)
    return min(times), found


class Dumbbell:
    """L and w of χ = e^L, ψ = r e^{L + r²w}, r² = 1 − ξ², in DeTurck's gauge, as one would write them in NumPy."""

    def __init__(self, basis: Any, closing: Any) -> None:
        self.xi = basis.points[0]
        self.square = basis.sine_squared
        self.first = [b.derivative((1,)) for b in (basis, closing)]
        self.second = [b.derivative((2,)) for b in (basis, closing)]
        self.keep = [b.project for b in (basis, closing)]
        self.middle = [b.at([np.pi / 2])[0] for b in (basis, closing)]

    def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
        """(K₀ − K₁)/r² is divided by hand, with a series of e^{−z} near the poles."""
        length, w = y.reshape(2, -1)
        xi, square = self.xi, self.square
        l1, w1 = (d @ u for d, u in zip(self.first, (length, w), strict=True))
        l2, w2 = (d @ u for d, u in zip(self.second, (length, w), strict=True))
        d = l1 - 2 * xi * w + square * w1
        d1 = l2 - 2 * w - 4 * xi * w1 + square * w2
        z = 2 * square * w
        small = np.abs(z) < 1e-2
        safe = np.where(small, 1.0, z)
        series = 0.5 - z / 6 + z**2 / 24 - z**3 / 120 + z**4 / 720
        rest = 4 * w**2 * np.where(small, series, (np.expm1(-safe) + safe) / safe**2)
        scale = np.exp(-2 * length)
        outer = scale * (1 + 3 * xi * d - xi * l1 - square * (d1 + d * d - d * l1))
        across = scale * (2 * w + xi * w1 - rest - d1 + d * l1)
        rates = (-2 * outer + scale * (square * l2 - xi * l1 - square * l1**2), across + scale * (-l2 + l1 * d + l1**2))
        return np.concatenate([keep @ rate for keep, rate in zip(self.keep, rates, strict=True)])

    def neck(self, t: float, y: np.ndarray) -> float:
        """ψ − 1/10 in the middle."""
        length, w = y.reshape(2, -1)
        return float(np.exp(self.middle[0] @ length + self.middle[1] @ w)) - WIDTH

    neck.terminal = True  # type: ignore[attr-defined]


def dumbbell() -> list[Run]:
    """geomflow in both gauges, then scipy."""
    state = gf.catalogue.ansatz("sphere", n=2).grid(NODES).state(chi="1", psi=START)
    event = gf.Event("neck", lambda t, s: float(s.at("psi", [np.pi / 2])[0]) - WIDTH)

    def ours(gauge: str | None, rtol: float) -> tuple[int, int, float]:
        sol = gf.solve(gf.RicciFlow(gauge=gauge), state, UNTIL, events=event, rtol=rtol)
        return sol.steps, sol.rate_evaluations, abs(sol.outcome.time - NECK)

    problem = bind_reduced(gf.RicciFlow(gauge="deturck"), state)
    by_hand = Dumbbell(state.grid.basis, state.grid.basis_of(state.fields[1]))
    out = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, out)
    np.testing.assert_allclose(by_hand(0.0, problem.y0.ravel()), out.ravel(), rtol=1e-7, atol=1e-7)

    def theirs(method: str, rtol: float, exact: bool) -> tuple[int, int, float]:
        jacobian = {"jac": lambda t, y: problem.jacobian(t, y.reshape(problem.y0.shape))} if exact else {}
        sol = solve_ivp(by_hand, (0, UNTIL), problem.y0.ravel(), method=method, rtol=rtol, atol=rtol,
                        events=by_hand.neck, **jacobian)
        return len(sol.t), sol.nfev, abs(sol.t_events[0][0] - NECK)

    runs = [measured(f"geomflow, {gauge or 'arclength'}, rtol {rtol:g}", lambda g=gauge, r=rtol: ours(g, r),
                     lambda g=gauge: bind_reduced(gf.RicciFlow(gauge=g), state))
            for gauge in (None, "deturck") for rtol in (1e-7, 1e-9)]
    for method, exact in (("Radau", False), ("BDF", False), ("Radau", True)):
        runs += [measured(f"scipy {method}{', exact Jacobian' if exact else ''}, rtol {rtol:g}",
                          lambda m=method, r=rtol, e=exact: theirs(m, r, e)) for rtol in (1e-5, 1e-7)]
    return runs


def homogeneous(name: str, start: Sequence[float], end: float) -> list[Run]:
    """A left-invariant metric, A, B, C; errors are relative."""
    ansatz = gf.catalogue.ansatz(name)
    reduction = ansatz.reduce(gf.RicciFlow())
    rate = reduction_in_numpy(reduction)
    state = ansatz.state(**dict(zip("ABC", map(float, start), strict=True)))
    wanted = solve_ivp(rate, (0, end), start, method="Radau", rtol=3e-14, atol=1e-14).y[:, -1]

    def ours(stepper: str, rtol: float) -> tuple[int, int, float]:
        sol = gf.solve(gf.RicciFlow(), state, end, stepper=stepper, rtol=rtol)
        found = np.array([sol.last[c] for c in "ABC"])
        return sol.steps, sol.rate_evaluations, float(np.abs(found / wanted - 1).max())

    def theirs(method: str, rtol: float) -> tuple[int, int, float]:
        sol = solve_ivp(rate, (0, end), start, method=method, rtol=rtol, atol=1e-2 * rtol)
        return len(sol.t), sol.nfev, float(np.abs(sol.y[:, -1] / wanted - 1).max())

    runs = [measured(f"geomflow, {stepper}, rtol {rtol:g}", lambda s=stepper, r=rtol: ours(s, r),
                     lambda: bind_reduced(gf.RicciFlow(), state))
            for stepper in ("rosenbrock", "rk45") for rtol in (1e-8, 1e-11)]
    return runs + [measured(f"scipy {method}, rtol {rtol:g}", lambda m=method, r=rtol: theirs(m, r))
                   for method in ("DOP853", "Radau") for rtol in (1e-8, 1e-11)]


def reduction_in_numpy(reduction: Any) -> Callable[[float, np.ndarray], list[float]]:
    """The reduced equations as a function of plain numbers, by sympy's lambdify."""
    import sympy

    rates = sympy.lambdify([u.value for u in reduction.unknowns], list(reduction.rates), "math")
    return lambda t, y: rates(*y)


HEAD = ["by", "seconds", "before the first step", "steps", "rates", "error"]

TASKS = {"A dumbbell on S³ until its neck is 1/10 wide": dumbbell,
         "SU(2) from (1, 2, 3) to t = 0.469": lambda: homogeneous("su2", (1, 2, 3), 0.469),
         "SL(2, R) from (1, 2, 3) to t = 1000": lambda: homogeneous("sl2r", (1, 2, 3), 1e3)}


def main() -> None:
    """Print the tables, and write them with the numbers under benchmarks/results/."""
    from benchmarks.machine import describe

    parser = argparse.ArgumentParser(prog="python -m benchmarks.symmetric", description=__doc__.splitlines()[0])
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json and NAME.md")
    options, m = parser.parse_args(), describe(("numpy", "scipy", "sympy", "numba"))
    date = datetime.date.today().isoformat()
    parts = [f"{m['processor']}, one thread, {date}, load average {m['load']} at the start{busy(m['load'])}."]
    runs = {}
    with threadpool_limits(1):
        for title, task in TASKS.items():
            found = task()
            runs[title] = [asdict(run) for run in found]
            parts.append(f"{title}.\n\n{table(HEAD, [run.cells() for run in found])}")
            print(parts[-1], end="\n\n", flush=True)
    keep(options.save, {"date": date, "machine": m, "runs": runs}, "\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
