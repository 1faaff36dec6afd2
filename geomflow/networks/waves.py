"""Series of cosines and sines of linear phases."""

from __future__ import annotations

import numpy as np

from geomflow.networks.series import Series


def wave_series(phases: np.ndarray, waves: np.ndarray, series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Taylor coefficients, (C, p, m) each, of cos φ and sin φ by x, where φ = x·k + b.

    `phases` (p, m) are the φ and `waves` (d, m) the wave vectors k: ∂^α cos φ = k^α cos(φ + |α| π/2).
    """
    cosine, sine = np.cos(phases), np.sin(phases)
    turns = ((cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine))
    out = np.empty((2, series.channels, *phases.shape))
    for channel, (index, factorial) in enumerate(zip(series.indices, series.factorials)):
        factor = np.prod(waves ** np.array(index)[:, None], axis=0) / factorial
        for target, turned in zip(out[:, channel], turns[sum(index) % 4]):
            np.multiply(turned, factor, out=target)
    return out[0], out[1]
