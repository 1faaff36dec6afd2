"""v, σ and the derivative of the loss by the metric at each point of a cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from geomflow.core.hermitian import multiplicity, pack
from geomflow.core.threads import each, slices
from geomflow.variety.measures import normalised
from geomflow.variety.metric import FubiniStudy
from geomflow.variety.routines import hermitian

if TYPE_CHECKING:
    from geomflow.fits.loss import Loss
    from geomflow.variety.points import Points


@final
@dataclass(frozen=True, eq=False)
class Look:
    """A metric as the loss sees it: v (P,) of mean one, σ, packed g⁻¹ (P, n²), `pivots` (P,).

    `pivots` is the least pivot of g over that of Fubini–Study: one at the start, not positive where g is not.
    """

    v: np.ndarray
    sigma: float
    inverse: np.ndarray
    pivots: np.ndarray

    @property
    def positive(self) -> bool:
        """Whether the metric is positive at every point."""
        return bool((self.pivots > 0).all())

    @property
    def finite(self) -> bool:
        """Whether all numbers are."""
        return bool(np.isfinite(self.sigma) and np.isfinite(self.inverse).all())


@final
@dataclass(frozen=True, eq=False)
class CloudObjective:
    """L = Σ_p w_p F(v_p) on points with weights w of sum one, v = det g/(κ|Ω|²), κ = Σ_p w_p det g/|Ω|².

    F = |v − 1| gives σ, eq. (B.11) of Halverson and Ruehle, other F their E_F, eq. (B.12). Metrics are packed, (P, n²).
    """

    reference: np.ndarray
    weights: np.ndarray
    omega2: np.ndarray
    unit: np.ndarray

    @classmethod
    def of(cls, points: Points) -> CloudObjective:
        """At points of a variety, from its Fubini–Study metric."""
        reference = pack(FubiniStudy(points.variety).at(points))
        weights = points.weights / points.weights.sum()
        return cls(reference, weights, points.omega2, _inverted(reference)[2])

    def look(self, g: np.ndarray) -> Look:
        """What the loss sees of a metric, positive or not."""
        value, inverse, pivots = _inverted(g)
        with np.errstate(over="ignore", invalid="ignore"):
            v, _, sigma = normalised(value / self.omega2, self.weights)
            return Look(v, sigma, inverse, (pivots / self.unit).min(axis=1))

    def loss(self, look: Look, loss: Loss) -> float:
        """Σ_p w_p F(v_p)."""
        return float(self.weights @ loss.evaluate(look.v)[0])

    def gradient(self, look: Look, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
        """P ∂L/∂g at each point, packed (P, n²), and η that would bring each v to one on its own, (P,).

        ∂L/∂g_p = w_p v_p (F'(v_p) − Σ_q w_q v_q F'(v_q)) g_p⁻¹; the sum is the change of κ. The factor P makes the
        update of a point by itself independent of their number.
        """
        slope = loss.evaluate(look.v)[1]
        force = len(slope) * self.weights * look.v * (slope - self.weights @ (look.v * slope))
        square = look.inverse**2 @ multiplicity(round(look.inverse.shape[1] ** 0.5))
        gap = np.log(look.v)
        newton = np.divide(gap, force * square, out=np.zeros_like(gap), where=force != 0)
        return force[:, None] * look.inverse, newton

    def sizes(self, inverse: np.ndarray, change: np.ndarray) -> np.ndarray:
        """The Frobenius norm of a change relative to the metric of that inverse, (P,)."""
        out, n = np.empty(len(change)), round(change.shape[1] ** 0.5)
        each(lambda s: hermitian.sizes(inverse[s], change[s], n, out[s]), slices(len(change)))
        return out


def _inverted(g: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """det, packed inverse and pivots."""
    n = round(g.shape[1] ** 0.5)
    out = np.empty(len(g)), np.empty(g.shape), np.empty((len(g), n))
    each(lambda s: hermitian.inverses(g[s], n, out[0][s], out[1][s], out[2][s]), slices(len(g)))
    return out
