"""A network as a Kähler potential on a Calabi–Yau hypersurface, and its fourth derivatives.

These are power series in holomorphic and antiholomorphic coordinates: the Taylor coefficients of x^α x̄^β with
|α|, |β| <= 2 of many functions at many points, as an array (P, rows, rows, functions), rows being (1, x_a, x_a x_c
for a <= c).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import factorial, prod
from typing import Any, final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geomflow.core.archive import Archive
from geomflow.core.errors import InputError
from geomflow.core.monomials import Monomials, horner, monomials
from geomflow.core.report import FitReport, read_report, report_record
from geomflow.core.symmetric import packed_index
from geomflow.core.threads import each, slices
from geomflow.fits.projective import ProjectiveInputs, input_count, normalisation
from geomflow.networks import Activation, Perceptron
from geomflow.networks.complex_hessian import ComplexHessian
from geomflow.variety import Hypersurface, Points
from geomflow.variety.jets import second_order
from geomflow.variety.metric import CorrectedMetric, FubiniStudy
from geomflow.variety.sections import stored_class

_CHUNK = 32


@final
class PhiNetwork(CorrectedMetric, kind="geomflow phi-network 1"):
    """g = g_FS + ∂∂̄φ with φ a perceptron of the real and imaginary parts of z_i z̄_j/|z|² in each factor.

    These inputs (25 on P^4, normalised to mean zero and variance one over projective space) do not change with the
    representative, so φ is one function on the whole variety and g is the same metric in every patch, by construction.
    No symmetry of the variety is built in.

    Parameters
    ----------
    variety : Hypersurface
        Where the metric lives.
    network : Perceptron
        From these inputs to one output, and smooth (no ReLU), else `InputError`.
    parameters : (size,) array
        Those of the network.
    kahler_class : sequence of float, optional
        The t_i > 0 of g_FS, one for each factor; 1 unless given.
    report : FitReport, optional
        How the fit that made it went.
    """

    def __init__(
        self,
        variety: Hypersurface,
        network: Perceptron,
        parameters: np.ndarray,
        kahler_class: Sequence[float] | None = None,
        report: FitReport | None = None,
    ) -> None:
        self.variety, self.network, self.report = variety, network, report
        self.parameters = network.layout.checked(parameters)
        self.reference = FubiniStudy(variety, kahler_class)
        if network.inputs != input_count(variety.ambient):
            raise InputError(
                f"the network takes {network.inputs} inputs, and there are {input_count(variety.ambient)} products "
                f"z_i z̄_j on {variety.ambient}"
            )
        self._hessian = ComplexHessian(network)

    def correction(self, points: Points) -> np.ndarray:
        """φ, (P,)."""
        return self._evaluate(points)[1]

    def at(self, points: Points) -> NDArray[np.complex128]:
        """g_{ab̄} = g_FS + ∂_a∂_b̄φ, shape (P, n, n)."""
        inputs, _, hessian = self._evaluate(points)
        return inputs.metric(hessian)

    def correction_jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Exact derivatives of φ: truncated power series through the inputs and every layer."""
        layers, activation = self.network.layers(self.parameters), self.network.activation
        return jets_in_blocks(lambda part: potential_jets(layers, activation, part), points)

    def record(self) -> dict[str, Any]:
        """Network, parameters, class and report."""
        return {"network": self.network.to_json(), "kahler_class": np.array(self.kahler_class),
                "parameters": self.parameters, **report_record(self.report)}

    @classmethod
    def from_record(cls, file: Archive, variety: Hypersurface) -> PhiNetwork:
        """The metric of these."""
        parameters, report = file.numbers("parameters", "f", None), read_report(file, "PhiReport")
        return cls(variety, Perceptron.from_file(file), parameters, stored_class(file, variety), report)

    def _evaluate(self, points: Points) -> tuple[ProjectiveInputs, np.ndarray, np.ndarray]:
        self.check(points)
        inputs = ProjectiveInputs.of(points, self.kahler_class)
        return inputs, *self._hessian(self.parameters, inputs)

    def __repr__(self) -> str:
        return f"g_FS + ∂∂̄φ with {self.network}, on the {self.variety}"


