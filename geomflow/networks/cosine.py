"""The one-hidden-layer cosine network, whose infinitely wide tangent kernel is a Gaussian of any width."""

from __future__ import annotations

from math import pi, sqrt
from typing import final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError
from geomflow.core.numbers import generator, whole
from geomflow.core.threads import slices
from geomflow.field.lattice import FlatTorus
from geomflow.networks.jets import Series
from geomflow.networks.network import Layout, Network, joined, point_blocks, summed
from geomflow.networks.periodic import DiscreteGaussian, checked_scale, wave_series

#: Neurons whose features are held at once where a kernel is summed over them.
_NEURONS = 512


@final
class CosineNetwork(Network):
    """f_c(x) = (A/√N) Σ_i a_ci cos(w_i·x + b_i): only the amplitudes a (outputs, width) are trained.

    w_i ~ N(0, σ_w²/d) and b_i ~ U[−π, π] are drawn once from `seed`. The infinitely wide tangent kernel is the
    normalised Gaussian δ_cc' (2πs²)^{-d/2} e^{−|x−x'|²/2s²} with s² = d/σ_w² and A² = 2 (σ_w²/2πd)^{d/2}: Halverson and
    Ruehle, eqs. (2.32)–(2.37).

    On a `torus` the w_i are drawn from the discrete Gaussian on the dual lattice, P(k) = e^{−s²|k|²/2}/Z, and
    A² = 2 Z/Vol: the expected kernel is then the wrapped Gaussian, (1/Vol) Σ_k e^{−s²|k|²/2} cos k·(x−x'), exactly.
    As the periods grow Z/Vol tends to (2πs²)^{-d/2} and both cases agree.

    Raises `InputError` for sizes and widths out of range, or where both or none of s and σ_w are given, and
    `MemoryLimitError` for more wave vectors than fit.

    Parameters
    ----------
    inputs, outputs : int
        How many numbers go in and come out at a point.
    width : int
        N, the number of neurons.
    kernel_width : float, optional
        s, in units of the points; or give `weight_std`.
    weight_std : float, optional
        σ_w = √d/s.
    torus : FlatTorus, optional
        Where the network is periodic.
    seed : int or numpy.random.Generator
        What draws w and b.

    Examples
    --------
    >>> CosineNetwork(2, width=1000, kernel_width=0.1)
    a cosine network of 1000 neurons, 2 inputs and 1 output, kernel width 0.1
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        kernel_width: float | None = None,
        weight_std: float | None = None,
        outputs: int = 1,
        torus: FlatTorus | None = None,
        seed: int | np.random.Generator = 0,
    ) -> None:
        self.inputs, self.width, self.outputs = (
            whole(number, name, 1)
            for number, name in ((inputs, "inputs"), (width, "width"), (outputs, "outputs"))
        )
        self.kernel_width = _checked_width(self.inputs, kernel_width, weight_std)
        self.torus = torus
        self.layout = Layout((("a", (self.outputs, self.width)),))
        memory.require(8.0 * self.width * (self.inputs + self.outputs + 1), f"{self.width:,} wave vectors and phases",
                       "take a narrower network")
        rng = generator(seed)
        if torus is None:
            self.gaussian = None
            waves = rng.standard_normal((self.width, self.inputs)) / self.kernel_width
        else:
            self.gaussian = DiscreteGaussian(_lattice(torus, self.inputs), self.kernel_width)
            waves = self.gaussian.draw(self.width, rng)
        self.waves = np.ascontiguousarray(waves.T)
        self.phases = rng.uniform(-pi, pi, self.width)

    @property
    def amplitude(self) -> float:
        """A, the factor of the network: eq. (2.36), or √(2Z/Vol) on a torus."""
        if self.gaussian is None:
            return sqrt(2.0) * (2 * pi * self.kernel_width**2) ** (-self.inputs / 4)
        return sqrt(2 * self.gaussian.partition / self.gaussian.volume)

    @property
    def weight_std(self) -> float:
        """σ_w = √d/s, eq. (2.37)."""
        return sqrt(self.inputs) / self.kernel_width

    def initial(self, seed: int | np.random.Generator) -> np.ndarray:
        """a ~ N(0, 1)."""
        return self._drawn(seed)

    def expected_kernel(self, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """E_{w,b}[Θ] for one output, (p, q): (A²/2) E_w[cos w·(x − y)].

        The Gaussian of eq. (2.35), or the sum over the discrete distribution of wave vectors on a torus.

        Parameters
        ----------
        x : (p, inputs) array
            Points.
        y : (q, inputs) array, optional
            Others; x unless given.
        """
        x = self._points(x)
        y = x if y is None else self._points(y)
        half = self.amplitude**2 / 2
        if self.gaussian is None:
            return half * np.exp(-0.5 * sum(np.subtract.outer(a, b) ** 2 for a, b in zip(x.T, y.T)) * self._rate)
        waves, weights = self.gaussian.distribution()
        phase_x, phase_y = x @ waves.T, y @ waves.T
        parts = ((np.cos(phase_x) * weights) @ np.cos(phase_y).T, (np.sin(phase_x) * weights) @ np.sin(phase_y).T)
        return half * (parts[0] + parts[1])

    @property
    def _rate(self) -> float:
        return 1 / self.kernel_width**2

    def features(self, x: np.ndarray, series: Series | None = None) -> np.ndarray:
        """Taylor coefficients of (A/√N) cos(w_i·x + b_i), (C, p, width); values alone unless `series` is given.

        Parameters
        ----------
        x : (p, inputs) array
            Points.
        series : Series, optional
            The algebra of series; values alone unless given.
        """
        series = Series(self.inputs, 0) if series is None else series
        cosines, _ = wave_series(x @ self.waves + self.phases, self.waves, series)
        return np.multiply(cosines, self.amplitude / sqrt(self.width), out=cosines)

    def _jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        out = np.zeros((len(x), self.outputs, self.outputs, self.width))
        for block in point_blocks(len(x), self.width):
            values = self.features(x[block])[0]
            for output in range(self.outputs):
                out[block, output, output] = values
        return out.reshape(len(x), self.outputs, self.size)

    def _tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        scalar = np.zeros((len(x), len(y)))
        for neurons in slices(self.width, _NEURONS):
            left = np.cos(x @ self.waves[:, neurons] + self.phases[neurons])
            scalar += left @ np.cos(y @ self.waves[:, neurons] + self.phases[neurons]).T
        scalar *= self.amplitude**2 / self.width
        return scalar[:, :, None, None] * np.eye(self.outputs)

    def _jets(self, parameters: np.ndarray, x: np.ndarray, series: Series) -> np.ndarray:
        weights = self.layout.views(parameters)["a"].T
        factors = series.factorials[:, None, None]

        def work(block: slice) -> np.ndarray:
            return (self.features(x[block], series) @ weights) * factors

        out = np.empty((series.channels, len(x), self.outputs))
        return joined(work, self._blocks(x, series), out, axis=1)

    def _jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, series: Series) -> np.ndarray:
        return self._jets(direction, x, series)

    def _jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: np.ndarray, series: Series) -> np.ndarray:
        factors = series.factorials[:, None, None]

        def work(block: slice) -> np.ndarray:
            features = self.features(x[block], series).reshape(-1, self.width)
            return ((cotangents[:, block] * factors).reshape(-1, self.outputs).T @ features).ravel()

        return summed(work, self._blocks(x, series), self.size)

    def _blocks(self, x: np.ndarray, series: Series) -> list[slice]:
        return point_blocks(len(x), series.channels * self.width)

    def __repr__(self) -> str:
        plural = "s" if self.outputs > 1 else ""
        where = "" if self.torus is None else f", periodic on {self.torus!r}"
        return (
            f"a cosine network of {self.width} neurons, {self.inputs} inputs and {self.outputs} output{plural}, "
            f"kernel width {self.kernel_width:g}{where}"
        )


def _checked_width(inputs: int, kernel_width: float | None, weight_std: float | None) -> float:
    """s, given as itself or as σ_w with s² = d/σ_w²."""
    if kernel_width is not None and weight_std is None:
        return checked_scale(kernel_width, "kernel_width")
    if weight_std is None or kernel_width is not None:
        raise InputError("give one of kernel_width s and weight_std σ_w: s² = inputs/σ_w² links them.")
    return sqrt(inputs) / checked_scale(weight_std, "weight_std")


def _lattice(torus: FlatTorus, inputs: int) -> np.ndarray:
    if not hasattr(torus, "lattice"):
        raise InputError(f"the network is periodic on a torus, such as Torus(dim={inputs}), and {torus!r} was given.")
    if torus.real_dim != inputs:
        raise InputError(f"the torus has real dimension {torus.real_dim}, and inputs is {inputs}.")
    return np.array(torus.lattice)
