"""Laws of spaces of functions, of their sectors and of integration with control variates."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
import geomflow.variety as gv
from geomflow.variety.flat import FlatCurve
from geomflow.variety.frames import in_patch, transition
from geomflow.variety.representations import rows

SYMMETRIC = gf.Hypersurface("x^3 + y^3 + z^3 + x^2*y + y^2*z + z^2*x")  # cyclic permutations only
GENERIC = gf.Hypersurface("x^3 + 2*y^3 - z^3 + x*y^2 + 2*x*z^2")
VARIETIES = [gf.Fermat(3), gf.Dwork("1/3", 3), SYMMETRIC, GENERIC, gf.Fermat(4), gv.Bicubic(), gv.Tetraquadric()]


@given(variety=st.sampled_from(VARIETIES), degree=st.integers(1, 4))
@settings(max_examples=15)
def test_sectors_make_up_the_space(variety, degree):
    if len(variety.ambient.dims) > 1:
        degree = 1
    space = gf.function_space(variety, degree)
    assert sum(sector.size * sector.multiplicity for sector in space.sectors) == space.count
    assert space.count == space.sections.count**2


def quaternions() -> np.ndarray:
    """The group of quaternions as permutations of its eight elements."""
    units = {1: np.eye(2), 2: np.diag([1j, -1j]), 3: np.array([[0, 1], [-1, 0]]), 4: np.array([[0, 1j], [1j, 0]])}
    elements = [sign * unit for sign, unit in product((1, -1), units.values())]
    return np.array([[next(k for k, c in enumerate(elements) if np.allclose(a @ b, c)) for b in elements]
                     for a in elements])


@pytest.mark.parametrize(("group", "weights"), [
    (list(permutations(range(3))), [1, 1, 2]), (list(permutations(range(5))), [1, 1, 4, 4, 5, 5, 6]),
    ([[0, 1, 2], [1, 2, 0], [2, 0, 1]], [1, 1]), (quaternions(), [1, 1, 1, 1, 1]),
])  # fmt: skip
def test_rows_of_representations(group, weights):
    """S_3 and S_5; the complex pair of Z_3, once; the quaternions, whose 2 (D = 4, e = 4) doubles values itself."""
    group = np.array(group)
    found = rows(group)
    assert [row.weight for row in found] == weights
    np.testing.assert_allclose(found[0].coefficients, 1 / len(group), atol=1e-12)
    places = {tuple(g): i for i, g in enumerate(group.tolist())}
    for row in found:
        square = np.zeros(len(group))
        for (i, g), (j, h) in product(enumerate(group), repeat=2):
            square[places[tuple(g[h])]] += row.coefficients[i] * row.coefficients[j]
        np.testing.assert_allclose(square, row.coefficients, atol=1e-10)


@given(variety=st.sampled_from(VARIETIES), seed=st.integers(0, 5))
@settings(max_examples=10)
def test_functions_do_not_depend_on_the_patch_and_their_derivatives_transform(variety, seed):
    points = variety.sample(12, seed=seed)
    blocks = variety.ambient.blocks
    patch = [block.start + np.argsort(np.abs(points.coordinates[:, block]), axis=1)[:, -2] for block in blocks]
    there = in_patch(points, np.stack(patch, axis=1))
    change = transition(points, there)
    for sector in gf.function_space(variety, 1).sectors:
        here, moved = sector.at(points), sector.at(there)
        np.testing.assert_allclose(moved.values, here.values, atol=1e-12)
        size = np.abs(here.second).max() + 1
        np.testing.assert_allclose(change @ moved.holomorphic, here.holomorphic, atol=1e-9 * size)
        np.testing.assert_allclose(change.conj() @ moved.antiholomorphic, here.antiholomorphic, atol=1e-9 * size)
        second = np.einsum("pac,pcdm,pbd->pabm", change, moved.second, change.conj())
        np.testing.assert_allclose(second, here.second, atol=1e-9 * size)


def test_derivatives_are_those_of_the_values():
    """∂f, ∂̄f and ∂∂̄f against central differences along the curve, of second order in the step."""
    curve = gf.Fermat(3)
    points = curve.sample(6, seed=4)
    sector = gf.function_space(curve, 2).sectors[1]
    jets = sector.at(points)

    def at(step: complex) -> np.ndarray:
        """f where the local coordinate has moved, the eliminated one found by Newton's method."""
        z, every = points.coordinates.copy(), np.arange(len(points))
        z[every, points.good[:, 0]] += step
        z[every, points.elim] += step * points.pullbacks[every, 0, points.elim]
        for _ in range(4):
            slope = curve.polynomial.gradient(z)[1][every, points.elim]
            z[every, points.elim] -= curve.polynomial.value(z) / slope
        return sector.at(curve.points(z)).values

    h = 1e-4
    right, left, up, down = (at(h * u) for u in (1, -1, 1j, -1j))
    x, y = (right - left) / (2 * h), (up - down) / (2 * h)
    np.testing.assert_allclose(jets.holomorphic[:, 0], (x - 1j * y) / 2, atol=1e-6)
    np.testing.assert_allclose(jets.antiholomorphic[:, 0], (x + 1j * y) / 2, atol=1e-6)
    bent = (right + left + up + down - 4 * jets.values) / (4 * h**2)
    np.testing.assert_allclose(jets.second[:, 0, 0], bent, atol=1e-5)


