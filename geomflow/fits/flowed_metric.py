"""A few steps of Kähler–Ricci flow from an algebraic metric, exactly: a filter for what its degree does not resolve.

What the best form of degree k leaves of log v is made of functions of the next few degrees. A step of the flow takes

    K → K + τ log v,    g → g − τ Ric,    v = det g/|Ω|²,

so that to first order an eigenfunction of −Δ = −g^{ab̄}∂_a∂_b̄ in log v is multiplied by 1 − τλ: with as many
lengths τ as steps a polynomial in λ is chosen that is small where log v is not. The lengths are all that is fitted, and
K is expanded about each point in a power series of the order that is needed: m steps take derivatives of K by m + 1
holomorphic and as many antiholomorphic coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from geomflow.core.archive import Archive
from geomflow.core.errors import InputError
from geomflow.core.memory import require
from geomflow.core.numbers import whole
from geomflow.core.report import FitReport, read_report
from geomflow.core.symmetric import packed_index
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.variety import HermitianForm, Points, PolarisedMetric
from geomflow.variety.errors import KahlerConeError
from geomflow.variety.series import Truncation, truncation

#: Steps unless told otherwise, and points that their lengths are fitted on.
STEPS, POINTS = 2, 2000
_BLOCK = 32
_MOST = 4
#: The band of eigenvalues in which lengths start, and log v where a metric is not positive.
_BAND, _FAR = 0.6, 10.0


@final
class FlowedMetric(PolarisedMetric, kind="geomflow flowed metric 1"):
    """K_m of K_j = K_{j−1} + τ_j log v_{j−1}, K_0 = (1/k) log P: explicit steps of Kähler–Ricci flow.

    log v is one function on the variety, so g is closed, in the class of the form, and the same metric in every patch.
    Components are NaN where the form or a step between is not positive. Raises `InputError` for lengths that are not
    finite, or no lengths.

    Parameters
    ----------
    form : HermitianForm
        K_0.
    lengths : sequence of float
        The τ_j.
    """

    def __init__(self, form: HermitianForm, lengths: Sequence[float] | np.ndarray) -> None:
        self.variety, self.form, self.lengths = form.variety, form, np.array(lengths, dtype=float)
        if self.lengths.ndim != 1 or not len(self.lengths) or not np.all(np.isfinite(self.lengths)):
            raise InputError(f"the lengths of the steps are {lengths}; give a list of finite numbers")

    @property
    def report(self) -> FitReport | None:
        """How the fit of the form went."""
        return self.form.report

    @property
    def kahler_class(self) -> tuple[float, ...]:
        """That of the form."""
        return self.form.kahler_class

    def potential(self, points: Points) -> np.ndarray:
        """K_m = (1/k) log P + Σ_j τ_j log v_{j−1} at the scaled representatives, (P,)."""
        return self._expanded(points, 0)[0, 0].real

    def at(self, points: Points) -> NDArray[np.complex128]:
        """g_{ab̄} = ∂_a∂_b̄ K_m, shape (P, n, n)."""
        n = self.variety.dim
        return np.ascontiguousarray(np.moveaxis(self._expanded(points, 1)[1 : 1 + n, 1 : 1 + n], 2, 0))

    def jets(self, points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of K_m up to the fourth, from its series."""
        n, spread = self.variety.dim, 1 + self.variety.dim + packed_index(self.variety.dim)
        series = np.moveaxis(self._expanded(points, 2), 2, 0)
        factorials = np.ones(series.shape[1])
        factorials[np.diagonal(spread)] = 2
        derivatives = series * np.multiply.outer(factorials, factorials)
        once = np.arange(1, 1 + n)
        return (derivatives[:, once[:, None], once], derivatives[:, spread[:, :, None], once],
                derivatives[:, spread[:, :, None, None], spread])

    def record(self) -> dict[str, Any]:
        """The form and the lengths."""
        return {**self.form.record(), "lengths": self.lengths}

    @classmethod
    def from_record(cls, file: Archive, variety: Any) -> FlowedMetric:
        """The metric of these."""
        form = HermitianForm.from_record(file, variety)
        form.report = read_report(file)
        return cls(form, file.numbers("lengths", "f", None))

    def _expanded(self, points: Points, order: int) -> np.ndarray:
        """K_m to an order in x and in x̄, (R, R, P)."""
        self.check(points)

        kept = truncation(self.variety.dim, order + len(self.lengths))

        def work(block: slice) -> np.ndarray:
            part = points[block]
            return _flowed(_expansion(self.form, part, kept), kept, part, self.lengths)

        with one_thread_products():
            return np.concatenate(each(work, slices(len(points), _BLOCK)), axis=2)

    def __repr__(self) -> str:
        plural = "" if len(self.lengths) == 1 else "s"
        return f"{len(self.lengths)} step{plural} of Kähler–Ricci flow from {self.form!r}"


