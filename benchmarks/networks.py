"""Networks with their derivatives: geomflow beside JAX and autograd, milliseconds and digits in one run.

    python -m benchmarks.networks [--rounds 15] [--save NAME]

`hessian`: value and gradient by all parameters of the mean of (r det(1 + ∂∂̄φ) − 1)² for a 10-64-64-64-1 GELU network φ
of the coordinates of 2,000 points of the Fermat quintic, ∂ along orthonormal tangents. JAX takes Hessian–vector
products along the six real tangents and differentiates; autograd differentiates hand-written forward jets.
`kernel`: the empirical tangent kernel of a 10-64-64-64-9 network at 100,000 points, times one vector: J (Jᵀ v).
The error is relative to the first way in double precision; compilation is left out of the times and stands beside them.
"""

from __future__ import annotations

import argparse
import datetime
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.keep import keep
from benchmarks.worker import THREADS, limit_threads

HIDDEN = (64, 64, 64)
#: Milliseconds of forward jets with a hand-written reverse in Numba, measured elsewhere on two such cores.
PUBLISHED = {"hessian": 46.0, "kernel": 350.0}


@dataclass(frozen=True)
class HessianCase:
    """Inputs u (P, 10), complex tangents (P, 3, 10), ratios r (P,) and the network with its parameters."""

    values: np.ndarray
    tangents: np.ndarray
    ratio: np.ndarray
    network: Any
    parameters: np.ndarray

    @classmethod
    def make(cls, count: int = 2000) -> HessianCase:
        """Points of the Fermat quintic in their patches."""
        import geomflow.variety as gv
        from geomflow.fits import ProjectiveInputs
        from geomflow.networks import Perceptron

        points = gv.Fermat(5).sample(count, seed=0)
        lower = ProjectiveInputs.of(points, (1.0,)).lower
        frame = np.linalg.solve(lower, points.pullbacks)
        z = points.coordinates
        tangents = np.concatenate([frame / 2, -0.5j * frame], axis=2)
        ratio = np.abs(np.linalg.det(lower)) ** 2 / points.omega2
        network = Perceptron(10, HIDDEN, 1, "gelu", "standard", bias_std=0.1)
        values = np.concatenate([z.real, z.imag], axis=1)
        return cls(values, tangents, ratio / ratio.mean(), network, 0.1 * network.initial(1))


class GivenInputs:
    """Inputs from arrays: `values` (P, m), `tangents` (P, n, m) complex and, unless zero, `second` (P, n, n, m)."""

    def __init__(self, values: np.ndarray, tangents: np.ndarray, second: np.ndarray | None = None) -> None:
        from geomflow.core.hermitian import pack

        self.count, self.width = values.shape
        self.n, self.curved = tangents.shape[1], second is not None
        parts = [values[None], np.moveaxis(tangents.real, 1, 0), np.moveaxis(tangents.imag, 1, 0)]
        self._first = np.concatenate(parts)
        self._second = None if second is None else np.moveaxis(pack(np.moveaxis(second, 3, 1)), 2, 0)

    def fill(self, block: slice, first: np.ndarray, second: np.ndarray | None) -> None:
        """Copy a block."""
        first[...] = self._first[:, block]
        if second is not None and self._second is not None:
            second[...] = self._second[:, block]


