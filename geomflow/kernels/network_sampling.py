"""Kernels of wide networks as means over finite ones, drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, NotFiniteError, ShapeError
from geomflow.core.numbers import generator, real_array, whole
from geomflow.core.threads import each
from geomflow.kernels.blocks import real_points, require_matrix
from geomflow.kernels.functions import function_and_slope
from geomflow.kernels.network import NetworkCovariance, NetworkKernel
from geomflow.networks import Activation, Perceptron
from geomflow.networks.activation import ACTIVATIONS


@final
@dataclass(frozen=True, eq=False)
class KernelEstimate:
    """The mean of a kernel over random networks of one width, and the standard error of that mean.

    Parameters
    ----------
    mean, error : (p, q) array
        The mean and its standard error.
    width : int
        Neurons a hidden layer.
    networks : int
        How many were drawn.
    """

    mean: np.ndarray
    error: np.ndarray
    width: int
    networks: int

    def spread(self, exact: np.ndarray) -> float:
        """Root mean square distance of one network's kernel from `exact`, relative to the latter's norm.

        Parameters
        ----------
        exact : (p, q) array
            What the mean is compared with.
        """
        known = real_array(exact, "the exact kernel")
        if known.shape != self.mean.shape:
            raise ShapeError(f"the estimate has the shape {self.mean.shape}, and the exact kernel {known.shape}.")
        if not (np.isfinite(known).all() and known.any()):
            raise InputError("the exact kernel is finite and not zero everywhere.")
        deviation = self.error**2 * (self.networks - 1) + (self.mean - known) ** 2
        return float(np.sqrt(deviation.sum() / np.sum(np.square(known))))

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.mean.shape))
        return f"{shape} kernel, mean of {self.networks} networks of width {self.width}"


def monte_carlo(
    kernel: NetworkKernel | NetworkCovariance, x: Any, y: Any = None, *, width: int, networks: int,
    seed: int | np.random.Generator,
) -> KernelEstimate:
    """Estimate `kernel`, tangent or covariance, by the mean over random perceptrons in NTK parametrisation.

    The tangent kernel of a network is J(x) J(y)ᵀ, and its contribution to the covariance f(x) f(y), eqs. (2.7) and
    (2.9) of Halverson and Ruehle. One tangent kernel differs from the closed form by O(width^(−1/2)), the mean of many
    by O(width^(−1/2) networks^(−1/2)) and a bias of O(1/width). Slopes of a `Quadrature` without a derivative are
    differences. The same seed gives the same numbers, whatever the number of threads. Raises InputError for fewer than
    two networks and for "gauss", and MemoryLimitError, ShapeError and NotFiniteError like `kernel.matrix`.

    Parameters
    ----------
    kernel : NetworkKernel or NetworkCovariance
        What is estimated: depth, activation and deviations of the networks, of one output.
    x : (p, d) array
        Points.
    y : (q, d) array, optional
        Others; x unless given.
    width : int
        Neurons a hidden layer.
    networks : int
        How many are drawn, at least two.
    seed : int or numpy.random.Generator
        What draws them.
    """
    if not isinstance(kernel, NetworkKernel | NetworkCovariance):
        raise InputError(f"networks are drawn for a NetworkKernel or a NetworkCovariance, and {kernel!r} was given.")
    networks = whole(networks, "the number of networks, of which standard errors need two,", 2)
    width = whole(width, "the width", 1)
    first = real_points(x)
    second = first if y is None else real_points(y)
    require_matrix(3 * len(first), len(second))
    network = _finite(kernel, first.shape[1], width)
    single = _tangent if isinstance(kernel, NetworkKernel) else _product
    mean, squares = np.zeros((2, len(first), len(second)))
    rng = generator(seed)
    for start in range(0, networks, _TOGETHER):
        chosen = rng.spawn(min(_TOGETHER, networks - start))
        for number, sample in enumerate(each(lambda rng: single(network, network.initial(rng), first, second), chosen)):
            step = sample - mean
            mean += step / (start + number + 1)
            squares += step * (sample - mean)
    if not (np.isfinite(mean).all() and np.isfinite(squares).all()):
        raise NotFiniteError("the kernels of networks at these points overflow: take larger units, fewer layers or a "
                             "smaller weight_std.")
    return KernelEstimate(mean, np.sqrt(squares / (networks - 1) / networks), width, networks)


_TOGETHER = 8


def _finite(kernel: NetworkKernel | NetworkCovariance, inputs: int, width: int) -> Perceptron:
    hidden = (width,) * kernel.depth
    deviations = {"weight_std": kernel.weight_std, "bias_std": kernel.bias_std}
    own = _activation(kernel.activation)
    return Perceptron(inputs, hidden, 1, own, "ntk", embedding=kernel.embedding, **deviations)


def _activation(own: Any) -> Activation:
    """What finite networks take for an activation of kernels: their own where they know it."""
    if isinstance(own, str) and own in ACTIVATIONS:
        return ACTIVATIONS[own]
    parts = function_and_slope(own)

    def fill(u: np.ndarray, out: np.ndarray) -> None:
        for row, part in zip(out, parts):
            row[:] = part(u)
        out[2:] = np.nan  # not asked for

    return Activation(str(own), fill)


def _tangent(network: Perceptron, parameters: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return network.tangent_kernel(parameters, x, y)[:, :, 0, 0]


def _product(network: Perceptron, parameters: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.multiply.outer(network.values(parameters, x)[:, 0], network.values(parameters, y)[:, 0])
