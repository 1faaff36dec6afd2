"""Right-hand sides of flows: geomflow beside its peers and the machine's limit, in one run.

    python -m benchmarks.right_hand_sides [--cases A B] [--peers numpy_roll jax_cpu] [--rounds 7] [--save]

Every peer runs in a process of its own, with two threads; only one works at a time, in bursts that alternate. Before
anything is timed its result is compared with the NumPy oracle of the same order.
"""

from __future__ import annotations

import argparse
import datetime
import os
import tempfile
from collections.abc import Callable
from typing import Any

from benchmarks.keep import keep
from benchmarks.worker import THREADS, limit_threads

WORKING_SETS = (1 << 21, 1 << 24, 1 << 28)
PACKAGES = ("numpy", "numba", "sympy", "jax", "py-pde", "devito", "pystencils")


def main() -> None:
    """Measure, print the tables, and write them with the numbers under benchmarks/results/."""
    options = _options()
    limit_threads()
    from benchmarks.report import report

    with tempfile.TemporaryDirectory(prefix="geomflow-bench-") as cache:
        os.environ["GEOMFLOW_CACHE"] = cache
        result = measure(options.cases, (*options.peers,), options.rounds)
    text = report(result)
    print(text)
    keep(f"right_hand_sides.{result['machine']['kind']}" if options.save else None, result, text)


def measure(case_names: list[str], peers: tuple[str, ...], rounds: int) -> dict[str, Any]:
    """Everything that one run measures, as plain data."""
    from benchmarks.cases import CASES
    from benchmarks.machine import Limits, describe

    described, limits = describe(PACKAGES), Limits(THREADS)
    limits.measure(*WORKING_SETS)
    cases = {c.name: _case(c, peers, rounds) for c in CASES if c.name in case_names}
    limits.measure()
    return {
        "date": datetime.date.today().isoformat(),
        "threads": THREADS,
        "rounds": rounds,
        "machine": described,
        "limits": {"flops": limits.flops, "bandwidth": {str(size): limits.bandwidth[size] for size in WORKING_SETS}},
        "cases": cases,
    }


def _case(case: Any, peers: tuple[str, ...], rounds: int) -> dict[str, Any]:
    """One case: its peers and its bound, the limits measured between the bursts."""
    from benchmarks.machine import Limits
    from benchmarks.roofline import bound, counts_a_point

    limits = Limits(THREADS)
    limits.measure(case.traffic)
    found = _peers(case, peers, rounds, limits.measure)
    return {"title": case.title, "peers": found, "bound": bound(case, counts_a_point(case), limits)}


def _peers(case: Any, peers: tuple[str, ...], rounds: int, between: Callable[[], None]) -> dict[str, Any]:
    from benchmarks.rounds import compare, summary

    print(f"{case.name}: {case.title} ...", flush=True)
    entries = {name: summary(entry) for name, entry in compare(case, peers, rounds, between).items()}
    for name, entry in entries.items():
        if "error" in entry:
            print(f"  {name}: {entry['error']}")
    return entries


def _options() -> argparse.Namespace:
    from benchmarks.cases import CASES
    from benchmarks.peers import MODULES

    parser = argparse.ArgumentParser(prog="python -m benchmarks.right_hand_sides", description=__doc__.splitlines()[0])
    names = [c.name for c in CASES]
    parser.add_argument("--cases", nargs="+", choices=names, default=names, help="which right-hand sides")
    parser.add_argument("--peers", nargs="+", choices=MODULES, default=list(MODULES), help="which peers")
    parser.add_argument("--rounds", type=int, default=7, help="alternating bursts of calls a peer")
    parser.add_argument("--save", action="store_true", help="write results/right_hand_sides.KIND.json and .md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
