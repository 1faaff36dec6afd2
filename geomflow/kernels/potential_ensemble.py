"""Kähler metrics of which infinitely wide networks are the potential: mean, error bars, positivity, curvature."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Any, NamedTuple, Protocol, final

import numpy as np
from scipy.special import ndtr

from geomflow.core import hermitian
from geomflow.core.errors import InputError, ShapeError
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import generator, real_array, whole
from geomflow.core.threads import slices
from geomflow.field.grid import Grid
from geomflow.field.potential import PotentialField
from geomflow.kernels.ensemble import InfiniteEnsemble
from geomflow.kernels.positivity import Probability
from geomflow.kernels.process import GaussianProcess
from geomflow.variety.curvature_slopes import CurvatureSlopes, curvature_slopes
from geomflow.variety.jets import from_jets

_BATCH = 32
"""Points at a time whose joint covariances are found."""


class RandomPotentials(Protocol):
    """Random potentials φ = Σ_m a_m ψ_m, and how metrics are made of them: such as `Waves`."""

    @property
    def ensemble(self) -> InfiniteEnsemble:
        """Of a `SeriesKernel`."""

    @property
    def size(self) -> int:
        """How many ψ_m."""

    @property
    def dim(self) -> int:
        """The complex dimension n."""

    def values(self, x: Any) -> np.ndarray:
        """φ at points as linear forms, (p, m)."""

    def hessians(self, x: Any) -> np.ndarray:
        """The packed ∂∂̄φ in a frame at points as linear forms, (p, n², m)."""

    def metric(self, x: Any, hessian: np.ndarray) -> np.ndarray:
        """reference + ∂∂̄φ, (…, p, n, n), from the packed ∂∂̄φ."""

    def lacking(self, x: Any, metrics: Any) -> np.ndarray:
        """The packed ∂∂̄φ of given metrics, (p, n²)."""

    def jets(self, x: Any, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(g_ab̄, ∂_c g_ab̄, ∂_c∂_d̄ g_ab̄) of one potential, as `PolarisedMetric.jets`."""

    def linearised(self, x: Any, slopes: CurvatureSlopes) -> np.ndarray:
        """δR of these slopes at points as linear forms, (p, m)."""


class Bars(NamedTuple):
    """Values, and their standard deviations over networks."""

    value: np.ndarray
    deviation: np.ndarray


