"""How the scalar curvature of a Kähler metric moves with its potential, to first order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geomflow.variety.jets import from_jets


class CurvatureSlopes(NamedTuple):
    """δR = Re(Σ second ψ_{ab̄} + 2 third ψ_{acb̄} + fourth ψ_{acb̄d̄}) for δg = ∂∂̄ψ, of shapes (p, n, …)."""

    second: NDArray[np.complex128]
    third: NDArray[np.complex128]
    fourth: NDArray[np.complex128]

    def along(self, second: np.ndarray, third: np.ndarray, fourth: np.ndarray) -> np.ndarray:
        """δR of functions with these derivatives, (p, m).

        Parameters
        ----------
        second, third, fourth : (p, n, n, m), (p, n, n, n, m) and (p, n, n, n, n, m) arrays
            ψ_{ab̄}, ψ_{acb̄} and ψ_{acb̄d̄}.
        """
        found = [np.einsum("pi,pim->pm", c.reshape(len(c), -1), psi.reshape(len(c), -1, psi.shape[-1])).real
                 for c, psi in zip(self, (second, third, fourth), strict=True)]
        return np.asarray(found[0] + 2 * found[1] + found[2])

    def at(self, rows: slice) -> CurvatureSlopes:
        """Those at some of the points.

        Parameters
        ----------
        rows : slice
            Which.
        """
        return CurvatureSlopes(*(part[rows] for part in self))


def curvature_slopes(second: np.ndarray, third: np.ndarray, fourth: np.ndarray) -> CurvatureSlopes:
    """The derivative of R = 2 g^{ab̄} g^{cd̄} (−φ_{acb̄d̄} + g^{ef̄} φ_{acf̄} φ_{eb̄d̄}) by the derivatives of φ.

    In a Kähler metric it is δR = −2 Δ_∂̄² ψ − 2 R^{ab̄} ψ_{ab̄} with Δ_∂̄ = g^{ab̄} ∂_a∂_b̄.

    Parameters
    ----------
    second, third, fourth : (p, n, n), (p, n, n, n) and (p, n, n, n, n) arrays
        g_{ab̄}, φ_{acb̄} and φ_{acb̄d̄}, as `PolarisedMetric.jets`.
    """
    known = from_jets(second, third, fourth)
    g, barred = known.inverse, third.conj()
    ricci = np.einsum("pah,pkb,pab->pkh", g, g, known.ricci)
    square = np.einsum("peh,pkf,pab,pcd,pacf,pbde->pkh", g, g, g, g, third, barred, optimize=True)
    turned = np.einsum("pab,pcd,pef,pbde->pacf", g, g, g, barred, optimize=True)
    return CurvatureSlopes(-4 * ricci - 2 * square, 2 * turned, -2 * np.einsum("pab,pcd->pacbd", g, g))
