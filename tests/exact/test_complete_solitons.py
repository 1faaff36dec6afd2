"""Complete solitons followed outward: the cigar, Bryant's, expanding cones, and that of Feldman, Ilmanen and Knopf."""

import numpy as np
import pytest
from scipy.integrate import quad

import geomflow as gf
from geomflow.core.errors import ConvergenceError, InputError, UnknownNameError

S = np.array([0.0, 1e-3, 0.2, 1.0, 3.0, 10.0, 40.0])


def sphere(n):
    return gf.catalogue.ansatz("sphere", n=n)


def test_the_cigar():
    """g = ds² + 2 tanh²(s/√2) dθ², R = 2/cosh²(s/√2), f = −2 log cosh(s/√2) (R. Hamilton, 1988)."""
    cigar = sphere(1).complete_soliton("steady", R=2)
    x = S / np.sqrt(2)
    assert cigar.at("psi", S) == pytest.approx(np.sqrt(2) * np.tanh(x), rel=1e-12, abs=1e-13)
    assert cigar.scalar(S) == pytest.approx(2 / np.cosh(x) ** 2, abs=1e-11)
    assert cigar.potential(S) == pytest.approx(-2 * np.log(np.cosh(x)), rel=1e-11, abs=1e-12)
    assert cigar.slope(S) == pytest.approx(-np.sqrt(2) * np.tanh(x), rel=1e-11, abs=1e-12)
    assert cigar.error(S).max() < 1e-12


@pytest.mark.parametrize("n", [2, 3])
def test_bryants_soliton(n):
    """Its curvature falls as 1/s where ψ² grows as s; R + |∇f|² is its value at the tip (not used to find it)."""
    size = n * (n + 1.0)
    bryant = sphere(n).complete_soliton("steady", R=size)
    assert bryant.identity(S) == pytest.approx(np.full(len(S), size), rel=1e-10)
    assert bryant.scalar([0.0])[0] == pytest.approx(size, rel=1e-10)
    assert np.all(np.diff(bryant.scalar(S)) < 0)
    far = np.array([50.0, 100.0])
    powers = [np.log(values[1] / values[0]) / np.log(2) for values in (bryant.at("psi", far), bryant.scalar(far))]
    assert powers == pytest.approx([0.5, -1], abs=0.02)


def test_scale_of_a_steady_soliton():
    one, other = (sphere(2).complete_soliton("steady", R=size) for size in (6, 1.5))
    assert other.at("psi", 2 * S) == pytest.approx(2 * one.at("psi", S), rel=1e-10)


def test_expanding_cones():
    """A flat one is Gauss's, f = −s²/2; another opens to a cone with R + |∇f|² + 2f constant."""
    flat = sphere(2).complete_soliton("expanding", R=0)
    assert flat.at("psi", S) == pytest.approx(S, rel=1e-12)
    assert flat.potential(S) == pytest.approx(-S**2 / 2, rel=1e-12)
    cone = sphere(2).complete_soliton("expanding", R=6)
    reach = np.array([10.0, 20.0, 40.0])
    slopes = np.diff(cone.at("psi", reach)) / np.diff(reach)
    assert slopes[1] == pytest.approx(slopes[0], rel=0.02)
    assert 0 < slopes[1] < 0.9
    assert np.ptp(cone.identity(S[:-1])) < 1e-9


def test_feldman_ilmanen_knopf():
    """On O(−1) over CP¹: b² = 2F, a² = 2y, yF = e^{μy}∫_1^y e^{−μt}(2t − t²)dt, μ = √2 (J. Diff. Geom. 65, 2003, §4).

    Of metrics with Ric + ∇∇f = g; R = 4 − 2√2 on the sphere that stays. Errors grow as e^{s²/2} outward.
    """
    ansatz = gf.catalogue.ansatz("taub", ends=("bolt", "bolt"), k=1)
    found = ansatz.complete_soliton("shrinking", R=4 - 2 * np.sqrt(2), a=np.sqrt(2))
    s, mu = np.array([0.1, 0.5, 1.0, 2.0]), np.sqrt(2)
    y = found.at("a", s) ** 2 / 2
    profile = [np.exp(mu * v) * quad(lambda t: np.exp(-mu * t) * (2 * t - t**2), 1, v, epsabs=1e-15)[0] / v for v in y]
    assert found.at("b", s) ** 2 / 2 == pytest.approx(profile, rel=1e-9)
    assert found.potential(s) == pytest.approx(mu * (y - 1), rel=1e-9)


def test_two_spheres():
    """R³ × S²: the first sphere closes, the second stays; both grow, and R + |∇f|² is constant."""
    found = gf.catalogue.ansatz("join", p=2, q=2).complete_soliton("steady", R=2, psi2=1)
    assert found.identity(S) == pytest.approx(np.full(len(S), 2.0), rel=1e-10)
    assert found.at("psi2", [0.0])[0] == pytest.approx(1, rel=1e-12)


def test_flat_space():
    flat = sphere(2).complete_soliton("steady", R=0)
    assert flat.at("psi", S) == pytest.approx(S, rel=1e-10)
    assert np.abs(flat.potential(S)).max() < 1e-8


def test_hyperbolic_space():
    """Where R is as small as it may be, ψ = c sinh(s/c) with Ric = −g: c² = 2 in three dimensions; f is constant."""
    s = np.array([0.1, 1.0, 3.0])
    found = sphere(2).complete_soliton("expanding", R=-3)
    assert found.at("psi", s) == pytest.approx(np.sqrt(2) * np.sinh(s / np.sqrt(2)), rel=1e-10)
    assert np.abs(found.slope(s)).max() < 1e-9


@pytest.mark.parametrize("kind, size", [("steady", -6), ("expanding", -6), ("shrinking", -1)])
def test_curvature_of_complete_solitons_is_bounded_below(kind, size):
    with pytest.raises(InputError, match="have R ≥"):
        sphere(2).complete_soliton(kind, R=size)


def test_what_is_refused():
    with pytest.raises(InputError, match="R is missing"):
        sphere(2).complete_soliton("steady")
    with pytest.raises(UnknownNameError, match="'psi'"):
        sphere(2).complete_soliton("steady", R=6, psi=1)
    with pytest.raises(InputError, match="begin at a pole or a bolt"):
        gf.catalogue.ansatz("sphere-circle", n=2).complete_soliton("steady", R=1)
    with pytest.raises(ConvergenceError, match="not complete"):
        sphere(2).complete_soliton("shrinking", R=1).at("psi", [100.0])
    with pytest.raises(InputError, match="no distance"):
        sphere(2).complete_soliton("steady", R=6).at("psi", [-1.0])
