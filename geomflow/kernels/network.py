"""Kernels of infinitely wide networks, in closed form by recursion in depth."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.core.numbers import real_number, whole
from geomflow.core.threads import each, slices
from geomflow.distribute import ON_THREADS, Workers
from geomflow.field.grid import Grid
from geomflow.kernels import network_routines as routines
from geomflow.kernels.activations import ActivationName, LeakyRelu, closed_form
from geomflow.kernels.blocks import BATCHES, contract, require_square
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.operators import FourierOperator, KernelOperator, checked_grid
from geomflow.networks import FourierEmbedding

_ROWS, _COLUMNS = 64, 4096
MOST_LAYERS = 10_000


@dataclass(frozen=True)
class InfiniteNetwork(Kernel):
    """What tangent kernel and covariance of an infinitely wide perceptron share: the recursion and its parameters."""

    activation: ActivationName | LeakyRelu = "relu"
    depth: int = 1
    weight_std: float = 1.0
    bias_std: float = 0.0
    embedding: FourierEmbedding | None = None

    def __post_init__(self) -> None:
        closed_form(self.activation)
        whole(self.depth, "depth, the number of hidden layers,", 1)
        if self.depth > MOST_LAYERS:
            raise InputError(f"a kernel of {self.depth:,} hidden layers takes as many steps for each of its entries; "
                             f"the most is {MOST_LAYERS:,}.")
        for name, bound in (("weight_std", "positive"), ("bias_std", ">= 0")):
            value = real_number(getattr(self, name), name)
            if not (np.isfinite(value) and (value > 0 if bound == "positive" else value >= 0)):
                raise InputError(f"{name} is a standard deviation, finite and {bound}, and it is {value!r}.")
            require_square(name, value if bound == "positive" else max(value, 1.0))  # a small σ_b may vanish
            object.__setattr__(self, name, value)

    @property
    @abstractmethod
    def _tangent(self) -> bool:
        """Whether the tangent kernel is meant rather than the covariance."""

    def read(self, x: Any) -> np.ndarray:
        """Points (p, d) as the first layer sees them: themselves or their embedding, with the bias as last column."""
        points = super().read(x)
        if self.embedding is not None:
            if points.shape[1] != self.embedding.inputs:
                raise ShapeError(f"points of {points.shape[1]} coordinates were given, and the embedding takes "
                                 f"{self.embedding.inputs}.")
            points = self.embedding.values(points)
        ratio = self.bias_std * np.sqrt(points.shape[1]) / self.weight_std
        return self._finite(np.column_stack([points, np.full(len(points), ratio)]))

    def _finite(self, points: np.ndarray) -> np.ndarray:
        """The points, or NotFiniteError where the kernel overflows: it grows like weight_std^(2 depth)."""
        diagonal = np.empty(len(points))
        with np.errstate(over="ignore", invalid="ignore"):
            routines.diagonal(self._network(points), self._deviations(points)[0], self._tangent, diagonal)
        if not np.isfinite(diagonal).all():
            worst = int(np.argmin(np.isfinite(diagonal)))
            raise NotFiniteError(f"the kernel of {self.depth} hidden layers with weight_std {self.weight_std:g} is "
                                 f"{diagonal[worst]} at point {worst}: take fewer layers, or a smaller weight_std.")
        return points

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The kernel of points that `read` returned, (p, q)."""
        if x.shape[1] != y.shape[1]:
            raise ShapeError(f"points of {x.shape[1] - 1} and of {y.shape[1] - 1} inputs cannot enter one network.")
        out = np.empty((len(x), len(y)))
        sources = np.ascontiguousarray(y.T), *self._deviations(y)
        routines.block(self._network(x), x, *self._deviations(x), *sources, self._tangent, out)
        return out

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        """The sums of `Kernel._sum`, the recursion's deviations of all points computed once."""
        y = x if y is None else y
        size = _ROWS if block is None else max(1, int(block))
        batches = slices(len(x), size * max(1, -(-len(x) // (size * BATCHES))))
        p, squares = self._deviations(x)
        common = (self, size, np.ascontiguousarray(y.T), self._deviations(y), np.ascontiguousarray(columns))
        rows = [(x[batch], p[:, batch], squares[batch]) for batch in batches]
        parts = workers.map(_batch, *zip(*rows), common=common)
        return np.concatenate([np.zeros((len(columns), 0)), *parts], axis=1)

    def _fill(self, x: np.ndarray, y: np.ndarray | None, out: np.ndarray) -> None:
        """out = K(x_p, y_q) on all threads; each pair once where y is None."""
        if y is None:
            self._fill_symmetric(x, out)
        else:
            each(lambda rows: np.copyto(out[rows], self.values(x[rows], y)), slices(len(x), _ROWS))

    def _fill_symmetric(self, points: np.ndarray, out: np.ndarray) -> None:
        deviations, squares = self._deviations(points)
        network, columns = self._network(points), np.ascontiguousarray(points.T)

        def work(rows: slice) -> None:
            routines.symmetric_rows(
                network, points, columns, deviations, squares, rows.start, rows.stop, self._tangent, out
            )

        each(work, slices(len(points), _ROWS))

    def diagonal(self, x: Any) -> np.ndarray:
        """K(x_p, x_p), (p,)."""
        points = self.read(x)
        out = np.empty(len(points))
        routines.diagonal(self._network(points), self._deviations(points)[0], self._tangent, out)
        return out

    def periodic(self, torus: Any, harmonics: int = 1) -> InfiniteNetwork:
        """The same network behind a Fourier embedding of the torus: a translation-invariant kernel on it."""
        parameters = self.activation, self.depth, self.weight_std, self.bias_std
        return type(self)(*parameters, FourierEmbedding(torus, harmonics))

    def _on_points(self, grid: Grid) -> InfiniteNetwork:
        return self if self.embedding is not None else self.periodic(grid.torus)

    def on(self, grid: Grid) -> KernelOperator:
        """The operator on a periodic grid, by FFT; without an embedding that of `periodic(grid.torus)`.

        Behind a Fourier embedding of the grid's torus the kernel depends on x − x' alone, and its eigenvalues are the
        transform of its values with the origin. An embedding of another torus acts in blocks.
        """
        if self.embedding is None:
            return self._on_points(checked_grid(grid)).on(grid)
        if not np.allclose(self.embedding.torus.lattice, checked_grid(grid).torus.lattice, rtol=1e-14, atol=0):
            return super().on(grid)
        points = self.read(grid.points().reshape(grid.size, -1))
        profile = self.values(points[:1], points).reshape(grid.shape)
        symbol = np.fft.rfftn(profile).real * (grid.torus.cell_volume / grid.size)
        return FourierOperator(grid, np.maximum(symbol, 0.0))

    def _network(self, points: np.ndarray) -> routines.Network:
        m, form = self.weight_std**2, closed_form(self.activation)
        return form.code, m / (points.shape[1] - 1), m, self.bias_std**2, form.slope

    def _deviations(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """√K_l(x, x) in every layer, (depth + 1, p), and |x|² with the bias, (p,)."""
        _, scale, m, beta, _ = self._network(points)
        squares = np.einsum("pi,pi->p", points, points)
        variances, variance = [scale * squares], closed_form(self.activation).variance
        for _ in range(self.depth):
            variances.append(m * variance(variances[-1]) + beta)
        return np.sqrt(variances), squares


@final
@dataclass(frozen=True)
class NetworkKernel(InfiniteNetwork):
    """The infinite-width NTK: Θ̄(x, x') of a perceptron at initialisation, eq. (2.9) of Halverson and Ruehle.

    Every layer is W x σ_w/√(fan-in) + σ_b b with W, b ~ N(0, 1) (NTK parametrisation). By recursion in depth

        K_0 = σ_w² x·x'/d + σ_b²,        K_l = σ_w² E[φ(u) φ(v)] + σ_b²,
        Θ_0 = K_0,                       Θ_l = K_l + σ_w² E[φ'(u) φ'(v)] Θ_{l−1},     (u, v) ~ N(0, K_{l−1}),

    Jacot, Gabriel and Hongler (2018). Correlations are carried as 1 − c and 1 + c formed from differences: nearly equal
    and nearly opposite points keep all digits (GELU loses some for parallel points of unequal norm, in proportion to
    the variance of a hidden layer, 1e-11 at 1e10; so do sin + cos and its like where layers magnify distances, 4e-12
    for three layers of weight_std 80). `covariance` is the kernel of the outputs themselves.
    `periodic(torus)` makes a translation-invariant one on a torus. Raises UnknownNameError for other activations,
    InputError for a depth or deviations out of range; points (p, d) of other shapes and non-finite ones raise
    ShapeError and NotFiniteError.

    Parameters
    ----------
    activation : str or LeakyRelu
        φ: "relu", "erf", "cos", "sin", "gelu" (exact, u Φ(u)), "identity", "exp", "gauss" (e^{u − E[u²]}, as in
        Gauss-net), "sin+cos" (bounded, with the kernels of "gauss"), or `LeakyRelu(slope)`.
    depth : int
        Hidden layers; one linear output layer follows.
    weight_std, bias_std : float
        σ_w > 0 and σ_b >= 0.
    embedding : FourierEmbedding, optional
        With it points are torus coordinates.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> NetworkKernel("identity", depth=1).matrix(x).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    @property
    def _tangent(self) -> bool:
        return True

    @property
    def covariance(self) -> NetworkCovariance:
        """The covariance of the outputs of the same networks."""
        return NetworkCovariance(self.activation, self.depth, self.weight_std, self.bias_std, self.embedding)


@final
@dataclass(frozen=True)
class NetworkCovariance(InfiniteNetwork):
    """The covariance E[f(x) f(x')] of the outputs at initialisation, K of `NetworkKernel`: the Gaussian-process kernel.

    Recursion and errors are those of `NetworkKernel`; Neal (1996), Lee et al. (2018).

    Parameters
    ----------
    activation : str or LeakyRelu
        φ, as for `NetworkKernel`.
    depth : int
        Hidden layers.
    weight_std, bias_std : float
        σ_w > 0 and σ_b >= 0.
    embedding : FourierEmbedding, optional
        With it points are torus coordinates.
    """

    @property
    def _tangent(self) -> bool:
        return False


def _batch(kernel: InfiniteNetwork, size: int, transposed: np.ndarray, deviations: tuple[np.ndarray, np.ndarray],
           columns: np.ndarray, x: np.ndarray, p: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """The sums at some points x with the deviations p, `size` of them at a time, (c, rows)."""
    out, network = np.zeros((len(columns), len(x))), kernel._network(x)
    for rows in slices(len(x), size):
        targets = x[rows], np.ascontiguousarray(p[:, rows]), squares[rows]
        for part in slices(transposed.shape[1], _COLUMNS):
            values = np.empty((rows.stop - rows.start, part.stop - part.start))
            sources = transposed[:, part], deviations[0][:, part], deviations[1][part]
            routines.block(network, *targets, *sources, kernel._tangent, values)
            contract(values, np.ascontiguousarray(columns[:, part]), out[:, rows])
    return out
