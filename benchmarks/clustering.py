"""Average-linkage clustering in sin²d: geomflow beside scipy and scikit-learn, seconds and memory in one run.

    python -m benchmarks.clustering [--points 2000 10000] [--rounds 3] [--save NAME]

Points are uniform in P⁴. The peers get the matrix of sin²d, which they need; forming it is timed with them. Every run
has a process of its own, whose peak of memory less that of its imports is reported. Beyond 20,000 points only geomflow
runs.
"""

from __future__ import annotations

import argparse
import datetime
from typing import Any

import numpy as np

from benchmarks.alone import alone
from benchmarks.keep import keep
from benchmarks.worker import THREADS, limit_threads

MOST_FOR_MATRICES = 20_000
CLUSTERS, WARM = 100, 300


def data(count: int) -> tuple[np.ndarray]:
    """Points uniform in P⁴ by homogeneous coordinates."""
    rng = np.random.default_rng(0)
    return (rng.standard_normal((count, 5)) + 1j * rng.standard_normal((count, 5)),)


def sine_squares(z: np.ndarray) -> np.ndarray:
    """sin²d of all pairs."""
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    squares = 1 - np.abs(unit @ unit.conj().T) ** 2
    np.fill_diagonal(squares, 0)
    return np.maximum(squares, 0, out=squares)


def by_geomflow(z: np.ndarray) -> np.ndarray:
    """Mean projectors, no matrix."""
    from geomflow.kernels import projective_linkage

    return projective_linkage(z).labels(CLUSTERS)


def by_scipy(z: np.ndarray) -> np.ndarray:
    """scipy.cluster.hierarchy.linkage."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    return fcluster(linkage(squareform(sine_squares(z), checks=False), "average"), CLUSTERS, "maxclust")


def by_sklearn(z: np.ndarray) -> np.ndarray:
    """sklearn.cluster.AgglomerativeClustering."""
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(CLUSTERS, metric="precomputed", linkage="average")
    return model.fit_predict(sine_squares(z))


WAYS = {"geomflow": by_geomflow, "scipy": by_scipy, "scikit-learn": by_sklearn}


def measure(count: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Median seconds and bytes of every way that can, alternating; whether the clusters are geomflow's."""
    runs: dict[str, list[Any]] = {name: [] for name in WAYS if name == "geomflow" or count <= MOST_FOR_MATRICES}
    for _ in range(rounds):
        for name, done in runs.items():
            done.append(alone(WAYS[name], data, count, WARM))
    found: dict[str, dict[str, Any]] = {}
    for name, done in runs.items():
        if isinstance(done[0], str):
            found[name] = {"failure": done[0]}
            continue
        same = len(set(zip(done[0].result.tolist(), runs["geomflow"][0].result.tolist()))) == CLUSTERS
        seconds = [run.seconds for run in done]
        found[name] = {"median": float(np.median(seconds)), "least": min(seconds),
                       "bytes": max(run.bytes for run in done), "same": same}
    return found


def report(result: dict[str, Any]) -> str:
    """The table of one run of this command."""
    from benchmarks.report import MISSING, busy, number, table
    from geomflow.core.memory import human

    rows = []
    for count, ways in result["points"].items():
        ours = ways["geomflow"]["median"]
        for name, way in ways.items():
            if "median" not in way:
                rows.append([f"{int(count):,}", name, *[MISSING] * 5])
                continue
            rows.append([f"{int(count):,}", name, number(way["median"]), number(way["least"]), human(way["bytes"]),
                         "yes" if way["same"] else "no", f"{way['median'] / ours:.1f}"])
    head = ["points", "by", "median, seconds", "fastest", "memory", "same clusters", "times geomflow"]
    m = result["machine"]
    where = f"{m['processor']}, {result['threads']} threads, {result['date']}, load average {m['load']} at the start"
    return f"Average linkage in sin²d. {where}{busy(m['load'])}.\n\n{table(head, rows)}\n"


def main() -> None:
    """Measure, print the table, and write it with the numbers under benchmarks/results/."""
    options = _options()
    limit_threads()
    from benchmarks.machine import describe

    machine = describe(("numpy", "numba", "scipy", "scikit-learn"))
    points = {str(n): measure(n, options.rounds if n <= MOST_FOR_MATRICES else 1) for n in options.points}
    result = {"date": datetime.date.today().isoformat(), "threads": THREADS, "machine": machine, "points": points}
    text = report(result)
    print(text)
    keep(options.save, result, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clustering", description=__doc__.splitlines()[0])
    parser.add_argument("--points", nargs="+", type=int, default=[2000, 10_000, 100_000], help="how many points")
    parser.add_argument("--rounds", type=int, default=3, help="timed repetitions, alternating")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json and NAME.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
