"""Perelman's λ of metrics with symmetry: of round spheres, on tori as without symmetry, and along Ricci flow."""

import numpy as np
import pytest

import geomflow as gf


def test_lambda_of_a_round_sphere_is_its_scalar_curvature() -> None:
    for n in (1, 2, 3):
        sphere = gf.catalogue.ansatz("sphere", n=n).grid(24).state(chi="2", psi="2*sin(x)")
        assert sphere.perelman_lambda() == pytest.approx(n * (n + 1) / 4, abs=1e-10)
    assert gf.catalogue.ansatz("su2").state(A=1, B=1, C=1).perelman_lambda() == pytest.approx(6, abs=1e-12)


def test_lambda_and_energies_of_a_torus_are_those_without_symmetry() -> None:
    """diag(a², b², b²) of functions of x alone on T³: λ, ∫R², ∫|Ric|² and the volume, on a grid of the torus too."""
    chart = gf.Chart("x y z", periods=dict.fromkeys("xyz", 1))
    metric = gf.Metric(chart, [["a(x)^2", "0", "0"], ["0", "b(x)^2", "0"], ["0", "0", "b(x)^2"]], functions="a b")
    a, b = "1 + cos(2*pi*x)/10", "1 + sin(2*pi*x)/8"
    reduced = gf.Ansatz(metric).grid(48).state(a=a, b=b)
    torus = gf.Torus(dim=3)
    grid = torus.grid((48, 1, 1), scheme="spectral")
    whole = grid.metric([[f"({a})^2", "0", "0"], ["0", f"({b})^2", "0"], ["0", "0", f"({b})^2"]])
    assert reduced.perelman_lambda() == pytest.approx(gf.functionals.PerelmanLambda(torus)(whole), abs=1e-8)
    for text in ("R^2", "Ric2"):
        energy = gf.functionals.Functional.from_density(torus, text)
        assert reduced.integral(text) == pytest.approx(energy(whole), rel=1e-8)
    assert reduced.volume() == pytest.approx(whole.volume(), rel=1e-12)


@pytest.mark.parametrize("psi", ["sin(x)*sqrt(1 - 1/2*sin(x)^2)", "sin(x)*(1 + sin(x)^2/3)"])
def test_lambda_does_not_fall_along_ricci_flow(psi: str) -> None:
    start = gf.catalogue.ansatz("sphere", n=2).grid(48).state(chi="1", psi=psi)
    sol = gf.solve(gf.RicciFlow(), start, 0.1, save_at=10)
    values = [state.perelman_lambda() for state in sol.states]
    assert (np.diff(values) > 0).all()
