"""Ensembles of infinitely wide networks under gradient descent: a Gaussian process at every time.

With the tangent kernel frozen, the mean-squared error of networks drawn at random is a linear problem. Jacot, Gabriel
and Hongler (2018); Lee et al. (2019), eqs. (14)–(16); Halverson and Ruehle, section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError, require_known
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import finite_number, real_array, real_number, whole
from geomflow.kernels.blocks import require_square
from geomflow.kernels.filters import SpectralFilter
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.motions import Descended, Learned
from geomflow.kernels.process import GaussianProcess, Problem

Mean = float | Callable[[Any], np.ndarray]


@final
@dataclass(frozen=True, eq=False)
class InfiniteEnsemble(InNotebook):
    """Infinitely wide networks drawn at random: a Gaussian process of covariance K, trained by the tangent kernel Θ.

    Parameters
    ----------
    kernel : Kernel
        Θ of all weights, with K as its `covariance`: `NetworkKernel(...)` and the like.
    trained : str
        "all", or "last": the weights of the linear output layer alone, whose tangent kernel is K itself. Trained for
        ever, these are the Bayesian posterior of K; networks of which all layers are trained in general are not.
    mean : float or callable
        The mean before training: a number, or a function of points (p, d) with values (p,) or (p, c).
    amplitude : float
        α > 0: the networks α f, whose K and Θ are α² times those of `kernel`. `Regression.calibrated` finds it.

    Notes
    -----
    Raises InputError for kernels without a covariance.

    Examples
    --------
    >>> from geomflow.kernels import NetworkKernel
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> learned = InfiniteEnsemble(NetworkKernel("erf", bias_std=0.5)).regress(x, [0.0, 1.0, 0.0])
    >>> np.allclose(learned.at(np.inf).mean(x), [0, 1, 0])
    True
    >>> learned.at(0).variance(x).round(3).tolist()
    [0.466, 0.756, 0.955]
    """

    kernel: Kernel
    trained: Literal["all", "last"] = "all"
    mean: Mean = 0.0
    amplitude: float = 1.0

    def __post_init__(self) -> None:
        amplitude = finite_number(self.amplitude, "the amplitude")
        if not amplitude > 0:
            raise InputError(f"the amplitude of networks is positive, and {amplitude:g} was given.")
        require_square("the amplitude of networks", amplitude)
        object.__setattr__(self, "amplitude", amplitude)
        require_known("choice of what is trained", self.trained, ("all", "last"))
        if not isinstance(getattr(self.kernel, "covariance", None), Kernel):
            raise InputError(f"an ensemble needs a tangent kernel that knows the covariance of its networks, such as "
                             f"NetworkKernel(...), and {self.kernel!r} does not.")
        if not callable(self.mean):
            object.__setattr__(self, "mean", finite_number(self.mean, "the mean before training"))

    @property
    def covariance(self) -> Kernel:
        """K, before training."""
        kernel: Kernel = self.kernel.covariance  # type: ignore[attr-defined]  # checked when it was made
        return self._amplified(kernel)

    @property
    def tangent(self) -> Kernel:
        """Θ of what is trained."""
        return self._amplified(self.kernel) if self.trained == "all" else self.covariance

    def _amplified(self, kernel: Kernel) -> Kernel:
        return kernel if self.amplitude == 1 else self.amplitude**2 * kernel

    def mean_at(self, x: Any) -> np.ndarray:
        """The mean before training at points, (p, 1) or (p, c).

        Parameters
        ----------
        x : (p, d) array or points
            Points.
        """
        count = len(self.covariance.read(x))
        if not callable(self.mean):
            return np.full((count, 1), self.mean)
        found = real_array(self.mean(x), "the mean before training")
        if found.ndim not in (1, 2) or len(found) != count:
            raise ShapeError(f"the mean before training has a row for each of the {count} points, and its shape is "
                             f"{found.shape}.")
        return found.reshape(count, -1)

    def regress(self, x: Any, y: Any, weights: Any = None, ridge: float = 0.0) -> Regression:
        """The networks under gradient flow of ½ Σ_p w_p (f(x_p) − y_p)² + ½ ρ |θ − θ_0|².

        Parameters
        ----------
        x : (p, d) array or points
            Where they are trained; a point may come more than once.
        y : (p,) or (p, c) array
            What they learn there: c components, each by networks of its own.
        weights : (p,) array, optional
            w, not negative; 1 unless given. The losses of this package weigh points by volume over count.
        ridge : float
            ρ ≥ 0.
        """
        return Regression(self, Problem(self.tangent, self.covariance, self.mean_at, x, y, weights), ridge)

    def __facts__(self) -> Facts:
        yield "kernel", self.kernel
        yield "trained", {"all": "all layers", "last": "the last layer"}[self.trained]
        yield "mean before training", self.mean
        yield "amplitude", self.amplitude


@final
@dataclass(frozen=True, eq=False)
class Regression(InNotebook):
    """An ensemble that learns values at points: made by `InfiniteEnsemble.regress`.

    Parameters
    ----------
    ensemble : InfiniteEnsemble
        Of what networks.
    problem : Problem
        What it learns, where.
    ridge : float
        ρ ≥ 0.
    """

    ensemble: InfiniteEnsemble
    problem: Problem
    ridge: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "ridge", _not_negative(self.ridge, "the ridge"))

    def rates(self, count: int | None = None) -> np.ndarray:
        """The rates λ + ρ at which modes are learned, largest first: all of up to 3,000 points, else the largest.

        Parameters
        ----------
        count : int, optional
            How many.
        """
        number = None if count is None else whole(count, "the number of rates", 1)
        return self.problem.filter.rates(number) + self.ridge

    @property
    def unlearned(self) -> int:
        """How many modes are never learned: of the rate λ = 0 to rounding, as where a point comes twice.

        So it is, too, where networks have fewer features than there are points, such as polynomials, or ReLU without a
        bias on points x and −x. Needs the whole spectrum where there is no Cholesky factor.
        """
        return self.problem.filter.unlearned()

    def at(self, t: float) -> GaussianProcess:
        """The networks after a time of gradient flow at unit rate; `math.inf` is allowed.

        A_t(x) = Θ(x, X) √w tφ₁((S + ρ)t) √w with φ₁(z) = (1 − e^{−z})/z and S = √w Θ(X, X) √w. No inverse: modes whose
        rate is zero to rounding, those of points that come twice among them, are never learned, and a warning says how
        many where t is infinite and values lie in them.

        Parameters
        ----------
        t : float
            Not negative.
        """
        time = _not_negative(t, "the time")
        return GaussianProcess(self.problem, Learned(self.ridge, time))

    def after(self, steps: int, rate: float) -> GaussianProcess:
        """The networks after steps of gradient descent, which is stable for rates below 2/(λ_max + ρ).

        Parameters
        ----------
        steps : int
            How many.
        rate : float
            The learning rate η: θ ← θ − η ∇L.

        Notes
        -----
        Raises InputError for learning rates that are not stable.
        """
        number, eta = whole(steps, "the number of steps", 0), finite_number(rate, "the learning rate")
        fastest = float(self.rates(1)[0])
        if not (eta > 0 and eta * fastest < 2):
            bound = 2 / fastest if fastest > 0 else inf
            raise InputError(f"descent is stable for learning rates between 0 and 2/λ = {bound:.6g}, where λ = "
                             f"{fastest:.6g} is the fastest rate of these points, and {eta:g} was given.")
        return GaussianProcess(self.problem, Descended(self.ridge, number, eta))

    def evidence(self) -> float:
        """log p(Y), the logarithm of the marginal likelihood under K with errors of variance ρ/w_p: larger is likelier.

        It tells which kernel fits values. Needs the whole spectrum, and raises InputError where K + ρ is singular.
        """
        rates, parts = self._inferred()
        of, columns = self.problem, self.problem.residual.shape[1]
        logs = np.log(rates).sum() - np.log(of.weights).sum() + len(rates) * np.log(2 * np.pi)
        with np.errstate(over="ignore"):
            misfit = float(((parts / np.sqrt(rates)[:, None]) ** 2).sum())
        if misfit == inf:
            raise InputError(f"the values are so unlikely that log p(Y) is beyond double precision, with a ridge of "
                             f"{self.ridge:g}: take a larger ridge, or larger units for the values.")
        return -0.5 * misfit - 0.5 * columns * float(logs)

    def calibrated(self) -> Regression:
        """The same for networks of the amplitude at which values are likeliest, the ridge in proportion.

        K → α²K and ρ → α²ρ with α² = tr Yᵀ(K + ρ)⁻¹Y/(pc): means of the posterior stay, and its error bars get their
        size from the values.
        """
        rates, parts = self._inferred()
        pulls = parts / np.sqrt(rates)[:, None]
        if not (largest := float(np.abs(pulls).max())) > 0:
            raise InputError("the values are those of the mean before training: any amplitude is too large for them.")
        factor = largest * float(np.sqrt(((pulls / largest) ** 2).mean()))
        ensemble, of = replace(self.ensemble, amplitude=self.ensemble.amplitude * factor), self.problem
        return ensemble.regress(of.x, of.y, of.weights, self.ridge * factor**2)

    def _inferred(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues of √w K √w + ρ, (p,), and the components of √w (Y − m) along its eigenvectors, (p, c)."""
        of = self.problem
        rates, vectors = SpectralFilter(of.covariance, of.x, of.roots).spectrum
        if not (rates + self.ridge > 0).all() or not (of.weights > 0).all():
            raise InputError("the covariance on these points is singular to rounding, or a weight is zero: take a "
                             "ridge, and leave out points of no weight.")
        return rates + self.ridge, vectors.T @ (of.roots[:, None] * of.residual)

    def posterior(self, noise: float | None = None) -> GaussianProcess:
        """The Bayesian posterior of K for values with independent errors of variance ρ/w_p: inference, not training.

        Without noise it is what networks become of which the last layer is trained.

        Parameters
        ----------
        noise : float, optional
            In place of ρ.
        """
        ridge = self.ridge if noise is None else _not_negative(noise, "the noise")
        of = self.problem
        problem = Problem(of.covariance, of.covariance, of.mean, of.x, of.y, of.weights)
        return GaussianProcess(problem, Learned(ridge, inf), ridge)

    def __facts__(self) -> Facts:
        yield "points", len(self.problem.y)
        yield "components", self.problem.residual.shape[1]
        yield "ridge", self.ridge
        yield from self.ensemble.__facts__()


def _not_negative(number: float, what: str) -> float:
    value = real_number(number, what)
    if not value >= 0:
        raise InputError(f"{what} is not negative, and {value:g} was given.")
    return value

