"""Ensembles of infinite networks that learn nine components at 10,000 points, beside scikit-learn's Gaussian process.

    python -m benchmarks.ensembles                     # 2,000 and 10,000 points
    python -m benchmarks.ensembles --points 10000 --save ensembles

Both are given the same kernel (relu, two hidden layers, last layer trained, ridge 1e-2) and the same values, and find
the mean at 1,000 new points: geomflow by Lanczos, scikit-learn by Cholesky of the matrix that geomflow's kernel fills.
Each runs in a process of its own; seconds of everything, the filling of the matrix too, and peak memory of the process.
Means must agree to 1e-6. `finite time` is what scikit-learn has not: networks with all layers trained, at t = 1.
"""

from __future__ import annotations

import argparse
import datetime
import multiprocessing as mp
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.keep import keep
from benchmarks.worker import THREADS, limit_threads

COMPONENTS, NEW, RIDGE = 9, 1000, 1e-2


def data(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (count, 6), smooth values (count, 9) and new points (1000, 6)."""
    rng = np.random.default_rng(4)
    x, new = rng.standard_normal((count, 6)), rng.standard_normal((NEW, 6))
    return x, np.sin(x @ rng.standard_normal((6, COMPONENTS))), new


def kernel() -> Any:
    """Relu, two hidden layers."""
    from geomflow.kernels import NetworkKernel

    return NetworkKernel("relu", 2, 1.4, 0.3)


def by_geomflow(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The last layer trained for ever."""
    from geomflow.kernels import InfiniteEnsemble

    return InfiniteEnsemble(kernel(), "last").regress(x, y, ridge=RIDGE).at(np.inf).mean(new)


def at_finite_time(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """All layers trained, t = 1."""
    from geomflow.kernels import InfiniteEnsemble

    return InfiniteEnsemble(kernel()).regress(x, y).at(1.0).mean(new)


def by_sklearn(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Its Gaussian process with our kernel as its own."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Kernel

    covariance = kernel().covariance

    class Given(Kernel):
        def __init__(self) -> None:
            """No parameters."""

        def __call__(self, X: Any, Y: Any = None, eval_gradient: bool = False) -> np.ndarray:
            return np.asarray(covariance.matrix(X, Y))

        def diag(self, X: Any) -> np.ndarray:
            return np.asarray(covariance.diagonal(X))

        def is_stationary(self) -> bool:
            return False

    model = GaussianProcessRegressor(Given(), alpha=RIDGE, optimizer=None, copy_X_train=False)
    return np.asarray(model.fit(x, y).predict(new))


ENTRIES: dict[str, Callable[..., np.ndarray]] = {
    "geomflow": by_geomflow, "scikit-learn": by_sklearn, "geomflow, finite time": at_finite_time}


def _child(name: str, count: int, pipe: Any) -> None:
    limit_threads()
    x, y, new = data(count)
    ENTRIES[name](x[:50], y[:50], new[:5])  # imports, and compiled code from its cache
    start = time.perf_counter()
    mean = ENTRIES[name](x, y, new)
    pipe.send((time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, mean))


def once(name: str, count: int) -> tuple[float, float, np.ndarray]:
    """Seconds, MiB at most, and the mean, from a process of its own."""
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(name, count, theirs))
    child.start()
    theirs.close()
    found: tuple[float, float, np.ndarray] = ours.recv()
    child.join()
    return found


def measure(count: int, rounds: int) -> list[dict[str, Any]]:
    """Every entry, in turns; the mean of the first is what others are compared with."""
    found = {name: [once(name, count) for _ in range(rounds)] for name in ENTRIES}
    reference = found["geomflow"][0][2]
    apart = float(np.abs(found["scikit-learn"][0][2] - reference).max() / np.abs(reference).max())
    if not apart < 1e-6:
        raise SystemExit(f"the means differ by {apart:.1e} of the largest value")
    return [{"points": count, "entry": name, "seconds": float(np.median([f[0] for f in runs])),
             "memory": max(f[1] for f in runs), "apart": apart if name == "scikit-learn" else 0.0}
            for name, runs in found.items()]


def report(result: dict[str, Any]) -> str:
    """The table."""
    from benchmarks.report import busy, number, table

    rows = []
    for row in result["rows"]:
        ours = next(r["seconds"] for r in result["rows"] if r["points"] == row["points"])
        rows.append([f"{row['points']:,}", row["entry"], number(row["seconds"]), f"{row['seconds'] / ours:.1f}",
                     f"{row['memory']:.0f}", f"{row['apart']:.0e}"])
    head = ["points", "by", "median, seconds", "times geomflow", "peak memory, MiB", "apart"]
    m = result["machine"]
    where = f"{m['processor']}, {THREADS} threads, {result['date']}, load average {m['load']} at the start"
    what = f"{COMPONENTS} components, the mean at {NEW:,} new points. {where}{busy(m['load'])}."
    return f"{what}\n\n{table(head, rows)}\n"


def main() -> None:
    """Measure, print the table, and write it with the numbers under benchmarks/results/."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ensembles", description=__doc__.splitlines()[0])
    parser.add_argument("--points", nargs="+", type=int, default=[2000, 10_000], help="how many points")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json and NAME.md")
    options = parser.parse_args()
    limit_threads()
    from benchmarks.machine import describe

    machine = describe(("numpy", "numba", "scipy", "scikit-learn"))
    rows = [row for count in options.points for row in measure(count, options.rounds)]
    result = {"date": datetime.date.today().isoformat(), "machine": machine, "rows": rows}
    text = report(result)
    print(text)
    keep(options.save, result, text)


if __name__ == "__main__":
    main()