@final
@dataclass(frozen=True, eq=False)
class PotentialEnsemble(InNotebook):
    r"""g = reference + ∂∂̄φ with networks φ: closed and in the class of the reference, and Kähler where it is positive.

    φ ~ N(m, Σ) gives E g = reference + ∂∂̄m, and E[δg_{ab̄}(x) δg_{cd̄}(x')] = ∂_a∂_b̄ ∂'_c∂'_d̄ Σ(x, x').
    `learn_potential` and `learn` make it, from values of φ or of g; times and kernels are as for `InfiniteEnsemble`.

    Parameters
    ----------
    functions : RandomPotentials
        What the networks are, and the reference: `Waves.of(ensemble, torus)`.
    process : GaussianProcess
        Of linear forms of φ.
    together : int
        How many of these are learned at each point.

    Examples
    --------
    >>> import geomflow as gf
    >>> from geomflow.kernels import NetworkKernel, Waves
    >>> T = gf.ComplexTorus(1)
    >>> waves = Waves.of(InfiniteEnsemble(NetworkKernel("erf", bias_std=0.5)), T)
    >>> phi = T.grid(8).potential("cos(2*pi*x)/200")
    >>> x, g = phi.grid.points().reshape(-1, 2), phi.grid.hermitian([["1/2 - pi**2*cos(2*pi*x)/200"]])
    >>> learned = PotentialEnsemble.learn_potential(waves, x, phi.values.ravel())
    >>> bool(np.abs(learned.mean(x) - g.values.reshape(-1, 1, 1)).max() < 1e-3)
    True
    """

    functions: RandomPotentials
    process: GaussianProcess
    together: int = 1

    @classmethod
    def learn(cls, functions: RandomPotentials, x: Any, metrics: Any, time: float = inf, weights: Any = None,
              ridge: float = 0.0) -> PotentialEnsemble:
        """The potentials after gradient flow of ½ Σ_p w_p |g(x_p) − g_p|², |h|² = Σ |h_{ab̄}|² in the functions' frame.

        Parameters
        ----------
        functions : RandomPotentials
            What the networks are.
        x : points
            Where the metric is known.
        metrics : (p, n, n) array
            g_p, Hermitian.
        time : float
            Of training; `math.inf` is allowed.
        weights, ridge : (p,) array, float, optional
            As of `InfiniteEnsemble.regress`.
        """
        scales = hermitian.orthonormal(functions.dim)
        rows, wanted = functions.hessians(x) * scales[:, None], functions.lacking(x, metrics) * scales
        every = None if weights is None else np.repeat(real_array(weights, "weights"), len(scales))
        learned = functions.ensemble.regress(rows.reshape(-1, functions.size), wanted.ravel(), every, ridge)
        return cls(functions, learned.at(time), len(scales))

    @classmethod
    def learn_potential(cls, functions: RandomPotentials, x: Any, potential: Any, time: float = inf,
                        weights: Any = None, ridge: float = 0.0) -> PotentialEnsemble:
        """The potentials after gradient flow of ½ Σ_p w_p (φ(x_p) − φ_p)².

        Parameters
        ----------
        functions : RandomPotentials
            What the networks are.
        x : points
            Where φ is known.
        potential : (p,) array
            φ_p; a constant in it is learned too, and is best taken out.
        time : float
            Of training; `math.inf` is allowed.
        weights, ridge : (p,) array, float, optional
            As of `InfiniteEnsemble.regress`.
        """
        wanted = real_array(potential, "the potential that is learned")
        if wanted.ndim != 1:
            raise ShapeError(f"a potential has one value at each point, (p,), and its shape is {wanted.shape}.")
        return cls(functions, functions.ensemble.regress(functions.values(x), wanted, weights, ridge).at(time))

    def mean(self, x: Any) -> np.ndarray:
        """The mean metric, (q, n, n).

        Parameters
        ----------
        x : points
            Where.
        """
        return self.functions.metric(x, self.functions.hessians(x) @ self._coefficients)

    def potential(self, x: Any) -> Bars:
        """The mean of φ and its deviation, (q,) each.

        Parameters
        ----------
        x : points
            Where.
        """
        return self._bars(self.functions.values(x))

    def covariance(self, x: Any) -> np.ndarray:
        """The covariance of the packed ∂∂̄φ at each point in the functions' frame, (q, n², n²).

        Parameters
        ----------
        x : points
            Where.
        """
        rows = self.functions.hessians(x)
        count, size = rows.shape[:2]
        parts = [np.zeros((0, size, size))]
        for some in slices(count, _BATCH):
            joint = self.process.covariance(rows[some].reshape(-1, rows.shape[2]))
            own = joint.reshape(-1, size, len(joint) // size, size)
            parts.append(np.einsum("paqb->pab", own * np.eye(len(own))[:, None, :, None]))
        return np.concatenate(parts)

    def deviation(self, x: Any) -> np.ndarray:
        """√E|δg_{ab̄}|² at each point, (q, n, n), of components in the functions' frame.

        Parameters
        ----------
        x : points
            Where.
        """
        rows = self.functions.hessians(x)
        packed = self.process.variance(rows.reshape(-1, rows.shape[2])).reshape(rows.shape[:2])
        n = self.functions.dim
        both = packed[:, n::2] + packed[:, n + 1 :: 2]
        pairs = np.stack([both, np.zeros_like(both)], axis=2).reshape(len(packed), -1)
        return np.sqrt(hermitian.unpack(np.concatenate([packed[:, :n], pairs], axis=1)).real)

    def positivity(self, x: Any, count: int = 10_000, seed: int | np.random.Generator = 0) -> Probability:
        """The probability that the metric is positive at each point: Φ(m/s) for n = 1, else of `count` draws.

        Parameters
        ----------
        x : points
            Where.
        count : int
            How many matrices are drawn where n > 1.
        seed : int or Generator
            Of the draws.
        """
        covariance, mean = self.covariance(x), self.functions.hessians(x) @ self._coefficients
        if self.functions.dim == 1:
            g, s = self.functions.metric(x, mean)[:, 0, 0].real, np.sqrt(np.maximum(covariance[:, 0, 0], 0.0))
            return Probability(np.where(s > 0, ndtr(g / np.where(s > 0, s, 1.0)), g > 0), np.zeros(len(g)))
        number = whole(count, "the number of matrices drawn", 1)
        normal = generator(seed).standard_normal((number, mean.shape[1]))
        drawn = mean + np.einsum("pab,nb->npa", _roots(covariance), normal)
        share = np.mean(np.linalg.eigvalsh(self.functions.metric(x, drawn))[..., 0] > 0, axis=0)
        return Probability(share, np.sqrt(share * (1 - share) / number))

    def curvature(self, x: Any) -> Bars:
        """R of the mean metric, and its deviation to first order in δφ, (q,) each.

        δR = −2 Δ_∂̄² δφ − 2 R^{ab̄} ∂_a∂_b̄ δφ; good where the deviation of the metric is small against the metric, and
        what it neglects is seen in the curvature of draws. Raises InputError where the mean metric is not positive.

        Parameters
        ----------
        x : points
            Where.
        """
        jets = self.functions.jets(x, self._coefficients)
        if not (lowest := np.linalg.eigvalsh(jets[0])[:, 0]).min(initial=1.0) > 0:
            raise InputError(f"the mean metric is not positive at point {int(np.argmin(lowest))}, where its smallest "
                             f"eigenvalue is {lowest.min():.3g}: curvature is that of metrics.")
        rows = self.functions.linearised(x, curvature_slopes(*jets))
        return Bars(from_jets(*jets).scalar, np.sqrt(self.process.variance(rows)))

    def sample(self, x: Any, count: int, seed: int | np.random.Generator) -> np.ndarray:
        """Metrics drawn, (count, q, n, n), each of one potential.

        Parameters
        ----------
        x : points
            Where.
        count : int
            How many.
        seed : int or Generator
            Of the draw.
        """
        drawn = np.einsum("pam,nm->npa", self.functions.hessians(x), self.draw(count, seed), optimize=True)
        return self.functions.metric(x, drawn)

    def draw(self, count: int, seed: int | np.random.Generator) -> np.ndarray:
        """The coefficients of potentials drawn, (count, m): `functions.values(x) @ draw` are their values.

        Parameters
        ----------
        count : int
            How many.
        seed : int or Generator
            Of the draw.
        """
        return self.process.sample(np.eye(self.functions.size), count, seed)

    def fields(self, grid: Grid, count: int, seed: int | np.random.Generator) -> list[PotentialField]:
        """Potentials drawn on a grid of a torus, with all their geometry: `.scalar()` is the curvature of each.

        Raises PositivityError for draws that are no metrics.

        Parameters
        ----------
        grid : Grid
            Of the torus.
        count : int
            How many.
        seed : int or Generator
            Of the draw.
        """
        points = grid.points().reshape(grid.size, -1)
        drawn = self.draw(count, seed) @ self.functions.values(points).T
        reference = self.functions.metric(points[:1], np.zeros((1, self.functions.dim**2)))[0]
        return [grid.potential(values.reshape(grid.shape), reference) for values in drawn]

    def cross_calibrated(self) -> PotentialEnsemble:
        """The same with error bars in proportion to what is missed where each point is predicted from all others.

        As `GaussianProcess.cross_calibrated`: known after training for ever.
        """
        return replace(self, process=self.process.cross_calibrated(self.together))

    @cached_property
    def _coefficients(self) -> np.ndarray:
        """The mean of the coefficients, (m,)."""
        return self.process.mean(np.eye(self.functions.size))

    def _bars(self, forms: np.ndarray) -> Bars:
        return Bars(forms @ self._coefficients, np.sqrt(self.process.variance(forms)))

    def __facts__(self) -> Facts:
        yield "functions", self.functions
        yield from self.process.__facts__()


def _roots(covariance: np.ndarray) -> np.ndarray:
    """Roots of symmetric matrices whose negative eigenvalues are rounding."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :])
