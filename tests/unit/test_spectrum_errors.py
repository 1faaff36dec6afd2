"""What spectra, spaces of functions and quadratures refuse, and how they show themselves."""

from __future__ import annotations

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow.core.errors import InputError, MemoryLimitError, SymmetryError
from geomflow.variety.errors import UnderdeterminedError
from geomflow.variety.flat import FlatCurve


@pytest.fixture(scope="module")
def curve():
    return gf.Fermat(3)


@pytest.fixture(scope="module")
def points(curve):
    return curve.sample(300, seed=1)


def test_spaces_that_do_not_fit_are_refused_with_their_size():
    generic = gf.Hypersurface("z0^5+z1^5+z2^5+z3^5+z4^5", symmetry=gv.trivial_symmetry(5))
    with pytest.raises(MemoryLimitError, match=r"99,225 functions, 99,225 of one character, would take \d+ GB"):
        gf.function_space(generic, 7)


def test_degrees_and_counts_must_be_whole(curve, points):
    for call in (lambda: gf.function_space(curve, 0), lambda: gf.spectrum(FlatCurve(curve), points, 1.5),
                 lambda: gf.spectrum(FlatCurve(curve), points, 2, count=0)):
        with pytest.raises(InputError, match=r"whole number >= 1|must be"):
            call()


def test_too_few_points_for_the_functions_are_refused(curve, points):
    with pytest.raises(UnderdeterminedError, match=r"functions of a sector and 100 points with 1 images each: take at"):
        gf.spectrum(FlatCurve(curve), points[:100], 4, symmetry=gv.trivial_symmetry(3))


def test_too_few_points_for_the_controls_are_refused(curve, points):
    with pytest.raises(UnderdeterminedError, match="control variates at 40 points leave too few"):
        gf.quadrature(FlatCurve(curve), points[:40], 8)


def test_a_metric_without_the_symmetry_is_refused(curve):
    points = curve.sample(3000, seed=1)
    form = gf.FubiniStudy(curve)
    exponents = np.eye(3, dtype=int)
    uneven = gv.HermitianForm(curve, exponents, np.diag([1.0, 2.0, 3.0]), 1)
    with pytest.raises(SymmetryError, match=r"the permutation \[.*\] keeps the variety but changes log v"):
        gf.spectrum(uneven, points, 1)
    turned = gv.HermitianForm(curve, exponents, np.eye(3) + 0.3 * (np.ones((3, 3)) - np.eye(3)), 1)
    with pytest.raises(SymmetryError, match="a phase keeps the variety"):
        gf.spectrum(turned, points, 1)
    assert len(gf.spectrum(form, points, 1)) > 1
    assert len(gf.spectrum(uneven, points, 1, symmetry=gv.trivial_symmetry(3))) == 9


def test_points_and_values_elsewhere_are_refused(curve, points):
    other = gf.Dwork("1/2", 3).sample(10, seed=1)
    with pytest.raises(InputError, match="the metric is on the"):
        gf.spectrum(FlatCurve(curve), other, 1)
    with pytest.raises(InputError, match="the functions are on the"):
        gf.function_space(curve, 1).sectors[0].at(other)
    with pytest.raises(InputError, match="300 points, and values of shape"):
        gf.quadrature(FlatCurve(curve), points, 2).mean(np.ones(3))


def test_a_spectrum_is_a_table(curve, points):
    found = gf.spectrum(FlatCurve(curve), points, 3, count=7)
    lines = str(found).splitlines()
    assert lines[0].split()[:2] == ["eigenvalue", "multiplicity"]
    assert len(lines) == 1 + len(found) + 2
    assert lines[-1].startswith("The metric has σ = ")
    assert repr(found).startswith("2 eigenvalues of 7 functions")
    assert found[1](points).shape == (300, 6)
    assert found.multiplicities.tolist() == [1, 6]


def test_the_same_points_give_the_same_bits(curve, points, monkeypatch):
    values = []
    for threads in ("1", "3"):
        monkeypatch.setenv("GEOMFLOW_THREADS", threads)
        found = gf.spectrum(FlatCurve(curve), points, 3, count=19)
        values.append([(m.bound, m.strong, m.points_error) for m in found])
    assert values[0] == values[1]


def test_levels_are_drawn_with_their_multiplicities(curve, points):
    found = gf.spectrum(FlatCurve(curve), points, 4, count=13)
    ax = gf.plot.spectrum(found)
    assert [text.get_text() for text in ax.texts] == [str(m) for m in found.multiplicities]
    bounds, limits = ax.lines[::2], ax.lines[1::2]
    for multiplet, bound, limit in zip(found, bounds, limits, strict=True):
        np.testing.assert_array_equal(bound.get_ydata(), multiplet.by_degree)
        np.testing.assert_array_equal(limit.get_ydata(), [float(multiplet.eigenvalue)] * 2)
    assert np.all(np.diff([text.get_position()[1] for text in ax.texts]) > 0)
