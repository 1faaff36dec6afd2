"""What fits minimise: E(c) = Σ_p w_p F(v_p) on weighted points, v of mean one there, as a function of coefficients.

F is that of a functional E_F = ∫F(v) dμ_Ω, eq. (B.12), or that of the σ-measure, eq. (B.11).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import GeomflowError, InputError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.given import given
from geomflow.variety.measures import normalised

_SMALLEST = 1e-6


@dataclass(frozen=True)
class Density:
    """F and its first two derivatives in v, from a text such as "(v - 1)^2" or "v*log(v)"; convex at v = 1.

    Parameters
    ----------
    text : str
        F as it was given.
    value, first, second : Node
        F, F' and F'' as expressions in v.
    """

    text: str
    value: gr.Node
    first: gr.Node
    second: gr.Node

    @classmethod
    def of(cls, source: str | sympy.Expr) -> Density:
        """Read F; raises `InputError` where F is not convex at v = 1, so that Ricci-flat metrics are not minima.

        Parameters
        ----------
        source : str or expression
            F(v).
        """
        v = sympy.Symbol("v", positive=True)
        expression = given(source, {"v": v})
        expression = expression.xreplace(dict.fromkeys(expression.free_symbols, v))
        node, leaf = from_sympy(expression), gr.symbol("v")
        first = gr.partial(node, leaf)
        second = gr.partial(first, leaf)
        density = cls(str(source), node, first, second)
        curvature = float(density.evaluate(np.ones(1))[2][0])
        if not curvature > 0:
            raise InputError(
                f"F(v) = {source} has F''(1) = {curvature:g}: it must be positive for v = 1 to be the minimum"
            )
        return density

    def evaluate(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """F, F', F'' at v.

        Parameters
        ----------
        v : array
            Of any shape.
        """
        values = gr.evaluate([self.value, self.first, self.second], {gr.symbol("v"): v})
        return tuple(np.broadcast_to(np.asarray(x, dtype=float), v.shape) for x in values)  # type: ignore[return-value]


class Loss(Protocol):
    """A function F of v, least at v = 1 where it is zero."""

    @property
    def text(self) -> str:
        """F as it was given."""

    def evaluate(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """F, F' and a positive curvature for Gauss–Newton steps (F'' where that is positive).

        Parameters
        ----------
        v : (P,) array
            Of mean one.
        """


@final
@dataclass(frozen=True)
class SigmaLoss:
    """F = |v − 1|, whose integral is the σ-measure, eq. (B.11); as curvature 1/|v − 1| (reweighted least squares).

    Parameters
    ----------
    text : str
        "sigma".
    """

    text: str = "sigma"

    def evaluate(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """|r|, sign r and 1/max(|r|, a tenth of its mean) with r = v − 1."""
        size = np.abs(v - 1)
        return size, np.sign(v - 1), 1 / np.maximum(size, 0.1 * size.mean() + 1e-12)


@final
@dataclass(frozen=True)
class EnergyLoss:
    """F(v) − F(1) − F'(1)(v − 1) of a functional E_F, eq. (B.12): ∫v dμ_Ω is fixed, so E_F loses only a constant.

    Parameters
    ----------
    density : Density
        F.
    """

    density: Density

    @classmethod
    def of(cls, source: str | sympy.Expr) -> EnergyLoss:
        """Of F as text; raises `InputError` as `Density.of` does.

        Parameters
        ----------
        source : str or expression
            F(v).
        """
        return cls(Density.of(source))

    @property
    def text(self) -> str:
        """F as it was given."""
        return self.density.text

    @cached_property
    def _at_one(self) -> tuple[float, float]:
        value, slope, _ = self.density.evaluate(np.ones(1))
        return float(value[0]), float(slope[0])

    def evaluate(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The tilted F, F' and F'' (at least a thousandth of its largest); v at most 1e-6 counts as 1e-6."""
        value, slope, curvature = self.density.evaluate(np.maximum(v, _SMALLEST))
        level, tilt = self._at_one
        bounded = np.maximum(curvature, 1e-3 * np.abs(curvature).max())
        return value - level - tilt * (v - 1), slope - tilt, bounded


