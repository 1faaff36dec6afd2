"""Flows reduced to ansätze: the equations of the textbooks, decided, and flows that leave the ansatz, named."""

import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.symbolic import is_zero

CHI, PSI = (sympy.Function(name, positive=True) for name in ("chi", "psi"))


def sphere(n: int) -> gf.Ansatz:
    """χ² dx² + ψ² g_{S^n} on (0, π)."""
    angles = [f"theta{k}" for k in range(1, n + 1)]
    chart = gf.Chart(["x", *angles], ranges={"x": (0, sympy.pi), **dict.fromkeys(angles[:-1], (0, sympy.pi))},
                     periods={angles[-1]: 2 * sympy.pi})
    x, *thetas = chart.symbols
    factors = [sympy.Integer(1)]
    for theta in thetas[:-1]:
        factors.append(factors[-1] * sympy.sin(theta) ** 2)
    rows = sympy.diag(CHI(x) ** 2, *(PSI(x) ** 2 * factor for factor in factors))
    return gf.Ansatz(gf.Metric(chart, rows), domain=gf.Interval(0, "pi"))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_ricci_flow_of_warped_spheres_is_that_of_the_textbooks(n: int) -> None:
    """χ_t = n χ ψ_ss/ψ, ψ_t = ψ_ss − (n−1)(1 − ψ_s²)/ψ with ∂_s = ∂_x/χ (Angenent and Knopf 2004)."""
    ansatz = sphere(n)
    (x,) = (s for s in ansatz.metric.chart.symbols if s.name == "x")
    chi, psi = CHI(x), PSI(x)
    slope = psi.diff(x) / chi
    bend = slope.diff(x) / chi
    found = ansatz.reduce(gf.RicciFlow())
    assert is_zero(found["chi"] - n * chi * bend / psi, ansatz.metric.chart).decided()
    assert is_zero(found["psi"] - bend + (n - 1) * (1 - slope**2) / psi, ansatz.metric.chart).decided()


def test_the_component_that_a_flow_changes_and_the_ansatz_does_not_is_named() -> None:
    torus = gf.Chart("x y z", periods=dict.fromkeys("xyz", 1))
    ansatz = gf.Ansatz(gf.Metric(torus, [["u(x)", "0", "0"], ["0", "u(x)", "0"], ["0", "0", "u(x)"]], functions="u"))
    with pytest.raises(InputError, match="g_yy"):
        ansatz.reduce(gf.RicciFlow())
