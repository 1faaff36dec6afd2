"""Points of the Fermat quintic with |Ω|² and pull-backs by MLGeometry-JAX, a second; run by an interpreter that has it.

    python benchmarks/elsewhere/mlgeometry_points.py LINES
"""

from __future__ import annotations

import sys
import time

import sympy
from MLGeometry.hypersurface import Hypersurface


def rate(lines: int) -> float:
    """Points a second from so many lines, five points on each."""
    start = time.perf_counter()
    coordinates = sympy.symbols("z0:5")
    whole = Hypersurface(coordinates, sum(z**5 for z in coordinates), lines)
    patches = [patch for chart in whole.patches for patch in chart.patches]
    for patch in patches:
        patch.num_Omega_Omegabar_jax()
        patch.num_restriction_jax()
    return sum(patch.n_points for patch in patches) / (time.perf_counter() - start)


if __name__ == "__main__":
    print(rate(int(sys.argv[1])))
