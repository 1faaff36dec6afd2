"""Seconds, core-seconds and memory of spectra of Fermat hypersurfaces, metric and points not counted.

    python -m benchmarks.spectra [--save spectra]     # some two minutes on two cores

Memory is the most that the process has held so far: rows are in rising order of it.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import geomflow as gf
from benchmarks.keep import keep

#: (N, degree of the metric, degree of the functions, points, eigenvalues).
CASES = [(3, 6, 6, 1000, 25), (4, 8, 5, 1000, 52), (5, 8, 4, 1000, 136), (5, 8, 5, 1000, 136), (5, 8, 6, 1000, 136)]


@dataclass(frozen=True)
class Cost:
    """What a spectrum took."""

    variety: str
    degree: int
    functions: int
    points: int
    seconds: float
    core_seconds: float
    megabytes: float

    @property
    def row(self) -> str:
        """A row of the table."""
        start = f"| {self.variety} | {self.degree} | {self.functions:,} | {self.points:,} |"
        return f"{start} {self.seconds:.1f} | {self.core_seconds:.1f} | {self.megabytes:.0f} |"


def costs() -> Iterator[Cost]:
    """One case after another."""
    for size, of_metric, degree, count, eigenvalues in CASES:
        variety = gf.Fermat(size)
        points = variety.sample(4000, seed=1)
        metric = gf.algebraic_metric(variety, of_metric, points)
        gf.spectrum(metric, points[:200], 1, count=2)  # compiles
        wall, own = time.perf_counter(), time.process_time()
        gf.spectrum(metric, points[:count], degree, count=eigenvalues)
        seconds, core = time.perf_counter() - wall, time.process_time() - own
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield Cost(f"Fermat {size}", degree, gf.function_space(variety, degree).count, count, seconds, core, most)


HEAD = "| variety | degree | functions | points | seconds | core-seconds | MB |\n|---|---|---|---|---|---|---|"

if __name__ == "__main__":
    name = sys.argv[sys.argv.index("--save") + 1] if "--save" in sys.argv else None
    print(HEAD)
    found = []
    for cost in costs():
        found.append(cost)
        print(cost.row, flush=True)
    keep(name, {"spectra": [asdict(cost) for cost in found]}, "\n".join([HEAD, *(cost.row for cost in found), ""]))