def flowed_metric(form: HermitianForm, points: Points, steps: int = STEPS) -> FlowedMetric:
    """The metric after so many steps of Kähler–Ricci flow from an algebraic metric, of the lengths of least ∫(log v)².

    K → K + τ log v in each step, with exact derivatives; see `FlowedMetric`. σ falls by a factor of two to three in the
    first step and by less in each of the next, for the price of a few evaluations: there are as many unknowns as
    steps, so that 2,000 points are enough, and these are used. Without symmetry that is worth about two degrees of
    the form. Each step also magnifies what little there is of much higher degrees: a third from a low degree can leave
    the Kähler cone at a few points in a thousand, which measures on unseen points say; take two then.
    Raises `InputError` (no form, steps not in 1 … 4), `KahlerConeError` where the form is not positive, and
    `MemoryLimitError`.

    Parameters
    ----------
    form : HermitianForm
        From `algebraic_metric`, or any other.
    points : Points
        Those to fit the lengths on; the first 2,000 are used. On points that the form was fitted on log v is not what
        it is elsewhere, and lengths come out too short: take others.
    steps : int
        How many, at most 4.

    Examples
    --------
    >>> import geomflow as gf
    >>> X = gf.Fermat(4)
    >>> form = gf.algebraic_metric(X, 2, X.sample(4000, seed=1))
    >>> metric, unseen = gf.flowed_metric(form, X.sample(2000, seed=3), 1), X.sample(4000, seed=2)
    >>> float(gf.sigma(metric, unseen)) < float(gf.sigma(form, unseen)) / 2
    True
    """
    if not isinstance(form, HermitianForm):
        raise InputError(f"steps start from a form, and this is {form!r}: give what gf.algebraic_metric made")
    steps = whole(steps, "the number of steps", 1, f"take 1 to {_MOST}")
    if steps > _MOST:
        raise InputError(f"{steps} steps take derivatives of order {2 * steps + 2}; take 1 to {_MOST}")
    form.check(points)
    used = points[:POINTS]
    kept = truncation(form.variety.dim, 1 + steps)
    require(16 * kept.rows**2 * len(used), f"series at {len(used)} points", "take fewer steps")
    return FlowedMetric(form, _Lengths(form, used, kept).best(steps))


class _Lengths:
    """log v after steps on points, as a function of the lengths of the steps."""

    def __init__(self, form: HermitianForm, points: Points, kept: Truncation) -> None:
        self.points, self.weights, self.kept = points, points.mass, kept
        self.blocks = slices(len(points), _BLOCK)
        with one_thread_products():
            self.series = each(lambda block: _expansion(form, points[block], kept), self.blocks)

    def log_v(self, lengths: np.ndarray) -> np.ndarray:
        """(P,), of mean zero."""
        last = truncation(self.kept.n, self.kept.order - len(lengths))

        def work(number: int) -> np.ndarray:
            part = self.points[self.blocks[number]]
            series = _flowed(self.series[number], self.kept, part, lengths)
            volume: np.ndarray = last.log_volume(series)[0, 0].real - np.log(part.omega2)
            return volume

        found = np.concatenate(each(work, range(len(self.blocks))))
        return found - self.weights @ found

    def residual(self, lengths: np.ndarray) -> np.ndarray:
        """√w log v, large where there is none."""
        with np.errstate(invalid="ignore"):
            found = self.log_v(lengths)
        return np.sqrt(self.weights) * (found if np.all(np.isfinite(found)) else np.full(len(found), _FAR))

    def best(self, steps: int) -> np.ndarray:
        """The lengths of least ∫(log v)², from those of Chebyshev's polynomial on a band about the best single step."""
        start = self.log_v(np.empty(0))
        if not np.all(np.isfinite(start)):
            bad = np.count_nonzero(~np.isfinite(start))
            raise KahlerConeError(f"the form is not positive at {bad} of {len(start)} points: fit it on more of them")
        if not np.any(np.abs(start) > 1e-12):
            return np.zeros(steps)
        small = 1e-4
        slope = (self.log_v(np.array([small])) - start) / small
        single = -(self.weights * slope) @ start / ((self.weights * slope) @ slope)
        nodes = np.cos(np.pi * (np.arange(steps) + 0.5) / steps)
        found = least_squares(self.residual, single / (1 + _BAND * nodes), diff_step=1e-4, x_scale=single)
        return np.asarray(found.x)


def _expansion(form: HermitianForm, points: Points, kept: Truncation) -> np.ndarray:
    """(1/k) log P in series, (R, R, P)."""
    sections = kept.monomials(form.exponents, kept.coordinates(points))
    count, rows, size = sections.shape
    image = (form.form @ sections.conj().reshape(count, -1)).reshape(count, rows, size)
    gram = np.transpose(sections, (2, 1, 0)) @ np.moveaxis(image, 2, 0)
    return kept.logarithm(np.ascontiguousarray(np.moveaxis(gram, 0, 2))) / form.level


def _flowed(series: np.ndarray, kept: Truncation, points: Points, lengths: np.ndarray) -> np.ndarray:
    """K after steps of these lengths, of an order less for each. Of log |Ω|² only the value counts: its ∂∂̄ is zero."""
    for number, length in enumerate(lengths):
        change = truncation(kept.n, kept.order - number).log_volume(series)
        change[0, 0] -= np.log(points.omega2)
        series = series[: len(change), : len(change)] + length * change
    return series
