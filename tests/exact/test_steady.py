"""Where flows stand still: Einstein metrics and solitons by Newton's method, and how small changes of them grow."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

import geomflow as gf
from geomflow.core.errors import ConvergenceError, InputError, UnknownNameError

BLOWN_UP = gf.catalogue.ansatz("taub", ends=("bolt", "bolt"), k=1)
JOIN = gf.catalogue.ansatz("join", p=2, q=2)
SQUASHED = {"chi": 2, "psi1": "sin(x)*(8/5*cos(x)^2 + 2/5)*(1 - sin(2*x)^2/5)",
            "psi2": "cos(x)*(8/5*sin(x)^2 + 2/5)*(1 - sin(2*x)^2/5)"}


@pytest.mark.parametrize("n, rates", [
    (2, [(4 - k * (k + 2)) / 2 for k in (0, 2, 3, 4, 5, 6)]), (3, [(6 - k * (k + 3)) / 3 for k in (0, 2, 3, 4, 5)])])
def test_the_round_sphere_is_found_with_the_rates_of_its_harmonics(n, rates):
    """Ric = g on the sphere of radius √n; at radius one modes of degree k grow at 2n − k(k + n), k = 1 is a gauge."""
    found = gf.catalogue.ansatz("sphere", n=n).soliton("shrinking", 32, chi="1", psi="sin(x)*sqrt(1 - sin(x)^2/4)")
    assert found.state["chi"] == pytest.approx(np.sqrt(n), abs=1e-11)
    assert np.ptp(found.potential) < 1e-9
    assert found.error < 1e-10
    assert found.spectrum[:len(rates)] == pytest.approx(rates, abs=1e-7)


def test_an_einstein_metric_of_boehm():
    """R = 5 and |Ric|² = 5 everywhere, which is Ric = g on S⁵; not round, of less volume; unstable beside its scale."""
    found = JOIN.soliton("shrinking", 64, **SQUASHED)
    assert found.error < 1e-9
    for text in ("R", "Ric2"):
        assert found.state.scalar(text) == pytest.approx(np.full(64, 5.0), abs=1e-7)
    assert found.state.scalar("Rm2").max() > 10
    round_one = JOIN.soliton("shrinking", 32)
    assert found.state.volume() < 0.7 * round_one.state.volume()
    assert round_one.state.volume() == pytest.approx(np.pi**3 * 2**5, rel=1e-12)
    growing = found.spectrum[found.spectrum.real > 1e-6].real
    assert len(growing) == 4
    assert np.abs(growing - 2).min() < 1e-7


def test_pages_metric():
    """On CP² # −CP²: a² ∝ 1 − ν²x², |x| ≤ 1, ν⁴ + 4ν³ − 6ν² + 12ν = 3 (D. Page, Phys. Lett. B 79, 1978); Ric = g."""
    found = BLOWN_UP.soliton("shrinking", 48, chi=1, a=1, b="sin(x)")
    nu = next(root.real for root in np.roots([1, 4, -6, 12, -3]) if abs(root.imag) < 1e-9 and root.real > 0)
    low, middle, high = found.state.at("a", [0.0, np.pi / 2, np.pi])
    assert [(low / middle) ** 2, (high / middle) ** 2] == pytest.approx([1 - nu**2] * 2, abs=1e-10)
    for text in ("R", "Ric2"):
        assert found.state.scalar(text) == pytest.approx(np.full(48, 4.0), abs=1e-8)
    assert np.sum(found.spectrum.real > 1e-6) == 3


def test_koiso_and_cao():
    """y = a²/2 from 1 to 3 and f = α (y − 1), ∫_1^3 e^{−αy} y (2 − y) dy = 0 (N. Koiso, 1990; H.-D. Cao, 1996)."""
    found = BLOWN_UP.soliton("shrinking", 48, chi=1, a="sqrt(4 - 2*cos(x))", b="sin(x)")
    alpha = brentq(lambda v: quad(lambda y: np.exp(-v * y) * y * (2 - y), 1, 3, epsabs=1e-13)[0], 0.1, 1, xtol=1e-14)
    assert found.state.at("a", [0.0, np.pi]) == pytest.approx(np.sqrt([2, 6]), abs=1e-11)
    y = found.state["a"] ** 2 / 2
    assert found.potential == pytest.approx(alpha * (y - 1), abs=1e-10)
    assert found.error < 1e-11


def test_the_error_is_what_a_finer_grid_tells():
    coarse, fine = (JOIN.soliton("shrinking", n, **SQUASHED) for n in (40, 80))
    off = np.abs(coarse.state.on(fine.state.grid).packed - fine.state.packed).max()
    assert off / 3 < coarse.error < 3 * off


def test_homogeneous_metrics():
    """Ric = g at A = B = C = 2; there the scale grows at 2, and the two other changes decay at −4."""
    found = gf.catalogue.ansatz("su2").soliton("shrinking", A=1, B=1, C=1.5)
    assert found.state["A"] == pytest.approx(2, rel=1e-12)
    assert found.spectrum == pytest.approx([2, -4, -4], abs=1e-9)
    same = gf.catalogue.ansatz("su2").steady("-2*Ric + 2/3*mean(R)*g", A=1, B=2, C=1.5)
    assert same.state["A"] == pytest.approx(same.state["C"], rel=1e-10)
    assert same.residual < 1e-12


def test_a_flow_run_from_a_steady_state_stays_there():
    found = gf.catalogue.ansatz("sphere", n=2).steady("-2*Ric + 2*g", 24)
    sol = gf.solve(gf.Flow.from_expression("-2*Ric + 2*g"), found.state, 0.1)
    assert np.abs(sol.last.packed - found.state.packed).max() < 1e-10


@pytest.mark.parametrize("name, kind, options", [
    ("product", "shrinking", {"spheres": (2,), "flat": 1}), ("bianchi", "expanding", {"type": "I"}),
    ("sphere-circle", "shrinking", {"n": 2}), ("sphere-circle", "steady", {"n": 2}),
    ("torus-sphere", "shrinking", {"k": 1, "n": 2})])
def test_where_there_is_none_none_is_found(name, kind, options):
    """A flat factor of fixed length has no λ beside 0, and S² × S¹ no metric without Ricci curvature."""
    ansatz = gf.catalogue.ansatz(name, **options)
    with pytest.raises(ConvergenceError, match=r"Perhaps there is none|Begin closer"):
        ansatz.soliton(kind, *([24] if ansatz.coordinates else []))


def test_what_is_not_found():
    ansatz = gf.catalogue.ansatz("su2")
    with pytest.raises(ConvergenceError, match="runs away"):
        ansatz.soliton("steady", A=1, B=2, C=3)
    with pytest.raises(UnknownNameError, match="kind of soliton 'breathing'"):
        ansatz.soliton("breathing")
    with pytest.raises(InputError, match="make the state of an Ansatz"):
        gf.steady(gf.RicciFlow(), gf.Torus(dim=2).grid(16).metric([["1", 0], [0, "1"]]))