def loss_of(source: str | Loss) -> Loss:
    """ "sigma", or the text of F as in "(v - 1)^2" and "v*log(v)"; raises `InputError` for anything else.

    Parameters
    ----------
    source : str or Loss
        What to read.
    """
    if not isinstance(source, str):
        return source
    if source == "sigma":
        return SigmaLoss()
    try:
        return EnergyLoss.of(source)
    except GeomflowError as error:
        raise InputError(
            f"unknown loss {source!r}: give 'sigma' or F as a function of v that is convex at v = 1, "
            f"as in '(v - 1)^2' or 'v*log(v)' ({error})"
        ) from None


#: A goal that a line search lowers, of an evaluation and its coefficients.
Goal = Callable[["Evaluation", np.ndarray], float]


@final
@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an objective sees at some coefficients. Where there is no v all numbers are NaN.

    Parameters
    ----------
    v : (P,) array
        Of mean one.
    energy : float
        E.
    sigma : float
        σ.
    least : float
        Positive where the metric is at all points: the least pivot of g over Fubini–Study where that is known.
    at : object
        What derivatives are taken from.
    """

    v: np.ndarray
    energy: float
    sigma: float
    least: float
    at: Any


class Objective(ABC):
    """Coefficients to metrics on points: `evaluate` says what is there. `weights` (P,) of sum one, `loss` F."""

    weights: np.ndarray
    loss: Loss

    @abstractmethod
    def evaluate(self, coefficients: np.ndarray) -> Evaluation:
        """What is at these coefficients.

        Parameters
        ----------
        coefficients : array
            Where to look.
        """

    def seen(self, volume: np.ndarray, least: float, at: Any) -> Evaluation:
        """The evaluation of a metric whose volume over |Ω|² is `volume` (P,), up to a factor.

        Parameters
        ----------
        volume : (P,) array
            det g/|Ω|² up to a factor.
        least : float
            As in `Evaluation`.
        at : object
            As in `Evaluation`.
        """
        v, _, sigma = normalised(volume, self.weights)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            energy = self.weights @ self.loss.evaluate(v)[0]
        return Evaluation(v, float(energy), sigma, least, at)

    def seen_in_logarithms(self, log_volume: np.ndarray, at: Any) -> Evaluation:
        """As `seen`, from the logarithm of the volume, which is not finite where the metric is not positive.

        Parameters
        ----------
        log_volume : (P,) array
            log det g/|Ω|² up to a constant.
        at : object
            As in `Evaluation`.
        """
        if not np.all(np.isfinite(log_volume)):
            return Evaluation(np.full(len(log_volume), np.nan), np.nan, np.nan, -np.inf, at)
        return self.seen(np.exp(log_volume - log_volume.max()), np.inf, at)

    def residual(self, evaluation: Evaluation) -> tuple[np.ndarray, np.ndarray]:
        """√(wF'') and r = √(w/F'') F': E ≈ const + ½ |√(wF'') δv + r|². F' is of mean zero, F'' bounded below.

        Parameters
        ----------
        evaluation : Evaluation
            Where.
        """
        _, first, second = self.loss.evaluate(evaluation.v)
        scale = np.sqrt(self.weights * np.maximum(second, 1e-3 * second.max()))
        return scale, self.weights * (first - self.weights @ first) / scale


def energy(evaluation: Evaluation, coefficients: np.ndarray) -> float:
    """E, as a goal."""
    return evaluation.energy


def shortened(
    objective: Objective, here: np.ndarray, start: float, move: np.ndarray, *, length: float = 1.0,
    goal: Goal = energy, halvings: int = 20, least: float = 0.0,
) -> tuple[float, np.ndarray, Evaluation] | None:
    """The first of length, length/2, … at which the goal is below `start` and the metric positive, and what is there.

    Pivots below `least` do not count as positive.

    Parameters
    ----------
    objective : Objective
        What is lowered.
    here : array
        The coefficients to start at.
    start : float
        The goal there.
    move : array
        The step of length one.
    length : float
        The first that is tried.
    goal : function
        Of an evaluation and its coefficients.
    halvings : int
        How many lengths are tried.
    least : float
        Pivots below it do not count as positive.
    """
    for _ in range(halvings if np.isfinite(move).all() else 0):
        tried = here + length * move
        evaluation = objective.evaluate(tried)
        if evaluation.least > least and goal(evaluation, tried) < start:
            return length, tried, evaluation
        length /= 2
    return None