def hessian_geomflow(case: HessianCase, precision: str = "double") -> Callable[[], tuple[float, np.ndarray]]:
    """The sweeps of geomflow."""
    from geomflow.networks.complex_hessian import ComplexHessian
    from geomflow.variety.routines import hermitian

    inputs, engine = GivenInputs(case.values, case.tangents), ComplexHessian(case.network, precision)

    def local(block: slice, value: np.ndarray, packed: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        det, dual, least = np.empty(len(packed)), np.empty(packed.shape), np.empty(len(packed))
        hermitian.determinants(packed.astype(float, copy=False), 3, det, dual, least)
        ratio = case.ratio[block]
        residual = ratio * det - 1
        factor = 2 * residual * ratio / len(case.ratio)
        return residual @ residual / len(case.ratio), np.zeros(len(det)), factor[:, None] * dual

    return lambda: engine.gradient(case.parameters, inputs, local)


def hessian_single(case: HessianCase) -> Callable[[], tuple[float, np.ndarray]]:
    """The same in single precision."""
    return hessian_geomflow(case, "single")


def hessian_jax(case: HessianCase) -> Callable[[], tuple[float, np.ndarray]]:
    """JAX on the processor, double precision, compiled as a whole."""
    import jax

    jax.config.update("jax_enable_x64", True)
    np_ = jax.numpy
    layers = _layers(case.network)

    def phi(theta: Any, u: Any) -> Any:
        return _network(layers, theta, u, lambda h: jax.nn.gelu(h, approximate=False))[0]

    def second(theta: Any, u: Any, tangent: Any) -> Any:
        _, along = jax.linearize(lambda x: jax.grad(phi, argnums=1)(theta, x), u)
        x, y = tangent.real, tangent.imag
        hx, hy = jax.vmap(along)(x), jax.vmap(along)(y)
        return x @ hx.T + y @ hy.T + 1j * (y @ hx.T - x @ hy.T)

    def loss(theta: Any) -> Any:
        h = jax.vmap(lambda u, t: second(theta, u, t))(case.values, case.tangents) + np_.eye(3)
        return np_.mean((case.ratio * _determinant(h) - 1) ** 2)

    compiled = jax.jit(jax.value_and_grad(loss))
    return lambda: jax.tree.map(np.asarray, compiled(case.parameters))


def hessian_autograd(case: HessianCase) -> Callable[[], tuple[float, np.ndarray]]:
    """Forward jets (value, three ∂ and six ∂∂̄, complex ones counting twice), differentiated by autograd."""
    import autograd.numpy as np_
    from autograd import value_and_grad
    from autograd.scipy.stats import norm

    layers = _layers(case.network)
    pairs = [(a, b) for a in range(3) for b in range(a, 3)]

    def loss(theta: Any) -> Any:
        value, first, second = case.values, [case.tangents[:, a] for a in range(3)], [0.0] * 6
        for number, (weights, bias, shape) in enumerate(layers):
            w = np_.reshape(theta[weights], shape)
            value = np_.dot(value, w.T) + theta[bias]
            first = [np_.dot(s, w.T) for s in first]
            second = [np_.dot(s, w.T) if number else 0.0 for s in second]
            if number + 1 < len(layers):
                slope = norm.cdf(value) + value * norm.pdf(value)
                curve = norm.pdf(value) * (2 - value**2)
                second = [curve * first[a] * np_.conj(first[b]) + slope * s for (a, b), s in zip(pairs, second)]
                first, value = [slope * s for s in first], value * norm.cdf(value)
        entry = {pair: s[:, 0] + (pair[0] == pair[1]) for pair, s in zip(pairs, second)}
        volume = _hermitian_determinant(np_, entry)
        return np_.mean((case.ratio * volume - 1) ** 2)

    # autograd casts the complex cotangents of real weights to real numbers, which is right, and warns
    warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
    compute = value_and_grad(loss)
    return lambda: compute(case.parameters)


def _layers(network: Any) -> list[tuple[slice, slice, tuple[int, int]]]:
    """(place of W, place of b, shape of W) of each layer in θ."""
    places, shapes = network.layout.slices, network.layout.shapes
    return [(places[f"W{k}"], places[f"b{k}"], shapes[f"W{k}"]) for k in range(network.depth + 1)]


def _network(layers: list, theta: Any, u: Any, activation: Callable) -> Any:
    for weights, bias, shape in layers[:-1]:
        u = activation(theta[weights].reshape(shape) @ u + theta[bias])
    weights, bias, shape = layers[-1]
    return theta[weights].reshape(shape) @ u + theta[bias]


def _determinant(h: Any) -> Any:
    """det of Hermitian (P, 3, 3)."""
    return (
        h[:, 0, 0] * (h[:, 1, 1] * h[:, 2, 2] - h[:, 1, 2] * h[:, 2, 1])
        - h[:, 0, 1] * (h[:, 1, 0] * h[:, 2, 2] - h[:, 1, 2] * h[:, 2, 0])
        + h[:, 0, 2] * (h[:, 1, 0] * h[:, 2, 1] - h[:, 1, 1] * h[:, 2, 0])
    ).real


def _hermitian_determinant(np_: Any, entry: dict[tuple[int, int], Any]) -> Any:
    """det from the entries a <= b."""
    x, y, z = (np_.real(entry[a, a]) for a in range(3))
    size = {pair: np_.real(entry[pair] * np_.conj(entry[pair])) for pair in ((0, 1), (0, 2), (1, 2))}
    turn = np_.real(entry[0, 1] * entry[1, 2] * np_.conj(entry[0, 2]))
    return x * y * z + 2 * turn - x * size[1, 2] - y * size[0, 2] - z * size[0, 1]


@dataclass(frozen=True)
class KernelCase:
    """A network 10-64-64-64-9 at 100,000 points, and a vector (P, 9)."""

    x: np.ndarray
    vector: np.ndarray
    network: Any
    parameters: np.ndarray

    @classmethod
    def make(cls, count: int = 100_000) -> KernelCase:
        """Random points."""
        from geomflow.networks import Perceptron

        rng = np.random.default_rng(0)
        network = Perceptron(10, HIDDEN, 9, "gelu", "standard", bias_std=0.1)
        return cls(rng.standard_normal((count, 10)), rng.standard_normal((count, 9)), network, network.initial(1))


def kernel_geomflow(case: KernelCase) -> Callable[[], tuple[float, np.ndarray]]:
    """J (Jᵀ v) by a vector–Jacobian and a Jacobian–vector product."""

    def run() -> tuple[float, np.ndarray]:
        pulled = case.network.vjp(case.parameters, case.x, case.vector)
        return 0.0, case.network.jvp(case.parameters, case.x, pulled)

    return run


def kernel_jax(case: KernelCase) -> Callable[[], tuple[float, np.ndarray]]:
    """The same two products in JAX, compiled together, double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    layers = _layers(case.network)

    def values(theta: Any) -> Any:
        u = case.x
        for weights, bias, shape in layers[:-1]:
            u = jax.nn.gelu(u @ theta[weights].reshape(shape).T + theta[bias], approximate=False)
        weights, bias, shape = layers[-1]
        return u @ theta[weights].reshape(shape).T + theta[bias]

    def product(theta: Any) -> Any:
        (pulled,) = jax.vjp(values, theta)[1](case.vector)
        return jax.jvp(values, (theta,), (pulled,))[1]

    compiled = jax.jit(product)
    return lambda: (0.0, np.asarray(compiled(case.parameters).block_until_ready()))


CASES: dict[str, tuple[Callable[[], Any], dict[str, Callable]]] = {
    "hessian": (
        HessianCase.make,
        {
            "geomflow": hessian_geomflow,
            "geomflow, single precision": hessian_single,
            "JAX": hessian_jax,
            "autograd": hessian_autograd,
        },
    ),
    "kernel": (KernelCase.make, {"geomflow": kernel_geomflow, "JAX": kernel_jax}),
}


def measure(name: str, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of first and later calls of every way, alternating, and errors relative to the first way."""
    make, ways = CASES[name]
    case, found, runs = make(), {}, {}
    reference = None
    for way, prepare in ways.items():
        try:
            runs[way] = prepare(case)
        except ModuleNotFoundError as missing:
            found[way] = {"failure": str(missing)}
            continue
        start = time.perf_counter()
        result = runs[way]()[1]
        reference = result if reference is None else reference
        error = float(np.abs(result - reference).max() / np.abs(reference).max())
        found[way] = {"first": time.perf_counter() - start, "error": error, "times": []}
    for _ in range(rounds):
        for way, run in runs.items():
            for repeat in range(3):
                start = time.perf_counter()
                run()
                if repeat:
                    found[way]["times"].append(time.perf_counter() - start)
    for way in runs:
        times = found[way].pop("times")
        found[way] |= {"median": float(np.median(times)), "least": min(times)}
    return found


def report(result: dict[str, Any]) -> str:
    """The table of one run of this command."""
    from benchmarks.report import MISSING, busy, number, table

    rows = []
    for name, ways in result["cases"].items():
        ours = ways["geomflow"]
        for way, entry in ways.items():
            if "median" not in entry:
                rows.append([name, way, *[MISSING] * 6])
                continue
            times = [number(1e3 * entry[key]) for key in ("median", "least", "first")]
            ratios = [f"{entry[key] / ours[key]:.1f}" for key in ("median", "least")]
            rows.append([name, way, *times, f"{entry['error']:.0e}", *ratios])
        published = [number(PUBLISHED[name]), MISSING, MISSING, MISSING]
        ratio = f"{PUBLISHED[name] / 1e3 / ours['median']:.1f}"
        rows.append([name, "forward jets, Numba (elsewhere)", *published, ratio, MISSING])
    head = ["case", "by", "median, ms", "fastest", "first call", "difference", "times geomflow", "by fastest"]
    m = result["machine"]
    where = f"{m['processor']}, {result['threads']} threads, {result['date']}, load average {m['load']} at the start"
    return f"Networks with derivatives. {where}{busy(m['load'])}.\n\n{table(head, rows)}\n"


def main() -> None:
    """Measure, print the table, and write it with the numbers under benchmarks/results/."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="timed repetitions, alternating")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json and NAME.md")
    options = parser.parse_args()
    limit_threads()
    from benchmarks.machine import describe

    result = {
        "date": datetime.date.today().isoformat(),
        "threads": THREADS,
        "machine": describe(("numpy", "numba", "jax", "autograd")),
        "cases": {name: measure(name, options.rounds) for name in CASES},
    }
    text = report(result)
    print(text)
    keep(options.save, result, text)


if __name__ == "__main__":
    main()
