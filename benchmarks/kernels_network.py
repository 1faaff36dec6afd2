"""ReLU tangent kernels of infinite width: geomflow beside NumPy in blocks and JAX, seconds and digits in one run.

    python -m benchmarks.kernels_network [--points 2500] [--rounds 9] [--save NAME]

The peers use the usual formula by arccos of the correlation. The error is the largest one of Θ on pairs of points that
nearly coincide, relative to the recursion in 40 digits. Compilation is left out of the times and stands beside them.
"""

from __future__ import annotations

import argparse
import datetime
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.keep import keep
from benchmarks.worker import THREADS, limit_threads

INPUTS, WEIGHT, BIAS, BLOCK = 10, 1.4, 0.1, 256
#: Seconds of neural-tangents, compiled, for 2,500 points on two shared cores, published; its import is broken today.
PUBLISHED = {1: 0.14, 3: 0.26}


def relu_ntk(xp: Any, x: Any, y: Any, depth: int) -> Any:
    """The textbook recursion in the functions of `xp`."""
    m, beta = WEIGHT**2, BIAS**2
    k = m * (x @ y.T) / x.shape[1] + beta
    a, b = (m * (z * z).sum(axis=1) / z.shape[1] + beta for z in (x, y))
    theta = k
    for _ in range(depth):
        norm = xp.sqrt(a[:, None] * b)
        c = xp.clip(k / norm, -1.0, 1.0)
        angle = xp.arccos(c)
        k = m * norm * (xp.sqrt(1 - c * c) + (np.pi - angle) * c) / (2 * np.pi) + beta
        theta = k + m * (np.pi - angle) / (2 * np.pi) * theta
        a, b = m * a / 2 + beta, m * b / 2 + beta
    return theta


def by_geomflow(depth: int) -> Callable[[np.ndarray], np.ndarray]:
    """The closed form of geomflow."""
    from geomflow.kernels.network import NetworkKernel

    return NetworkKernel("relu", depth, WEIGHT, BIAS).matrix


def by_numpy(depth: int) -> Callable[[np.ndarray], np.ndarray]:
    """NumPy in blocks of rows."""

    def run(x: np.ndarray) -> np.ndarray:
        out = np.empty((len(x), len(x)))
        for start in range(0, len(x), BLOCK):
            out[start : start + BLOCK] = relu_ntk(np, x[start : start + BLOCK], x, depth)
        return out

    return run


def by_jax(depth: int) -> Callable[[np.ndarray], np.ndarray]:
    """JAX on the processor, compiled as a whole, double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(lambda x: relu_ntk(jax.numpy, x, x, depth))
    return lambda x: np.asarray(compiled(x).block_until_ready())


WAYS = {"geomflow": by_geomflow, "NumPy in blocks": by_numpy, "JAX": by_jax}


def measure(points: int, depth: int, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of first and later calls of every way, alternating, and errors."""
    x = np.random.default_rng(0).standard_normal((points, INPUTS))
    found: dict[str, dict[str, Any]] = {}
    runs: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
    for name, way in WAYS.items():
        try:
            runs[name] = way(depth)
        except ModuleNotFoundError as missing:
            found[name] = {"failure": str(missing)}
            continue
        start = time.perf_counter()
        runs[name](x)
        found[name] = {"first": time.perf_counter() - start, "error": error(runs[name], depth), "times": []}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run(x)
            found[name]["times"].append(time.perf_counter() - start)
    for name in runs:
        times = found[name].pop("times")
        found[name] |= {"median": float(np.median(times)), "least": min(times)}
    return found


def error(run: Callable[[np.ndarray], np.ndarray], depth: int) -> float:
    """The largest relative error on nearly coincident points."""
    import mpmath

    rng = np.random.default_rng(1)
    x = np.repeat(rng.standard_normal((12, INPUTS)), 12, axis=0)
    x += np.tile(10.0 ** -np.arange(4, 16), 12)[:, None] * rng.standard_normal(x.shape)
    found = run(x)
    pairs = [(i, i // 12 * 12) for i in range(len(x)) if i % 12]
    with mpmath.workdps(40):
        exact = [_exact(mpmath, x[i], x[j], depth) for i, j in pairs]
        return max(float(abs(mpmath.mpf(float(found[pair])) / e - 1)) for pair, e in zip(pairs, exact))


def _exact(mp: Any, x: np.ndarray, y: np.ndarray, depth: int) -> Any:
    m, beta = mp.mpf(WEIGHT) ** 2, mp.mpf(BIAS) ** 2
    u, v = ([mp.mpf(float(c)) for c in point] for point in (x, y))
    a, b, k = (m * mp.fdot(*pair) / len(u) + beta for pair in ((u, u), (v, v), (u, v)))
    theta = k
    for _ in range(depth):
        norm = mp.sqrt(a * b)
        angle = mp.acos(min(k / norm, mp.mpf(1)))
        k = m * norm * (mp.sin(angle) + (mp.pi - angle) * mp.cos(angle)) / (2 * mp.pi) + beta
        theta = k + m * (mp.pi - angle) / (2 * mp.pi) * theta
        a, b = m * a / 2 + beta, m * b / 2 + beta
    return theta


def report(result: dict[str, Any]) -> str:
    """The table of one run of this command."""
    from benchmarks.report import MISSING, busy, number, table

    rows = []
    for depth, ways in result["depths"].items():
        ours = ways["geomflow"]["median"]
        for name, way in ways.items():
            if "median" not in way:
                rows.append([depth, name, MISSING, MISSING, MISSING, MISSING, MISSING])
                continue
            times = [number(way[key]) for key in ("median", "least", "first")]
            rows.append([depth, name, *times, f"{way['error']:.1e}", f"{way['median'] / ours:.1f}"])
        published = PUBLISHED.get(int(depth))
        if published and result["points"] == 2500:
            rows.append([depth, "neural-tangents (published)", number(published), MISSING, MISSING, "2.6e-09",
                         f"{published / ours:.1f}"])
    head = ["hidden layers", "by", "median, seconds", "fastest", "first call", "error", "times geomflow"]
    m = result["machine"]
    where = f"{m['processor']}, {result['threads']} threads, {result['date']}, load average {m['load']} at the start"
    return f"ReLU tangent kernel of {result['points']:,} points. {where}{busy(m['load'])}.\n\n{table(head, rows)}\n"


def main() -> None:
    """Measure, print the table, and write it with the numbers under benchmarks/results/."""
    options = _options()
    limit_threads()
    from benchmarks.machine import describe

    result = {
        "date": datetime.date.today().isoformat(),
        "threads": THREADS,
        "points": options.points,
        "machine": describe(("numpy", "numba", "jax")),
        "depths": {str(depth): measure(options.points, depth, options.rounds) for depth in (1, 3)},
    }
    text = report(result)
    print(text)
    keep(options.save, result, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels_network", description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=2500, help="how many points")
    parser.add_argument("--rounds", type=int, default=9, help="timed repetitions, alternating")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json and NAME.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
