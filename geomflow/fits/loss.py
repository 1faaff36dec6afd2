"""What a fit minimises: F of the functionals E_F = ∫F(v) dμ_Ω, eq. (B.12), and that of the σ-measure, eq. (B.11)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import GeomflowError, InputError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.given import given

_SMALLEST = 1e-6


@dataclass(frozen=True)
class Density:
    """F and its first two derivatives in v, from a text such as "(v - 1)^2" or "v*log(v)"; convex at v = 1."""

    text: str
    value: gr.Node
    first: gr.Node
    second: gr.Node

    @classmethod
    def of(cls, source: str | sympy.Expr) -> Density:
        """Read F; raises `InputError` where F is not convex at v = 1, so that Ricci-flat metrics are not minima."""
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
        """F, F', F'' at v."""
        values = gr.evaluate([self.value, self.first, self.second], {gr.symbol("v"): v})
        return tuple(np.broadcast_to(np.asarray(x, dtype=float), v.shape) for x in values)  # type: ignore[return-value]


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

    @classmethod
    def of(cls, source: str | sympy.Expr) -> EnergyLoss:
        """Of F as text; raises `InputError` as `Density.of` does."""
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
    """ "sigma", or the text of F as in "(v - 1)^2" and "v*log(v)"; raises `InputError` for anything else."""
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
