"""The linearised Ricci–DeTurck flow at the round sphere S^{n+1}, from a reduced equation, a basis and its Jacobian."""

import numpy as np
import pytest

from geomflow.core import graph as gr
from geomflow.field.bases import Clustered, Legendre
from geomflow.field.reduced import Closing, Evaluated


def normalised(basis, n):
    """Rates of L, w in χ = e^L, ψ = r e^{L + r² w}, r² = 1 − ξ², plus n: the round sphere of radius one is fixed."""
    L, L1, L2 = (gr.jet("L", (k,)) for k in range(3))
    w, w1, w2 = (gr.jet("w", (k,)) for k in range(3))
    xi, rr, closing = gr.symbol("xi"), gr.symbol("rr"), Closing("w", "rr", -2)
    d, d1 = L1 - 2 * xi * w + rr * w1, L2 - 2 * w - 4 * xi * w1 + rr * w2
    scale = gr.exp(-2 * L)
    radial = 1 + 3 * xi * d - xi * L1 - rr * (d1 + d**2 - d * L1)
    quotient = 2 * w + xi * w1 - closing.symbol(2) - d1 + d * L1  # (K₀ − K₁) e^{2L}/r²
    rate_l = n + scale * (rr * L2 - xi * L1 - rr * L1**2 - n * radial)
    rate_w = scale * ((n - 1) * quotient - L2 + L1 * d + L1**2)
    return Evaluated([rate_l, rate_w], ["L", "w"], [basis, basis.limited(2)],
                     {"xi": basis.points[0], "rr": basis.sine_squared}, closings=[closing])


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("basis", [Legendre(24, 0.0, np.pi), Legendre(24, 0.0, np.pi, modes=23)])
def test_no_mode_is_spurious(basis, n):
    """2n for scaling, 2n − k(k + n) for k ≥ 2, and −k² of the gauge: eigenvalues of polynomials of degrees k.

    Both are of triangular matrices, where rounding moves double eigenvalues by its square root.
    """
    rates, values = normalised(basis, n), np.zeros((2, basis.size))
    assert np.abs(rates(values, {})).max() < 1e-12
    matrix = rates.jacobian(values, {}).reshape(2, basis.size, 2, basis.size)
    pieces = [b.analysis for b in rates.each], [b.modes_at_nodes for b in rates.each]
    inner = np.block([[pieces[0][i] @ matrix[i, :, j] @ pieces[1][j] for j in range(2)] for i in range(2)])
    found = np.linalg.eigvals(inner)
    curvature = [2 * n, *(2 * n - k * (k + n) for k in range(2, basis.kept))]
    gauge = [-k * k for k in range(1, basis.kept)]
    wanted = np.sort([*curvature, *gauge])
    assert np.abs(found.imag).max() < 1e-4
    assert np.abs(np.sort(found.real) - wanted).max() < 1e-4
    assert found.real.max() == pytest.approx(2 * n, rel=1e-10)


def test_the_round_sphere_is_fixed_in_clustered_nodes():
    basis = Clustered(48, 0.0, np.pi, ((np.pi / 2, 4.0),))
    assert np.abs(normalised(basis, 2)(np.zeros((2, 48)), {})).max() < 1e-12
