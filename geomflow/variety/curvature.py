"""Riemann, Ricci and scalar curvature of a Kähler metric from the derivatives of its potential."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Curvature:
    """Curvature at points: `riemann[p, a, b, c, d]` = R_{ab̄cd̄}, `ricci[p, a, b]` = R_{ab̄},
    `scalar[p]` = R = 2 g^{ab̄}R_{ab̄}.

    `endomorphism[p, c, d, a, b]` is R^c_d as a (1, 1)-form: Θ^c_d = R^c_{d ab̄} dx^a∧dx̄^b.
    """

    metric: np.ndarray
    riemann: np.ndarray

    @property
    def inverse(self) -> np.ndarray:
        """g^{ab̄} as [a, b]: Σ_b g^{ab̄} g_{cb̄} = δ^a_c."""
        return np.swapaxes(np.linalg.inv(self.metric), -1, -2)

    @property
    def ricci(self) -> np.ndarray:
        """R_{ab̄} = g^{cd̄} R_{ab̄cd̄} = −∂_a∂_b̄ log det g."""
        return np.einsum("...cd,...abcd->...ab", self.inverse, self.riemann)

    @property
    def scalar(self) -> np.ndarray:
        """R = 2 g^{ab̄} R_{ab̄}, the Riemannian scalar curvature."""
        return 2 * np.einsum("...ab,...ab->...", self.inverse, self.ricci).real

    @property
    def endomorphism(self) -> np.ndarray:
        """R^c_{d ab̄} = g^{ce̅} R_{ab̄de̅} as [c, d, a, b]."""
        return np.einsum("...ce,...abde->...cdab", self.inverse, self.riemann)


def from_jets(second: np.ndarray, third: np.ndarray, fourth: np.ndarray) -> Curvature:
    """R_{ab̄cd̄} = −K_{acb̄d̄} + g^{ef̄} K_{acf̄} K_{eb̄d̄}, from `VarietyMetric.jets`."""
    inverse = np.swapaxes(np.linalg.inv(second), -1, -2)
    raised = np.einsum("...acf,...ef->...ace", third, inverse)
    riemann = np.einsum("...ace,...bde->...acbd", raised, third.conj()) - fourth
    return Curvature(second, np.einsum("...acbd->...abcd", riemann))
