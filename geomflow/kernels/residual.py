"""Kernels of infinitely wide residual networks: each block adds what two layers make of the stream to the stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.numbers import finite_number
from geomflow.kernels.blocks import require_square
from geomflow.kernels.layers import Alone, Layer, LayeredRecursion, LinearLayer, Pairs, Trace, hidden_layer, traced
from geomflow.kernels.network import InfiniteNetwork


@dataclass(frozen=True)
class ResidualNetwork(InfiniteNetwork):
    """What both kernels of an infinitely wide residual network share."""

    branch: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        value = finite_number(self.branch, "the factor of a branch")
        if not value > 0:
            raise InputError(f"the factor of a branch is positive, and it is {value:g}.")
        require_square("the factor of a branch", value)
        object.__setattr__(self, "branch", value)

    @property
    def _recursion(self) -> ResidualRecursion:
        m, beta = self.weight_std**2, self.bias_std**2
        hidden = hidden_layer(self._function, m, beta)
        return ResidualRecursion(hidden, LinearLayer(m, beta), self.depth, m, self.branch**2)


@final
@dataclass(frozen=True)
class ResidualKernel(ResidualNetwork):
    """The tangent kernel Θ of infinitely wide residual perceptrons, by recursion in blocks.

    With L(h) = σ_w W h/√(fan-in) + σ_b b, every layer with W, b ~ N(0, 1) of its own, all of them trained,

        h_0 = L(x),        h_l = h_{l−1} + α L(φ(L(h_{l−1}))),   l = 1, …, depth,        f = L(h_depth).

    In infinite width, H and T being the covariance and the tangent kernel of the stream h,

        H_0 = T_0 = σ_w² x·x'/d + σ_b²,
        U = σ_w² H_{l−1} + σ_b²,                        T_U = U + σ_w² T_{l−1},
        B = σ_w² E[φ(u) φ(v)] + σ_b²,                   T_B = B + σ_w² E[φ'(u) φ'(v)] T_U,     (u, v) ~ N(0, U),
        H_l = H_{l−1} + α² B,                           T_l = T_{l−1} + α² T_B,
        K = σ_w² H_depth + σ_b²,                        Θ = K + σ_w² T_depth,

    since branches are independent of their stream. The blocks are those of Huang, Wang, Tao and Zhao (2020) and of
    Tirer, Bruna and Giryes (2022), without biases there. α = depth^{−1/2} keeps deep networks bounded. `covariance` is
    K. Errors and digits are as for `NetworkKernel`.

    Parameters
    ----------
    activation : str, LeakyRelu, Polynomial, Quadrature or callable
        φ, as for `NetworkKernel`.
    depth : int
        Blocks.
    weight_std, bias_std : float
        σ_w > 0 and σ_b >= 0.
    embedding : FourierEmbedding, optional
        With it points are torus coordinates.
    branch : float
        α > 0.

    Examples
    --------
    >>> ResidualKernel("identity", depth=1).matrix([[1.0]]).tolist()
    [[6.0]]
    """

    @property
    def _tangent(self) -> bool:
        return True

    @property
    def covariance(self) -> ResidualCovariance:
        """The covariance of the outputs of the same networks."""
        own = self.activation, self.depth, self.weight_std, self.bias_std, self.embedding
        return ResidualCovariance(*own, branch=self.branch)


@final
@dataclass(frozen=True)
class ResidualCovariance(ResidualNetwork):
    """The covariance E[f(x) f(x')] of the outputs at initialisation, K of `ResidualKernel`.

    Parameters
    ----------
    activation : str, LeakyRelu, Polynomial, Quadrature or callable
        φ, as for `NetworkKernel`.
    depth : int
        Blocks.
    weight_std, bias_std : float
        σ_w > 0 and σ_b >= 0.
    embedding : FourierEmbedding, optional
        With it points are torus coordinates.
    branch : float
        α > 0.
    """

    @property
    def _tangent(self) -> bool:
        return False


@final
@dataclass(frozen=True)
class ResidualRecursion(LayeredRecursion):
    """The recursion of `ResidualKernel`; m = σ_w² and share = α²."""

    hidden: Layer
    linear: LinearLayer
    depth: int
    m: float
    share: float

    def layers(self, points: np.ndarray, more: int = 1) -> Trace:
        """Of each block the linear layer and the hidden one, and of the last layer."""
        return traced(points, self.m, lambda first: self._steps(first, more))

    def _steps(self, stream: np.ndarray, more: int) -> tuple[Alone, ...]:
        steps = []
        for _ in range(self.depth):
            steps.append(self.linear.alone(stream))
            steps.append(self.hidden.alone(steps[-1].after, more))
            stream = self._sum(stream, steps[-1].after)
        return (*steps, self.linear.alone(stream))

    def _sum(self, stream: np.ndarray, branch: np.ndarray) -> np.ndarray:
        """The deviations of h + α L(φ)."""
        return np.sqrt(stream**2 + self.share * branch**2)

    def pairs(self, x: Trace, y: Trace) -> Pairs:
        """Block by block."""
        stream = Pairs.of(x, y, self.m)
        for block in range(self.depth):
            branch, steps = stream.copy(), slice(2 * block, 2 * block + 2)
            for layer, first, second in zip((self.linear, self.hidden), x.steps[steps], y.steps[steps]):
                layer.pass_on(first, second, branch)
            stream.add(self.share, branch, *(self._deviations(z.steps[2 * block : 2 * block + 3]) for z in (x, y)))
        self.linear.pass_on(x.steps[-1], y.steps[-1], stream)
        return stream

    def _deviations(self, steps: tuple[Alone, ...]) -> np.ndarray:
        """Those of the stream before a block, of its branch and of the stream behind, (3, p)."""
        return np.array([steps[0].before, steps[1].after, steps[2].before])

    def diagonal(self, x: Trace, tangent: bool) -> np.ndarray:
        """K, or Θ by the gains of the layers."""
        *blocks, last = x.steps
        if not tangent:
            return last.after**2
        theta = x.first**2
        for linear, hidden in zip(blocks[::2], blocks[1::2]):
            inner = linear.after**2 + linear.gain * theta
            theta = theta + self.share * (hidden.after**2 + hidden.gain * inner)
        return last.after**2 + last.gain * theta
