"""A toric metric that solves an equation: what it is, how well it does, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.notebook import Facts, InNotebook
from geomflow.field.toric.quadrature import alone, inner_rule
from geomflow.field.toric.state import ToricState

DENSITY_ORDER = 24


@final
@dataclass(frozen=True, repr=False)
class ToricMetric(InNotebook):
    """A Kähler–Einstein metric, a soliton or an extremal metric of a toric surface. Made by `toric.einstein(degree)`.

    Parameters
    ----------
    kind : {"einstein", "soliton", "extremal"}
        The equation.
    found : ToricState
        The metric.
    drift : pair of float
        c of a soliton, Ric = λg + ∂∂̄⟨c, x⟩; else zero.
    residual : float
        The largest error over the polygon: of log(Π l det u_ij) against what it should be up to a constant, or of the
        scalar curvature R of an extremal metric.
    steps : int
        Newton's.
    """

    kind: str
    found: ToricState
    drift: tuple[float, float]
    residual: float
    steps: int

    def state(self) -> ToricState:
        """The metric as a state, from which flows run."""
        return self.found

    def at(self, x: Any) -> np.ndarray:
        """g_{ij̄} = u^ij in the coordinates log z at places (M, 2), (M, 2, 2).

        Parameters
        ----------
        x : (M, 2) array
            Places in the polygon.
        """
        return self.found.at(x)

    def scalar(self, x: Any) -> np.ndarray:
        """The scalar curvature R at places (M, 2), (M,).

        Parameters
        ----------
        x : (M, 2) array
            Places in the polygon.
        """
        return self.found.scalar(x)

    def spectrum(self, count: int = 6, symmetric: bool = False) -> np.ndarray:
        """The lowest eigenvalues of −Δ_R on functions that the torus keeps, with the soliton's drift; 0 comes first.

        Parameters
        ----------
        count : int
            How many.
        symmetric : bool
            Only functions that all symmetries of the polygon keep.
        """
        return self.found.spectrum(count, self.drift, symmetric)

    @property
    def perelman_density(self) -> float:
        """Θ = (λ/e)² ∫_P e^{⟨c, x − x₀⟩}dx of a metric with Ric = λg + ∂∂̄⟨c, x⟩: e^ν of Perelman's entropy.

        4.5/e² for CP² and 4/e² for CP¹ × CP¹ (Cao, Hamilton and Ilmanen 2004). NaN for extremal metrics.
        """
        place = self.found.grid.toric.polygon.equidistant
        if place is None or self.kind == "extremal":
            return float("nan")
        polygon = self.found.grid.toric.polygon
        rule = inner_rule(polygon, alone(polygon), DENSITY_ORDER)
        weights = np.exp((rule.points - np.array(place[0], dtype=float)) @ np.array(self.drift))
        return float(rule.weights @ weights) / float(np.e * float(place[1])) ** 2

    def __facts__(self) -> Facts:
        yield "kind", self.kind
        yield "residual", f"{self.residual:.3g}"
        yield "drift", f"({self.drift[0]:.12g}, {self.drift[1]:.12g})"
        yield "steps", self.steps
        yield "on", self.found.grid

    def __repr__(self) -> str:
        return f"the {self.kind} metric with residual {self.residual:.3g}, on {self.found.grid!r}"
