"""Kernels of infinitely wide networks, by recursion in depth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self, final

import numpy as np

from geomflow.core.errors import InputError, NotFiniteError, ShapeError, require_known
from geomflow.core.numbers import real_number, whole
from geomflow.core.threads import each, slices
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.activations import CLOSED_FORMS, ActivationName, ClosedForm, LeakyRelu, closed_form
from geomflow.kernels.blocks import BATCHES, contract, require_square
from geomflow.kernels.chains import chain
from geomflow.kernels.embedded import EmbeddedKernel
from geomflow.kernels.expansions import QUADRATURES, Expanded, Quadrature
from geomflow.kernels.recursion import Recursion
from geomflow.networks import FourierEmbedding

_ROWS, _COLUMNS = 64, 4096
MOST_LAYERS = 10_000


@dataclass(frozen=True)
class InfiniteNetwork(EmbeddedKernel):
    """What tangent kernels and covariances of infinitely wide networks share: the recursion and its parameters."""

    activation: ActivationName | LeakyRelu | Expanded | Callable[[np.ndarray], np.ndarray] = "relu"
    depth: int = 1
    weight_std: float = 1.0
    bias_std: float = 0.0
    embedding: FourierEmbedding | None = None

    def __post_init__(self) -> None:
        if callable(self.activation):
            object.__setattr__(self, "activation", Quadrature(self.activation))
        elif not isinstance(self.activation, Expanded | LeakyRelu):
            require_known("activation of wide networks", self.activation, (*CLOSED_FORMS, *QUADRATURES))
        whole(self.depth, "depth, the number of hidden layers,", 1)
        if self.depth > MOST_LAYERS:
            raise InputError(f"a kernel of {self.depth:,} hidden layers takes as many steps for each of its entries; "
                             f"the most is {MOST_LAYERS:,}.")
        self._require_embedding()
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
        ratio = self.bias_std * np.sqrt(points.shape[1]) / self.weight_std
        return self._finite(np.column_stack([points, np.full(len(points), ratio)]))

    @property
    def _function(self) -> ClosedForm | Expanded:
        """The closed form of the activation, or its Hermite series."""
        if isinstance(self.activation, Expanded):
            return self.activation
        named = QUADRATURES.get(self.activation) if isinstance(self.activation, str) else None
        return closed_form(self.activation) if named is None else named

    @property
    def _recursion(self) -> Recursion[Any]:
        return chain(self._function, self.depth, self.weight_std**2, self.bias_std**2)

    def _finite(self, points: np.ndarray) -> np.ndarray:
        """The points, or NotFiniteError where the kernel overflows: it grows like weight_std^(2 depth)."""
        recursion = self._recursion
        with np.errstate(over="ignore", invalid="ignore"):
            diagonal = recursion.diagonal(recursion.layers(points), self._tangent)
        if not np.isfinite(diagonal).all():
            worst = int(np.argmin(np.isfinite(diagonal)))
            raise NotFiniteError(f"the kernel of {self.depth} hidden layers with weight_std {self.weight_std:g} is "
                                 f"{diagonal[worst]} at point {worst}: take fewer layers, a smaller weight_std or "
                                 "larger units.")
        return points

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The kernel of points that `read` returned, (p, q)."""
        out = np.empty((len(x), len(y)))
        self._recursion.block(*self._layers(x, y), self._tangent, out)
        return out

    def _layers(self, x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
        """What the recursion knows of points and of others, series of both with as many terms."""
        if x.shape[1] != y.shape[1]:
            raise ShapeError(f"points of {x.shape[1] - 1} and of {y.shape[1] - 1} inputs cannot enter one network.")
        both = self._recursion.layers(np.concatenate([x, y]))
        return both[: len(x)], both[len(x) :]

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        """The sums of `Kernel._sum`, what layers know of points computed once."""
        targets, sources = self._layers(x, x if y is None else y)
        size = _ROWS if block is None else max(1, int(block))
        batches = slices(len(x), size * max(1, -(-len(x) // (size * BATCHES))))
        common = (self, size, sources, np.ascontiguousarray(columns))
        parts = workers.map(_batch, [targets[batch] for batch in batches], common=common)
        return np.concatenate([np.zeros((len(columns), 0)), *parts], axis=1)

    def _fill(self, x: np.ndarray, y: np.ndarray | None, out: np.ndarray) -> None:
        """out = K(x_p, y_q) on all threads; each pair once where y is None."""
        recursion, tangent = self._recursion, self._tangent
        if y is None:
            layers = recursion.layers(x)
            each(lambda rows: recursion.symmetric(layers, rows, tangent, out), slices(len(x), _ROWS))
        else:
            targets, sources = self._layers(x, y)
            each(lambda rows: recursion.block(targets[rows], sources, tangent, out[rows]), slices(len(x), _ROWS))

    def diagonal(self, x: Any) -> np.ndarray:
        """K(x_p, x_p), (p,)."""
        return self._recursion.diagonal(self._recursion.layers(self.read(x)), self._tangent)

    def error(self, x: Any) -> float:
        """The largest relative error of K(x_p, x_p) by quadrature: what twice the nodes change, and rounding.

        0 for closed forms. That of K(x_p, x_q) is at most about as large in proportion to √(K(x_p, x_p) K(x_q, x_q)).

        Parameters
        ----------
        x : (p, d) array
            Points.
        """
        recursion, points = self._recursion, self.read(x)
        layers = [recursion.layers(points, more) for more in (1, 2)]
        coarse, fine = (recursion.diagonal(known, self._tangent) for known in layers)
        missing = np.max(np.abs(coarse - fine) / np.where(fine > 0, fine, 1.0), initial=0.0)
        return float(missing + np.finfo(float).eps * layers[1].terms)

    @property
    def _embedding(self) -> FourierEmbedding | None:
        return self.embedding

    def periodic(self, torus: Any, harmonics: int = 1) -> Self:
        """The same network behind a Fourier embedding of the torus: a translation-invariant kernel on it."""
        return replace(self, embedding=FourierEmbedding(torus, harmonics))


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
    activation : str, LeakyRelu, Polynomial, Quadrature or callable
        φ: "relu", "erf", "cos", "sin", "gelu" (exact, u Φ(u)), "identity", "exp", "gauss" (e^{u − E[u²]}, as in
        Gauss-net), "sin+cos" (bounded, with the kernels of "gauss"), `LeakyRelu(slope)` or `Polynomial(coefficients)`
        in closed form; "tanh", "softplus", "swish" and functions of arrays by quadrature, to a relative error of 1e-10
        or that of `Quadrature(function, derivative, tolerance)`; `error(x)` says which.
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
    activation : str, LeakyRelu, Polynomial, Quadrature or callable
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


def _batch(kernel: InfiniteNetwork, size: int, sources: Any, columns: np.ndarray, targets: Any) -> np.ndarray:
    """The sums at some points, `size` of them at a time, (c, rows)."""
    out, recursion = np.zeros((len(columns), len(targets))), kernel._recursion
    for part in slices(len(sources), _COLUMNS):
        some, weights = sources[part], np.ascontiguousarray(columns[:, part])
        for rows in slices(len(targets), size):
            values = np.empty((rows.stop - rows.start, part.stop - part.start))
            recursion.block(targets[rows], some, kernel._tangent, values)
            contract(values, weights, out[:, rows])
    return out
