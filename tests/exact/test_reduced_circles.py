"""Waves on circles whose nodes are drawn to places, and necks that pinch there and at mirrors."""

import mpmath as mp
import numpy as np
import pytest

import geomflow as gf
from geomflow.field.bases import Drawn, Fourier
from geomflow.field.reduced.turned import Turner

NECK = ((2.0, 6.0),)
TWO = ((1.0, 4.0), (4.5, 5.0))
SEAM = ((0.0, 6.0),)
PLACES = [NECK, TWO, SEAM, ()]


@pytest.mark.parametrize("places", PLACES)
def test_drawn_positions_are_the_integral_of_the_density(places):
    """At nodes, by another quadrature with 25 digits; centres are where they were wanted."""
    basis = Drawn(12, 3.0, places, start=-1.0)
    own, count = basis._map, max(len(places), 1)

    def bump(t):
        return (mp.exp(count**2 * (mp.cos(t) - 1)) - mp.exp(-2 * count**2)) / (1 - mp.exp(-2 * count**2))

    def slope(y):
        return mp.exp(-sum(mp.mpf(float(s)) * bump(y - mp.mpf(float(c))) for c, s in zip(own.centres, own.strengths)))

    with mp.workdps(25):
        panels = [2 * mp.pi * k / 12 for k in range(13)]
        parts = [mp.quad(slope, panels[k:k + 2]) for k in range(12)]
        wanted = [float(-1 + 3 * sum(parts[:k]) / sum(parts)) for k in range(12)]
    assert np.abs(basis.x[0] - wanted).max() < 1e-14
    assert np.abs(own.positions(own.centres) - [t for t, _ in places]).max(initial=0) < 1e-10


def test_without_places_waves_are_fouriers():
    one, two = Drawn(17, 2.0, (), start=0.5, modes=17), Fourier(17, 2.0, 0.5)
    for found, wanted in ((one.x[0], two.x[0]), (one.weights, two.weights), (one.project, two.project),
                          (one.at([0.0, 0.5, 7.3]), two.at([0.0, 0.5, 7.3])), (one.antiderivative, two.antiderivative)):
        assert np.abs(found - wanted).max() < 1e-14
    for times in (1, 2, 3):
        found, wanted = one.derivative((times,)), two.derivative((times,))
        assert np.abs(found - wanted).max() < 1e-13 * np.abs(wanted).max()


@pytest.mark.parametrize("places", [NECK, SEAM])
def test_a_feature_of_one_hundredth_on_a_circle_is_resolved_by_144_nodes(places):
    """f = w²/(w² + 2 − 2 cos u), u = t − t₀, whose singularities are w from the real axis."""
    width, basis = 0.01, Drawn(144, 3.0, places)
    speed = 2 * np.pi / 3.0
    u = speed * basis.x[0] - places[0][0]
    below = width**2 + 4 * np.sin(u / 2) ** 2
    f, slope = width**2 / below, -2 * width**2 * np.sin(u) / below**2 * speed
    assert np.abs(basis.project @ f - f).max() < 1e-10
    assert np.abs(width * (basis.derivative((1,)) @ f - slope)).max() < 1e-8
    assert basis.weights @ f == pytest.approx(3.0 * width / np.sqrt(4 + width**2), rel=1e-9)
    far = np.array([0.1, 1.9])
    wanted = width**2 / (width**2 + 4 * np.sin((speed * far - places[0][0]) / 2) ** 2)
    assert np.abs(basis.at(far) @ f - wanted).max() < 1e-10
    plain = Fourier(144, 3.0)
    u = speed * plain.x[0] - places[0][0]
    g = width**2 / (width**2 + 4 * np.sin(u / 2) ** 2)
    assert np.abs(plain.at(basis.x[0]) @ g - f).max() > 0.01


