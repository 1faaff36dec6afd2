"""Numbers watched along a kernel flow: how fast the loss falls, and what the kernel leaves of the gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class KernelMonitors:
    """The monitors of one action: c is what the kernel acts on, in the inner product (c, c') = ∫ Σ_ij c_ij c'_ij dx.

    dissipation  (c, Θc): d(energy)/dt = −dissipation, where the flow without the kernel is a gradient flow
    retained     (c, Θc)/(c, c'), with c' what the delta function makes of c: the share of the dissipation that is left
    alignment    retained/‖K‖: one where the gradient lies in the top eigenspace of the kernel, of norm `norm`; evolving
                 kernels on potentials can exceed that by what w varies

    Where the gradient vanishes, retained and alignment are zero.
    """

    multiplicity: np.ndarray
    volume: float
    norm: float
    descends: bool

    def __call__(self, covector: np.ndarray, smoothed: np.ndarray, local: np.ndarray) -> dict[str, float]:
        """The monitors for c, Θc and c', packed."""
        product = self._pair(covector, smoothed)
        square = self._pair(covector, local)
        retained = product / square if square > 0 else 0.0
        found = {"alignment": retained / self.norm, "retained": retained}
        return {"dissipation": product, **found} if self.descends else found

    def _pair(self, first: np.ndarray, second: np.ndarray) -> float:
        sums = [float(np.vdot(a, b)) for a, b in zip(first, second, strict=True)]
        return float(self.multiplicity @ sums) * self.volume / first[0].size
