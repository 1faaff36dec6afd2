"""Ensembles of infinite networks that learn nine components at 10,000 points, beside Gaussian processes of others.

    python -m benchmarks.ensembles                     # 2,000 and 10,000 points
    python -m benchmarks.ensembles --points 10000 --save ensembles

All find the mean of one posterior at 1,000 new points: relu, two hidden layers, the last one trained for ever, ridge
1e-2, in double precision. Every way is timed with the matrices, which geomflow's kernel fills for all; then geomflow,
scikit-learn's GaussianProcessRegressor, which is given the kernel as its own and no hyperparameters to fit, and
GPyTorch take Cholesky factors, as do a few lines of scipy that factor in place. GPyTorch's ExactGP would copy the
matrix for each component, and its conjugate gradients, which it prefers above 800 points, take minutes for six digits
of this mean at 2,000: it solves as its ExactGP does for one component, with nine columns and by Cholesky. Each run has
a process of its own, whose peak of memory less that of its imports is reported. What no other way finds is apart: all
layers trained, t = 1, by Lanczos above 3,000 points.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.alone import alone
from benchmarks.keep import keep
from benchmarks.worker import THREADS, limit_threads

COMPONENTS, NEW, RIDGE, SAME, WARM = 9, 1000, 1e-2, 1e-8, 50


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


def by_gpytorch(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Its lazy covariance with noise, solved by Cholesky."""
    import gpytorch
    import torch

    covariance = kernel().covariance

    class Given(gpytorch.kernels.Kernel):  # type: ignore[misc]  # of a package without types
        def forward(self, x1: Any, x2: Any, **options: Any) -> Any:
            return torch.from_numpy(covariance.matrix(x1.numpy(), None if x1.equal(x2) else x2.numpy()))

    inputs, values, points = map(torch.from_numpy, (x, y, new))
    given, noise = Given(), torch.full((len(x),), RIDGE, dtype=inputs.dtype)
    prior = gpytorch.distributions.MultivariateNormal(inputs.new_zeros(len(x)), given(inputs))
    with torch.no_grad(), gpytorch.settings.max_cholesky_size(len(x)):
        noisy = gpytorch.likelihoods.FixedNoiseGaussianLikelihood(noise)(prior)
        found = noisy.lazy_covariance_matrix.evaluate_kernel().solve(values)
        return np.asarray((given(points, inputs) @ found).numpy())


def by_scipy(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The textbook, factored in place."""
    from scipy.linalg import cho_factor, cho_solve

    covariance = kernel().covariance
    matrix = covariance.matrix(x)
    matrix.flat[::len(x) + 1] += RIDGE
    factor = cho_factor(matrix.T, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(covariance.matrix(new, x) @ cho_solve(factor, y))


ALONE = "geomflow, all layers, t = 1"
WAYS: dict[str, Callable[..., np.ndarray]] = {
    "geomflow": by_geomflow, "scikit-learn": by_sklearn, "GPyTorch": by_gpytorch, "scipy": by_scipy,
    ALONE: at_finite_time}


def measure(count: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Median and least seconds and bytes of every way, alternating, and how far its mean is from scipy's."""
    runs: dict[str, list[Any]] = {name: [] for name in WAYS}
    for _ in range(rounds):
        for name, done in runs.items():
            done.append(alone(WAYS[name], data, count, WARM))
    exact = runs["scipy"][0].result
    found: dict[str, dict[str, Any]] = {}
    for name, done in runs.items():
        failures = [run for run in done if isinstance(run, str)]
        if failures:
            found[name] = {"failure": failures[0]}
            continue
        seconds = [run.seconds for run in done]
        found[name] = {"median": float(np.median(seconds)), "least": min(seconds),
                       "bytes": max(run.bytes for run in done)}
        if name != ALONE:
            apart = max(float(np.abs(run.result - exact).max() / np.abs(exact).max()) for run in done)
            if not apart < SAME:
                raise SystemExit(f"the mean by {name} differs from that by scipy by {apart:.1e} of the largest value")
            found[name]["apart"] = apart
    return found


def report(result: dict[str, Any]) -> str:
    """The table of one run of this command."""
    from benchmarks.report import MISSING, busy, number, table
    from geomflow.core.memory import human

    rows = []
    for count, ways in result["points"].items():
        for name, way in ways.items():
            if "median" not in way:
                rows.append([f"{int(count):,}", name, *[MISSING] * 5])
                continue
            compared = [MISSING, MISSING]
            if "apart" in way:
                compared = [f"{way['apart']:.0e}", number(way["median"] / ways["geomflow"]["median"])]
            rows.append([f"{int(count):,}", name, number(way["median"]), number(way["least"]), human(way["bytes"]),
                         *compared])
    head = ["points", "by", "median, seconds", "fastest", "memory", "apart from scipy", "times geomflow"]
    m = result["machine"]
    where = f"{m['processor']}, {result['threads']} threads, {result['date']}, load average {m['load']} at the start"
    what = f"{COMPONENTS} components, the mean at {NEW:,} new points"
    return f"{what}. {where}{busy(m['load'])}.\n\n{table(head, rows)}\n"


def main() -> None:
    """Measure, print the table, and write it with the numbers under benchmarks/results/."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ensembles", description=__doc__.splitlines()[0])
    parser.add_argument("--points", nargs="+", type=int, default=[2000, 10_000], help="how many points")
    parser.add_argument("--rounds", type=int, default=3, help="timed repetitions, alternating")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json and NAME.md")
    options = parser.parse_args()
    limit_threads()
    from benchmarks.machine import describe

    machine = describe(("numpy", "numba", "scipy", "scikit-learn", "torch", "gpytorch"))
    points = {str(n): measure(n, options.rounds) for n in options.points}
    result = {"date": datetime.date.today().isoformat(), "threads": THREADS, "machine": machine, "points": points}
    text = report(result)
    print(text)
    keep(options.save, result, text)


if __name__ == "__main__":
    main()