def jets_in_blocks(
    jets: Callable[[Points], tuple[np.ndarray, np.ndarray, np.ndarray]], points: Points, size: int = _CHUNK
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `jets` gives at points, taken from blocks of at most `size` of them, on all threads."""
    parts = each(lambda block: jets(points[block]), slices(len(points), size))
    return tuple(np.concatenate([part[k] for part in parts]) for k in range(3))  # type: ignore[return-value]


def potential_jets(
    layers: list[tuple[np.ndarray, np.ndarray]], activation: Activation, points: Points
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(φ_ab̄, φ_acb̄, φ_acb̄d̄) of the network on projective inputs, as `PolarisedMetric.jets` has them."""
    n = points.variety.dim
    series = _inputs(points)
    for weights, bias in layers[:-1]:
        series = compose(plus_constant(series @ weights.T, bias), lambda h: activation.derivatives(h, 4), n)
    return read_jets(series @ layers[-1][0][0], n)


def directional_jets(
    layers: list[tuple[np.ndarray, np.ndarray]],
    moves: list[tuple[np.ndarray, np.ndarray]],
    activation: Activation,
    points: Points,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rates of `potential_jets` as the layers move along `moves`."""
    n, series = points.variety.dim, _inputs(points)
    rate: np.ndarray | None = None
    for number, ((weights, bias), (step, shift)) in enumerate(zip(layers, moves)):
        moved = plus_constant(series @ step.T, shift)
        rate = moved if rate is None else moved + rate @ weights.T
        if number < len(layers) - 1:
            series = plus_constant(series @ weights.T, bias)
            rate = product(compose(series, lambda h: activation.derivatives(h, 5)[1:], n), rate, n)
            series = compose(series, lambda h: activation.derivatives(h, 4), n)
    assert rate is not None
    return read_jets(rate[..., 0], n)


def read_jets(coefficients: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The derivatives (φ_ab̄, φ_acb̄, φ_acb̄d̄) from the series (P, rows, rows) of one function, or (P, rows, rows, K)."""
    factorials = np.multiply.outer(quadratics(n).factorials, quadratics(n).factorials)
    found = coefficients * factorials.reshape(*factorials.shape, *(1,) * (coefficients.ndim - 3))
    spread = 1 + n + packed_index(n)
    once = np.arange(1, 1 + n)
    second = found[:, once[:, None], once]
    third = found[:, spread[:, :, None], once]
    return second, third, found[:, spread[:, :, None, None], spread]


def compose(series: np.ndarray, derivatives: Callable[[np.ndarray], np.ndarray], n: int) -> np.ndarray:
    """f of a series of real functions, by Horner's rule in its non-constant part; `derivatives` gives f, …, f⁗."""
    table = derivatives(np.ascontiguousarray(series[:, 0, 0].real))
    if not np.isfinite(table).all():
        raise InputError("an activation is not finite here; take smaller parameters")
    rest = series.copy()
    rest[:, 0, 0] = 0
    coefficients = [row / factorial(order) for order, row in enumerate(table)]
    top = plus_constant(rest * coefficients.pop()[:, None, None], coefficients.pop())
    return horner([*coefficients, top], lambda out: product(out, rest, n), plus_constant)


def plus_constant(series: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """A series with numbers added to its functions, in place."""
    series[:, 0, 0] += constant
    return series


def product(left: np.ndarray, right: np.ndarray, n: int) -> np.ndarray:
    """The product of two series, function by function."""
    out = np.zeros(np.broadcast_shapes(left.shape, right.shape), complex)
    _multiply(np.ascontiguousarray(left), np.ascontiguousarray(right), _table(n), out)
    return out


def times_power(series: np.ndarray, base: np.ndarray, exponent: float, n: int) -> np.ndarray:
    """Series times a power of one series (P, rows, rows, 1) of a positive function."""

    def derivatives(x: np.ndarray) -> np.ndarray:
        return np.stack([prod(exponent - i for i in range(k)) * x ** (exponent - k) for k in range(5)])

    return product(series, np.broadcast_to(compose(base, derivatives, n), series.shape), n)


def quadratics(n: int) -> Monomials:
    """The monomials 1, x_a, x_a x_c for a <= c."""
    return monomials((n,), (2,))


@cache
def _table(n: int) -> np.ndarray:
    """All (r, s, t) with row r times row s equal to row t, up to order two."""
    found = sorted((*pair, t) for t, pairs_of in enumerate(quadratics(n).products) for pair in pairs_of)
    return np.array(found, dtype=np.int64)


def coordinate_rows(points: Points) -> np.ndarray:
    """Taylor coefficients of the homogeneous coordinates, (P, rows, N)."""
    rows = np.array(second_order(points)[:, :, 1 : 1 + points.variety.ambient.size])
    rows[:, 0] = points.coordinates
    return rows / quadratics(points.variety.dim).factorials[:, None]


def _inputs(points: Points) -> np.ndarray:
    """The series of the inputs of `ProjectiveInputs`, in local coordinates."""
    ambient, n = points.variety.ambient, points.variety.dim
    rows, parts = coordinate_rows(points), []
    for block in ambient.blocks:
        z = rows[:, :, block]
        count, size = len(z), z.shape[2]
        products = (z[:, :, None, :, None] * z.conj()[:, None, :, None, :]).reshape(count, *(z.shape[1],) * 2, -1)
        norm = products[..., :: size + 1].sum(axis=-1, keepdims=True)
        parts += _real_parts(times_power(products, norm, -1, n), size)
    centre, scale = normalisation(ambient)
    out = np.stack(parts, axis=-1) * scale
    out[:, 0, 0] -= centre * scale
    return out


def _real_parts(products: np.ndarray, size: int) -> list[np.ndarray]:
    """Re and Im of z_i z̄_j for i <= j, in the order of the inputs."""
    parts = []
    for i in range(size):
        for j in range(i, size):
            up, down = products[..., i * size + j], products[..., j * size + i]
            parts += [(up + down) / 2] + [(up - down) / 2j] * (i != j)
    return parts


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def _multiply(left: np.ndarray, right: np.ndarray, table: np.ndarray, out: np.ndarray) -> None:
    for p in range(left.shape[0]):
        for k in range(table.shape[0]):
            r, s, t = table[k]
            for m in range(table.shape[0]):
                u, v, w = table[m]
                a, b, c = left[p, r, u], right[p, s, v], out[p, t, w]
                for i in range(a.size):
                    c[i] += a[i] * b[i]
