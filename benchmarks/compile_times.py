"""Times to derive and compile typed flows, beside what is forecast: python -m benchmarks.compile_times

Processor seconds from the text to a state that is ready to run, nothing kept from before: reading, judging, the rate,
the bound of its spectrum, and the monitors. "forecast" is what `geomflow.flow.forecast` says from the operations of
the rates, which it says aloud where it is more than a minute.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

BACH = {"P": "(Ric - R*g/6)/2", "D": "nabla(P)", "C": "D[i,j,k] - D[i,k,j]",
        "B": "nabla(C)[i,j,k,k] + P[k,l]*Weyl[i,k,j,l]"}


@dataclass(frozen=True)
class Case:
    """A flow on a torus with random fields."""

    name: str
    shape: tuple[int, ...]
    rates: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def state(self) -> Any:
        """Random fields: g a metric, others of their kind, scalars unless it is said."""
        import geomflow as gf

        grid = gf.Torus(dim=len(self.shape)).grid(self.shape)
        kinds = {"g": "metric", **{name: "scalar" for name in self.rates if name != "g"}, **self.kinds}
        return grid.fields(**{name: _random(grid, kind, seed) for seed, (name, kind) in enumerate(kinds.items())})


def _random(grid: Any, kind: str, seed: int) -> Any:
    if kind == "metric":
        return grid.random_metric(seed, 0.05)
    rows = [grid.random_scalar([seed, n], 0.05).values for n in range(grid.dim)]
    return grid.scalar(1 + rows[0]) if kind == "scalar" else grid.form(rows)


RICCI = {"g": "-2*Ric"}
CASES = [
    Case("Ricci flow, T²", (16, 16), RICCI),
    Case("Ricci–DeTurck flow, T³", (9, 9, 9), RICCI, {"gauge": "deturck"}),
    Case("Ricci flow, T⁴", (8, 8, 8, 8), RICCI),
    Case("RG-2 flow, T³", (9, 9, 9), {"g": "-2*Ric[i,j] - R[i,k,l,m]*R[j,k,l,m]/100"}),
    Case("Ricci–harmonic flow, T²", (16, 16), {"g": "-2*Ric + 2*d(f)*d(f)", "f": "laplacian(f)"}, {"gauge": "deturck"}),
    Case("Ricci–Yang–Mills flow, T³", (9, 9, 9), {"g": "-2*Ric[i,j] + F[i,k]*F[j,k]", "A": "div(F)"},
         {"gauge": "deturck", "where": {"F": "d(A)"}}, {"A": "form"}),
    Case("Yamabe flow, T³", (9, 9, 9), {"g": "-(R - mean(R))*g"}),
    Case("mean curvature flow of graphs, T²", (16, 16), {"u": "W*div(grad(u)/W)"},
         {"where": {"W": "sqrt(1 + dot(d(u), d(u)))"}}),
    Case("Cahn–Hilliard equation, T²", (16, 16), {"u": "laplacian(u^3 - u - laplacian(u)/1000)"}),
    Case("Klein–Gordon equation, T²", (16, 16), {"u": "v", "v": "laplacian(u) - 4*u"}),
    Case("ΔRic flow, T³", (9, 9, 9), {"g": "laplacian(Ric)"}, {"gauge": "deturck"}),
    Case("Bach flow, T⁴, two coordinates", (9, 9, 1, 1), {"g": "B"}, {"where": BACH, "gauge": "deturck+conformal"}),
    Case("Bach flow, T⁴", (8, 8, 8, 8), {"g": "B"}, {"where": BACH, "gauge": "deturck+conformal"}),
]


def measured(case: Case) -> tuple[int, float, float]:
    """Operations, the forecast, and the processor seconds it took."""
    import numpy as np

    import geomflow as gf
    from geomflow.flow.forecast import forecast, operations

    state, flow = case.state(), gf.Flow.from_expression(case.rates, **case.options)
    start = time.process_time()
    problem = flow.bind(state)
    problem.rate(0.0, problem.y0, np.empty_like(problem.y0))
    for number in (problem.spectral_radius, problem.observe, problem.positivity):
        if number is not None:
            number(0.0, problem.y0)
    took = time.process_time() - start
    program = flow.written(state).program
    return operations(program), forecast(program), took


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="*", help="parts of the names of those to take")
    options = parser.parse_args()
    print(f"{'flow':36s} {'operations':>10s} {'forecast':>8s} {'seconds':>8s} {'ratio':>6s}")
    with tempfile.TemporaryDirectory() as empty:
        os.environ["GEOMFLOW_CACHE"] = empty
        for case in CASES:
            if options.cases and not any(part in case.name for part in options.cases):
                continue
            count, predicted, took = measured(case)
            print(f"{case.name:36s} {count:10,d} {predicted:8.1f} {took:8.1f} {took / predicted:6.2f}", flush=True)


if __name__ == "__main__":
    main()
