"""Badly scaled coefficients: samples in two systems of coordinates, with the integrals and errors of good ones."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import geomflow.variety as gv
from benchmarks.pulls import fermat_volume, pulls, width
from geomflow.core.errors import InputError
from geomflow.variety.errors import SingularError
from geomflow.variety.smoothness import singular_points

VARIETIES = {
    "quintic": gv.Fermat(5),
    "cubic": gv.Fermat(3),
    "dwork": gv.Dwork("1/2 + i/3", 4),
    "bicubic": gv.Bicubic(),
    "tetraquadric": gv.Tetraquadric(),
}
FACTORS = ("1/10", "1/5", 1, 3, 10, "1/8", 2, 7)


def rescaled(variety: gv.Hypersurface, factors=FACTORS) -> tuple[gv.Hypersurface, float]:
    """Q(λ z) with those λ, exactly, and ∫|Ω|² there over that of Q: Π |λ_i|^{-2}."""
    factors = [sympy.Rational(f) for f in factors[: len(variety.names)]]
    symbols = sympy.symbols(variety.names)
    moved = variety.polynomial.expression.subs({s: f * s for s, f in zip(symbols, factors)}, simultaneous=True)
    made = gv.Hypersurface(moved, ambient=variety.ambient.dims, coordinates=variety.names)
    return made, float(sympy.prod(factors)) ** -2.0


def far(ratio: np.ndarray) -> tuple[float, float]:
    """By how many of their errors the width of pulls is off one, and their mean off zero."""
    size, error = width(ratio)
    return abs(size - 1) / error, abs(ratio.mean()) / size * np.sqrt(len(ratio))


@pytest.mark.parametrize("name", VARIETIES)
def test_one_sample_of_a_rescaled_variety(name):
    """∫|Ω|² is that of the variety times Π|λ|^{-2}, the volume of Fubini–Study exact, and few points useless."""
    variety = VARIETIES[name]
    moved, factor = rescaled(variety)
    assert np.any(moved.scales != 1)
    points, true = moved.sample(10_000, seed=1), variety.sample(10_000, seed=2).volume()
    found = points.volume()
    assert abs(found / factor - true) < 4 * np.hypot(found.error / factor, true.error)
    assert points.effective_size > len(points) / 5
    study = gv.FubiniStudy(moved)
    assert gv.volume(study, points).within(gv.class_volume(study), 4)
    back = moved.points(points.coordinates)
    np.testing.assert_allclose(back.weights, points.weights, rtol=1e-9)


@pytest.mark.parametrize("name", VARIETIES)
def test_coefficients_of_one_size_need_no_other_coordinates(name):
    assert np.all(VARIETIES[name].scales == 1)
    assert np.all(gv.Hypersurface("x^3 + y^3 + z^3 + x^2*y/10^12").scales == 1)


def test_no_line_is_lost_where_its_points_are_close_together():
    """A line meets ε(x³ + …) + z³ = 0 in three points within ε^{1/3} of each other."""
    variety = gv.Hypersurface("x^3 + y^3 + 10^9*z^3")
    numbers, counts = np.unique(variety.sample(6 * 1024, seed=1).line, return_counts=True)
    assert len(numbers) == 1024
    assert np.all(counts == 6)


def test_a_rescaled_variety_is_as_smooth_and_as_singular():
    """The search for singular points is for those of the rescaled polynomial."""
    assert not len(singular_points(rescaled(VARIETIES["bicubic"])[0]))
    moved, _ = rescaled(VARIETIES["quintic"])
    factor = sympy.prod(sympy.Rational(f) for f in FACTORS[:5])
    node = str(moved.polynomial.expression - 5 * factor * sympy.prod(sympy.symbols("z0:5")))
    with pytest.raises(SingularError, match=r"\(1 : "):
        gv.Hypersurface(node)


@pytest.mark.parametrize(("coefficients", "seeds"), [
    (("1/1000", "1", "1", "1", "1000"), 60),
    pytest.param(("1/1000", "1", "1", "1", "1000"), 400, marks=pytest.mark.slow),
    pytest.param(("1/10", "1/1000", "7", "(2 + i)", "30"), 400, marks=pytest.mark.slow),
])  # fmt: skip
def test_pulls_with_coefficients_of_many_sizes(coefficients, seeds):
    """∫|Ω|² of Σ a_i z_i^5 is that of Fermat times Π|a_i|^{-2/5}; errors of it, of volumes and of κ are true.

    Widths and means lie within 3.5 of their errors: of six such numbers one is beyond it by chance in 360 tries.
    """
    variety = gv.Hypersurface(" + ".join(f"{a}*z{i}^5" for i, a in enumerate(coefficients)))
    exact = fermat_volume(5) * np.prod(np.abs(variety.polynomial.coefficients)) ** -0.4
    study, samples = gv.FubiniStudy(variety), [variety.sample(1500, seed=s) for s in range(seeds)]
    volume = gv.class_volume(study)
    for value, measure in (
        (exact, gv.Points.volume),
        (volume, lambda points: gv.volume(study, points)),
        (volume / exact, lambda points: gv.kappa(study, points)),
    ):
        ratio = pulls(value, measure, samples)
        assert max(far(ratio)) < 3.5


@pytest.mark.parametrize(("coefficient", "said"), [
    ("10^60", "decimal digits apart"), ("1/10^60", "decimal digits apart"), ("10^200", "is of size 10\\^200"),
    ("10^400", "beyond double precision")])  # fmt: skip
def test_coefficients_that_doubles_cannot_resolve(coefficient, said):
    with pytest.raises(InputError, match=said):
        gv.Hypersurface(f"{coefficient}*x^3 + y^3 + z^3").sample(10, seed=1)