@pytest.mark.parametrize("places", PLACES)
def test_the_antiderivative_is_one_and_vanishes_at_the_first_place(places):
    basis = Drawn(64, 3.0, places, modes=64)
    f = np.exp(np.sin(2 * np.pi / 3.0 * basis.x[0] + 1))
    found = basis.antiderivative @ f
    assert np.abs(basis.derivative((1,)) @ found - f + basis.weights @ f / 3.0).max() < 1e-8
    still = basis.at([3.0 * t / (2 * np.pi) for t, _ in places[:1]]) @ found
    assert np.abs(still).max(initial=0) < 1e-10


def test_circles_are_turned_by_isometries_until_their_neck_is_in_place():
    grid = gf.catalogue.ansatz("sphere-circle", n=2).grid(96, places=[(2.0, 3.0)])
    state = grid.state(chi="1", psi="1 + cos(x)/2 + sin(2*x)/10")
    turn = Turner(grid, "log_chi")
    turned = state.unpack(turn(0.0, state.pack()))
    assert turned.necks("psi").places == pytest.approx([2.0], abs=1e-4)
    assert turned.necks("psi").values == pytest.approx(state.necks("psi").values, abs=1e-12)
    for text in ("1", "R", "R^2"):
        assert turned.integral(text) == pytest.approx(state.integral(text), rel=1e-11)
    assert turn(0.0, turned.pack()) is None


@pytest.mark.slow
def test_a_neck_that_moves_is_followed():
    """Not symmetric about its neck, which moves by a share of its first radius: T by 96 and by 160 points."""
    ansatz = gf.catalogue.ansatz("sphere-circle", n=2)
    starts = [ansatz.grid(n).state(chi="1", psi="1 + 3*cos(x)/5 + 3*sin(2*x)/10") for n in (96, 160)]
    one, two = (gf.solve(gf.RicciFlow(), start, 1.0).singularity for start in starts)
    assert one.kind == two.kind == "neckpinch"
    assert one.time == pytest.approx(two.time, abs=3e-7)


def half(end, ends):
    """χ² dx² + ψ² g_{S²} on [0, end]."""
    ranges = {"x": (0, end), "t": (0, "pi")}
    metric = gf.Metric(gf.Chart("x t p", ranges=ranges, periods={"p": "2*pi"}),
                       [["chi(x)^2", 0, 0], [0, "psi(x)^2", 0], [0, 0, "psi(x)^2*sin(t)^2"]], functions="chi psi")
    return gf.Ansatz(metric, domain=gf.Interval(0, end, ends=ends))


@pytest.mark.parametrize(("profile", "n", "wanted"), [
    pytest.param("1 + cos(x)/2", 96, 1e-9, marks=pytest.mark.slow), ("1 + cos(x + 1)/2", 64, 1e-6)])
def test_a_neck_on_a_circle_pinches_as_between_mirrors(profile, n, wanted):
    whole = gf.catalogue.ansatz("sphere-circle", n=2).grid(n).state(chi="1", psi=profile)
    mirrored = half("pi", "mirror").grid(48).state(chi="1", psi="1 + cos(x)/2")
    one, two = (gf.solve(gf.RicciFlow(), state, 1.0).singularity for state in (whole, mirrored))
    assert one.kind == two.kind == "neckpinch"
    assert one.time == pytest.approx(two.time, abs=wanted)
    assert abs(one.time - two.time) < one.error + two.error
    assert one.location["x"] == pytest.approx(np.pi - 1 if "+ 1)" in profile else np.pi, abs=1e-6)


@pytest.mark.slow
def test_the_neck_of_half_a_dumbbell_at_a_mirror_pinches_when_that_of_a_whole_one_does():
    state = half("pi/2", ("pole:psi", "mirror")).grid(48).state(chi="1", psi="sin(x)*sqrt(1 - 9/10*sin(x)^2)")
    found = gf.solve(gf.RicciFlow(), state, 1.0).singularity
    assert found.kind == "neckpinch"
    assert found.location["x"] == pytest.approx(np.pi / 2, abs=1e-6)
    assert found.time == pytest.approx(0.0748522848, abs=1e-9)
