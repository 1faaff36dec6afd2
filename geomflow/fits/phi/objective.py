"""What a φ-network minimises: E_F = ∫F(v) dμ_Ω or the σ-measure, on weighted points, with its derivatives by ∂∂̄φ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, final

import numpy as np

from geomflow.core.errors import GeomflowError, InputError
from geomflow.fits.density import Density
from geomflow.fits.phi.inputs import ProjectiveInputs
from geomflow.variety.routines import hermitian

if TYPE_CHECKING:
    from geomflow.variety.points import Points

_SMALLEST = 1e-6


class Loss(Protocol):
    """A function F of v, least at v = 1 where it is zero."""

    text: str

    def evaluate(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """F, F' and a positive curvature for Gauss–Newton steps (F'' where that is positive)."""


@final
@dataclass(frozen=True)
class SigmaLoss:
    """F = |v − 1|, whose integral is the σ-measure, eq. (B.11); as curvature 1/|v − 1| (reweighted least squares)."""

    text: str = "sigma"

    def evaluate(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """|r|, sign r and 1/max(|r|, a tenth of its mean) with r = v − 1."""
        size = np.abs(v - 1)
        return size, np.sign(v - 1), 1 / np.maximum(size, 0.1 * size.mean() + 1e-12)


@final
@dataclass(frozen=True)
class EnergyLoss:
    """F(v) − F(1) − F'(1)(v − 1) of a functional E_F, eq. (B.12): ∫v dμ_Ω is fixed, so E_F loses only a constant."""

    density: Density

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
    """ "sigma", or the text of F as in "(v - 1)^2" and "v*log(v)"; raises `InputError` for anything else."""
    if not isinstance(source, str):
        return source
    if source == "sigma":
        return SigmaLoss()
    try:
        return EnergyLoss(Density.of(source))
    except GeomflowError as error:
        raise InputError(
            f"unknown loss {source!r}: give 'sigma' or F as a function of v that is convex at v = 1, "
            f"as in '(v - 1)^2' or 'v*log(v)' ({error})"
        ) from None


@final
@dataclass(frozen=True, eq=False)
class Objective:
    """Points with everything that v needs: v = ratio · det(1 + H) / κ, with H = ∂∂̄φ in the orthonormal frame of g_FS.

    `ratio` (P,) is det g_FS/|Ω|² up to one factor; `weights` (P,) sum to one.
    """

    inputs: ProjectiveInputs
    ratio: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, points: Points, kahler_class: tuple[float, ...]) -> Objective:
        """At points of a variety."""
        inputs = ProjectiveInputs.of(points, kahler_class)
        level = inputs.log_determinant() - np.log(points.omega2)
        return cls(inputs, np.exp(level - level.mean()), points.weights / points.weights.sum())

    @cached_property
    def _cumulated(self) -> np.ndarray:
        total = np.cumsum(self.weights)
        return total / total[-1]

    def draw(self, count: int, key: list[int]) -> Objective:
        """`count` points drawn from dμ_Ω (with probabilities `weights`), the same for the same key."""
        chances = np.random.default_rng(key).random(count)
        index = np.searchsorted(self._cumulated, chances, side="right")
        return Objective(self.inputs.take(index), self.ratio[index], np.full(count, 1 / count))

    def take(self, index: np.ndarray) -> Objective:
        """The points of these numbers, their weights of sum one."""
        weights = self.weights[index]
        return Objective(self.inputs.take(index), self.ratio[index], weights / weights.sum())

    def volume(self, hessian: np.ndarray, block: slice = slice(None)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ratio · det(1 + H) = κ v, its derivative by the packed H, the least pivot of 1 + H (<= 0: not positive)."""
        hessian = np.asarray(hessian, dtype=float)
        value, dual, least = np.empty(len(hessian)), np.empty(hessian.shape), np.empty(len(hessian))
        hermitian.determinants(hessian, self.inputs.n, value, dual, least)
        ratio = self.ratio[block]
        with np.errstate(over="ignore", invalid="ignore"):
            return value * ratio, dual * ratio[:, None], least

    def quality(self, hessian: np.ndarray) -> tuple[float, float, float]:
        """κ, σ with v of mean one on these points, and the least pivot of 1 + H."""
        volume, _, least = self.volume(hessian)
        with np.errstate(over="ignore", invalid="ignore"):
            kappa = float(self.weights @ volume)
            return kappa, float(self.weights @ np.abs(volume / kappa - 1)), float(least.min())
