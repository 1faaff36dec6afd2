"""Exponentials with the beginning of their series taken away and divided by what vanishes at a pole.

A smooth closing, ψ = r e^{L + r² w}, leaves (e^{c ρ² w} − 1 − …)/ρ^{2k} in reduced equations; here these are functions
of w without cancellation.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError

LARGEST = 5
"""The highest k: up to it nothing cancels where recurrence begins."""

SERIES_TO, TERMS = 4.0, 36
"""|z| up to which series are summed, and their terms, which reach 1e-20 there."""


@dataclass(frozen=True)
class Closing:
    """Φ_k = (e^{c ρ² w} − Σ_{j<k} (c ρ² w)^j/j!)/ρ^{2k} of an unknown w and a given ρ², k = 0, …, 5.

    In graphs they are the symbols `symbol(k)`; ∂Φ_k/∂w = c Φ_{k−1} and ∂Φ_0/∂w = c ρ² Φ_0.

    Parameters
    ----------
    unknown, static : str
        The names of w and of ρ².
    factor : int or Fraction
        c.
    name : str
        What symbols begin with: "closing" makes closing_2_w of Φ_2; functions with other factors need other names.
    """

    unknown: str
    static: str
    factor: int | Fraction
    name: str = "closing"

    def symbol(self, k: int) -> gr.Node:
        """The node of Φ_k.

        Parameters
        ----------
        k : int
            0 to 5.
        """
        if not 0 <= k <= LARGEST:
            raise InputError(f"Φ_k is computed for k = 0, …, {LARGEST}, not for k = {k}")
        return gr.symbol(f"{self.name}_{k}_{self.unknown}")

    @property
    def symbols(self) -> tuple[gr.Node, ...]:
        """The nodes of all Φ_k."""
        return tuple(self.symbol(k) for k in range(LARGEST + 1))

    def slope(self, k: int) -> gr.Node:
        """∂Φ_k/∂w.

        Parameters
        ----------
        k : int
            0 to 5.
        """
        lower = self.symbol(k - 1) if k else gr.symbol(self.static) * self.symbol(0)
        return gr.constant(self.factor) * lower

    def values(self, w: np.ndarray, rho_squared: np.ndarray) -> np.ndarray:
        """All Φ_k, (6, N): (c w)^k φ_k(c ρ² w); infinite where they are too large.

        Parameters
        ----------
        w, rho_squared : (N,) array
            The unknown and ρ².
        """
        speed = float(self.factor) * w
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(speed ** np.arange(LARGEST + 1)[:, None] * remainders(speed * rho_squared))


def remainders(z: np.ndarray) -> np.ndarray:
    """φ_k(z) = (e^z − Σ_{j<k} z^j/j!)/z^k = Σ_m z^m/(m + k)!, k = 0, …, 5, (6, N)."""
    small = np.abs(z) < SERIES_TO
    return np.where(small, _by_series(np.where(small, z, 0.0)), _by_recurrence(np.where(small, SERIES_TO, z)))


def _by_series(z: np.ndarray) -> np.ndarray:
    found = np.zeros((LARGEST + 1, *z.shape))
    found[LARGEST] = 1 / factorial(LARGEST)
    term = found[LARGEST].copy()
    for m in range(1, TERMS):
        term = term * z / (m + LARGEST)
        found[LARGEST] += term
    for k in range(LARGEST, 0, -1):
        found[k - 1] = z * found[k] + 1 / factorial(k - 1)
    found[0] = np.exp(z)
    return found


def _by_recurrence(z: np.ndarray) -> np.ndarray:
    found = np.empty((LARGEST + 1, *z.shape))
    found[0] = np.exp(z)
    for k in range(1, LARGEST + 1):
        found[k] = (found[k - 1] - 1 / factorial(k - 1)) / z
    return found