def test_symmetry_changes_no_eigenvalue():
    """One sector of all functions, and as many sectors as there are; controls of twice the degree without symmetry."""
    curve = gf.Fermat(3)
    points, flat = curve.sample(3000, seed=3), FlatCurve(curve)
    known = gf.spectrum(flat, points, 2, count=19)
    blind = gf.spectrum(flat, points, 2, count=19, symmetry=gv.trivial_symmetry(3))
    assert len(known) < len(blind) == 19
    assert {multiplet.charge for multiplet in blind} == {(0, 0, 0)}
    wanted = np.repeat([m.bound for m in known], known.multiplicities)[:19]
    for multiplet, value in zip(blind, wanted, strict=True):
        assert abs(multiplet.bound - value) <= 5 * multiplet.points_error + 1e-9  # a multiplet spreads about its value
        assert multiplet.points_error < 5e-3 * value + 1e-9


def test_volume_scales_eigenvalues():
    curve = gf.Fermat(3)
    points, flat = curve.sample(300, seed=3), FlatCurve(curve)
    one, four, own = (gf.spectrum(flat, points, 2, count=7, volume=v)[1].bound for v in (1.0, 4.0, None))
    assert one == pytest.approx(4 * four, rel=1e-12)
    assert own == pytest.approx(one / (2 * gv.class_volume(flat)), rel=1e-12)
    surface = gf.Fermat(4)
    points = surface.sample(300, seed=3)
    one, four = (gf.spectrum(gf.FubiniStudy(surface), points, 1, count=13, volume=v)[1].bound for v in (1.0, 4.0))
    assert one == pytest.approx(2 * four, rel=1e-12)


def test_quadrature_integrates_what_it_says():
    curve = gf.Fermat(3)
    points = curve.sample(400, seed=1)
    used = gf.quadrature(FlatCurve(curve), points, 4)
    assert used.weights.sum() == pytest.approx(1, abs=1e-13)
    assert np.abs(used.weights / np.sqrt(used.mass) @ used.controls).max() < 1e-13
    assert float(used.mean(np.full(400, 3.0))) == pytest.approx(3, abs=1e-12)


SEEDS = 50


@pytest.mark.parametrize("degree", [2, 4, 6])
def test_pulls_of_averages_have_width_one(degree):
    """∫det g_FS over 50 samples, whose exact value is that of the class: of one part in 10³, 10⁵ and 10⁷."""
    curve = gf.Fermat(3)
    flat, pulls, errors = FlatCurve(curve), [], []
    for seed in range(SEEDS):
        points = curve.sample(300, seed=seed)
        ratio = np.exp(gf.FubiniStudy(curve).log_determinant(points)) / (flat.kappa * points.omega2)
        found = gf.quadrature(flat, points, degree).mean(ratio)
        pulls.append((float(found) - 1) / found.error)
        errors.append(found.error)
    assert np.mean(errors) < {2: 1e-3, 4: 2e-5, 6: 1e-6}[degree]
    assert 0.7 < np.std(pulls) < 1.3
    assert abs(np.mean(pulls)) < 0.45


def test_pulls_of_eigenvalues_have_width_one():
    """Of the Ritz values of three sectors, with few controls, against those of many points."""
    curve = gf.Fermat(3)
    flat, symmetry = FlatCurve(curve), gv.Symmetry(np.arange(3)[None], curve.symmetry.lattice, True)

    def three(count: int, seed: int) -> list[gv.Multiplet]:
        """In an order that does not depend on the values."""
        found = gf.spectrum(flat, curve.sample(count, seed=seed), 2, count=7, symmetry=symmetry)
        return sorted(found[1:], key=lambda multiplet: multiplet.charge)

    truth = three(20_000, 99)
    pulls = [[(m.bound - t.bound) / m.points_error for m, t in zip(three(200, seed), truth, strict=True)]
             for seed in range(SEEDS)]
    assert np.all(np.abs(np.std(pulls, axis=0) - 1) < 0.3)
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.45)


def test_errors_of_the_points_fall_as_their_root_and_those_of_the_degree_geometrically():
    curve = gf.Fermat(3)
    flat, numbers = FlatCurve(curve), [250, 1000, 4000]
    errors = [gf.spectrum(flat, curve.sample(n, seed=5), 3, count=9)[2].points_error for n in numbers]
    slope = np.polyfit(np.log(numbers), np.log(errors), 1)[0]
    assert -0.75 < slope < -0.25
    exact = 4 * np.pi**2 * 2 / np.sqrt(3)
    gaps = np.array(gf.spectrum(flat, curve.sample(1000, seed=6), 6, count=7)[1].by_degree) - exact
    assert np.all(gaps > 0)
    assert -4 < np.polyfit(np.arange(2, 7), np.log(gaps), 1)[0] < -2
