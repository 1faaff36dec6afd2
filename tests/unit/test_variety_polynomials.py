"""Polynomials become varieties, or errors that say why not."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
import sympy

import geomflow.variety as gv
from geomflow.core.errors import ExpressionError, InputError, MemoryLimitError
from geomflow.symbolic.parse import parse
from geomflow.variety.errors import DegreeError, HomogeneityError, SingularError
from geomflow.variety.orbits import invariant_forms
from geomflow.variety.polynomial import read
from geomflow.variety.smoothness import _full_rank, singular_points
from geomflow.variety.symmetry import cosets, echelon


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("z0^4 + z1^4 + z2^4 + z3^4 + z4^4", DegreeError, r"c_1 = 1 H"),
        ("z0^4 + z1^4 + z2^4", DegreeError, r"c_1 = -1 H"),
        ("z0^5 + z1^5 + z2^5 + z3^5 + z4^4", HomogeneityError, r"z0\^5 has degree 5, z4\^4 has degree 4"),
        ("z0^5 + z1^5 + z2^5 + z3^5 + z0^4*z4", SingularError, r"\(0 : 0 : 0 : 0 : 1\)"),
        ("z0^3 + z1^3 + z0*z1*z2", SingularError, r"\(0 : 0 : 1\)"),
        ("z0^3 + z1^3 + z2^3 + sin(z0)", InputError, "polynomial"),
        ("z0^3 + z1^3 + __import__('os')", ExpressionError, "column"),
        ("z0^3 + z1^3 + z2^3 - z0^3 - z1^3 - z2^3", InputError, "zero"),
        (["z0^2 + z1^2", "z0*z1"], InputError, "2 polynomials in a list .* one equation"),
        ((sympy.Symbol("x") ** 3,), InputError, "1 polynomials in a tuple"),
        (np.array(["z0^3"]), InputError, "ndarray"),
        ("z0^8 + z1^8 + z2^4 + z3^4 + z4^4", HomogeneityError, r"weights \(1, 1, 2, 2, 2\) each term has degree 8"),
        ("x^2 + y^3 + z^6 + x*y*z", HomogeneityError, r"weights \(3, 2, 1\) each term has degree 6"),
        ("x^2*y + y^3 + x*z^3 + z", HomogeneityError, "every term the same degree$"),
        ("(1+2i)*z0^3 + z1^3 + z2^3", ExpressionError, r"write '\*' to multiply"),
        (5, ExpressionError, "no coordinates"),
        ("7", ExpressionError, "no coordinates"),
        (None, ExpressionError, "cannot read None"),
    ],
)
def test_bad_polynomials(text, error, said):
    with pytest.raises(error, match=said):
        gv.Hypersurface(text)


@pytest.mark.parametrize("power", [200, -200, 75, -75])
def test_a_polynomial_is_told_to_be_brought_to_size(power):
    """The variety does not depend on a factor, but |Ω|² goes as one over its square."""
    with pytest.raises(InputError, match=rf"size 10\^{power}, beyond 10\^±60"):
        gv.Hypersurface(f"10^({power})*(z0^3 + z1^3 + z2^3)")


@pytest.mark.parametrize("power", [55, -55])
def test_a_factor_changes_omega_alone(power):
    plain, moved = (gv.Hypersurface(f"10^({k})*(x^3 + 2*y^3 + z^3)") for k in (0, power))
    here, there = (variety.sample(300, seed=1) for variety in (plain, moved))
    for first, second, factor in (
        (here.volume(), there.volume(), 10.0 ** (2 * power)),
        (gv.sigma(gv.FubiniStudy(plain), here), gv.sigma(gv.FubiniStudy(moved), there), 1.0),
    ):
        assert [second * factor, second.error * factor] == pytest.approx([first, first.error], rel=1e-9)
    assert there.effective_size == pytest.approx(here.effective_size, rel=1e-9)


OVERGROWN = ["exp(exp(exp(20)))", "sin(exp(exp(20)))", "exp(i*exp(exp(20)))", "cosh(exp(20))", "exp(exp(exp(exp(9))))",
             "log(exp(exp(20)) + 1)", "exp(9000)^sqrt(7)", "exp(-exp(exp(9)))", "erf(i*exp(20))"]


@pytest.mark.parametrize("text", OVERGROWN)
def test_numbers_that_nobody_can_evaluate_are_refused_by_the_reader(text):
    with pytest.raises(ExpressionError, match=r"beyond 2\^±20,000"):
        gv.Dwork(text, 3)
    with pytest.raises(ExpressionError, match=r"beyond 2\^±20,000"):
        parse(text)


@pytest.mark.parametrize("text", ["exp(exp(9))", "sin(10^300)", "erf(exp(9))", "tan(exp(exp(8)))", "cbrt(-8)"])
def test_numbers_that_can_be_evaluated_are_read(text):
    assert parse(text).is_number


@pytest.mark.parametrize("psi", ["exp(exp(exp(9)))", sympy.exp(sympy.exp(sympy.exp(9)))])
def test_numbers_that_are_not_evaluated_are_refused_as_text_and_as_sympy_has_them(psi):
    with pytest.raises(InputError, match="is not evaluated"):
        gv.Dwork(psi, 3)


@pytest.mark.parametrize("psi", [sympy.exp(800), sympy.Rational(10) ** 400])
def test_coefficients_beyond_doubles_are_refused(psi):
    with pytest.raises(InputError, match=r"coefficient of z0\*z1\*z2 is beyond double precision"):
        gv.Dwork(psi, 3)
    with pytest.raises(InputError, match=r"coefficient of z0\*z1\*z2 is zero or below double precision"):
        gv.Dwork(sympy.Rational(1, 10**400), 3)


@pytest.mark.parametrize("text", ["(1+2j)*z0^3 + z1^3 + 2.5j*z2^3", "(1+2*i)*z0^3 + z1^3 + 5*I/2*z2^3"])
def test_complex_coefficients_in_text(text):
    variety = gv.Hypersurface(text)
    assert variety.names == ("z0", "z1", "z2")
    assert sorted(variety.polynomial.coefficients, key=abs) == [1, 1 + 2j, 2.5j]


@pytest.mark.parametrize("whole", [int, np.int8, np.int64, np.uint32])
def test_whole_numbers_are_those_of_numpy_too(whole):
    assert str(gv.Fermat(whole(3))) == str(gv.Dwork(0, whole(3))) == str(gv.Fermat(3))
    variety = gv.Hypersurface("x^3 + y^3 + z^3", ambient=np.array([whole(2)]), coordinates="x y z")
    assert variety.ambient.dims == (2,)
    assert len(variety.sample(whole(5), seed=whole(1))) == 5


@pytest.mark.parametrize("value", [True, 5.0, "5", None, np.float64(5), 2])
def test_degrees_that_are_none(value):
    with pytest.raises(InputError, match=r"the degree is .* whole number >= 3"):
        gv.Fermat(value)


@pytest.mark.parametrize("ambient", [2, 2.0, "P2", "2", (), (True,), (2.0,), [0]])
def test_ambient_dimensions_that_are_none(ambient):
    with pytest.raises(InputError, match="ambient dimension"):
        gv.Hypersurface("x^3 + y^3 + z^3", ambient=ambient)


def test_wrong_multidegree_names_the_chern_class():
    with pytest.raises(DegreeError, match=r"c_1 = -1 H_0 \+ 1 H_1"):
        gv.Hypersurface("x0^4*y0^2 + x1^4*y1^2 + x2^4*y2^2", ambient=(2, 2))


def test_conifold_is_found_with_all_its_nodes():
    with pytest.raises(SingularError, match=r"\(1 : "):
        gv.Dwork(1)
    with pytest.raises(SingularError):
        gv.Dwork(sympy.exp(2 * sympy.pi * sympy.I / 5))
    smooth = gv.Dwork("99/100")
    assert len(singular_points(smooth)) == 0


def test_nodes_of_the_conifold_cubic():
    """x³ + y³ + z³ = 3xyz is three lines, which meet in three points."""
    with pytest.raises(SingularError) as caught:
        gv.Dwork(1, degree=3)
    assert str(caught.value).count(" : ") == 2 * 3


def test_ambient_must_fit():
    with pytest.raises(InputError, match="6 homogeneous coordinates"):
        gv.Hypersurface("x0^3 + x1^3 + x2^3", ambient=(2, 2))


def test_symmetries_are_found():
    assert len(gv.Fermat(5).symmetry.permutations) == 120
    assert gv.Dwork("1/2").symmetry.conjugation
    assert not gv.Dwork(sympy.Rational(1, 2) * sympy.I).symmetry.conjugation
    skew = gv.Hypersurface("z0^3 + 2*z1^3 + 3*z2^3 + z0*z1*z2")
    assert len(skew.symmetry.permutations) == 1
    assert len(gv.Bicubic().symmetry.permutations) == 12


def test_phase_classes_count_characters():
    """Z_5^4 acts on the sections of O(5) of the Fermat quintic: z_i^5 are invariant, all others differ pairwise."""
    from geomflow.variety.sections import monomials

    labels = gv.Fermat(5).symmetry.phase_classes(monomials(5, 5))
    assert sorted(np.bincount(labels))[-1] == 5
    assert len(set(labels)) == 126 - 4


def test_lattice_normal_form_is_unique():
    basis = echelon(np.array([[4, 2, -6], [2, 4, -6], [6, 6, -12]]))
    np.testing.assert_array_equal(basis, echelon(basis[::-1].copy()))
    shifted = np.array([[1, 0, -1]]) + 3 * basis[0] - 2 * basis[1]
    np.testing.assert_array_equal(cosets(shifted, basis), cosets(np.array([[1, 0, -1]]), basis))


def test_compiled_polynomial_equals_table():
    X = gv.Hypersurface("z0^4 + z1^4 + z2^4 + z3^4 + 2*i*z0*z1*z2*z3 + z0^2*z1*z2/3")
    z = X.sample(50, seed=1).coordinates
    value, slope = X.polynomial.gradient(z)
    compiled = X.polynomial.routine(*z.T)
    np.testing.assert_allclose(compiled, np.column_stack([value, slope]), atol=1e-13)
    assert "def " in X.polynomial.routine.source


def test_hessian_is_the_derivative_of_the_gradient():
    X = gv.Bicubic()
    z = X.sample(5, seed=2).coordinates
    step = 1e-6
    for j in range(6):
        shift = step * np.eye(6)[j]
        change = (X.polynomial.gradient(z + shift)[1] - X.polynomial.gradient(z - shift)[1]) / (2 * step)
        np.testing.assert_allclose(X.polynomial.hessian(z)[:, :, j], change, atol=1e-7)


@pytest.mark.parametrize(
    ("variety", "euler", "triple"),
    [(gv.Fermat(3), 0, 3), (gv.Fermat(4), 24, 4), (gv.Fermat(5), -200, 5), (gv.Fermat(6), 2610, 6)],
)
def test_integers(variety, euler, triple):
    assert variety.euler_number == euler
    assert variety.intersection() == triple


def test_configuration_matrix_and_words():
    X = gv.Tetraquadric()
    assert X.configuration.tolist() == [[1, 2]] * 4
    assert X.euler_number == -128
    assert X.intersection(0, 1, 2) == 2
    assert X.intersection(0, 0, 1) == 0
    assert "P^1 × P^1 × P^1 × P^1" in repr(X)


def test_sections_reduce_monomials_modulo_the_polynomial():
    X = gv.Dwork("1/2")
    sections = gv.Sections(X, (6,))
    assert sections.count == 205
    every, matrix = sections.reduction()
    z = X.sample(20, seed=3).coordinates
    full = np.prod(z[:, None, :] ** every[None], axis=2)
    basis = np.prod(z[:, None, :] ** sections.exponents[None], axis=2)
    np.testing.assert_allclose(basis @ matrix.T.toarray(), full, atol=1e-11)


def by_trial(polynomial, ambient):
    """All permutations that keep a polynomial up to a phase, every one tried: oracle for `find_symmetry`."""
    terms = {tuple(map(int, m)): c for m, c in zip(polynomial.exponents, polynomial.coefficients)}
    starts = [block.start for block in ambient.blocks]
    found = []
    for order in permutations(range(len(ambient.dims))):
        for inner in product(*(permutations(range(n + 1)) for n in ambient.dims)):
            p = [starts[order[f]] + i for f, inside in enumerate(inner) for i in inside]
            images = {m: terms.get(tuple(m[i] for i in p), 0) for m in terms}
            ratios = [images[m] / terms[m] for m in terms]
            if np.allclose(np.abs(ratios), 1, atol=1e-12) and np.allclose(ratios, ratios[0], atol=1e-12):
                found.append(p)
    return np.array(found)


POLYNOMIALS = [
    (gv.Fermat(5), 120),
    (gv.Hypersurface("z0^5 + z1^5 + z2^5 + z3^5 + z4^5 + z0*z1^4/3"), 6),
    (gv.Hypersurface("z0^2*z1 + z1^2*z2 + z2^2*z0 + I*z0*z1*z2/3"), 3),
    (gv.Hypersurface("z0^4 + I*z1^4 - z2^4 - I*z3^4"), 4),
    (gv.Hypersurface("z0^4 + I*z1^4 + z2^4 - z3^4 + (1 + I)*z0*z1*z2*z3/3"), 2),
    (gv.Bicubic(), 12),
    (gv.Tetraquadric(), 24),
]


@pytest.mark.parametrize(("variety", "order"), POLYNOMIALS, ids=lambda case: str(case)[:40])
def test_symmetries_are_those_that_a_trial_of_all_finds_in_the_same_order(variety, order):
    found = variety.symmetry.permutations
    assert len(found) == order
    np.testing.assert_array_equal(found, by_trial(variety.polynomial, variety.ambient))


@pytest.mark.parametrize(
    ("size", "more", "order"),
    [(8, "", 40320), (10, "+ z0*z1**9", 40320), (12, "+ z0*z1**11 + 2*z2**11*z3 + z3*z4**11 + z5*z6**11", 240),
     (14, "+ " + " + ".join(f"z{i}**13*z{(i + 1) % 14}" for i in range(14)), 14)],
)  # fmt: skip
def test_the_search_for_symmetries_takes_steps_by_coordinates_and_not_by_permutations(size, more, order, monkeypatch):
    """At most a few thousand candidates of the 40,320 to 87,178,291,200 permutations."""
    from geomflow.variety import symmetry

    tried, agrees = [], symmetry._Search.agrees
    monkeypatch.setattr(symmetry._Search, "agrees", lambda self, start: tried.append(start) or agrees(self, start))
    names = [f"z{i}" for i in range(size)]
    polynomial = read(" + ".join(f"{name}**{size}" for name in names) + more, names)
    found = symmetry.find_symmetry(polynomial, gv.Ambient((size - 1,))).permutations
    assert len(found) == order
    assert len(tried) < 3 * size**3


def test_too_many_permutations_to_list_are_an_error_before_any_is(monkeypatch):
    from geomflow.core import memory
    from geomflow.variety.symmetry import find_symmetry

    monkeypatch.setattr(memory, "available", lambda: 10**9)
    names = [f"z{i}" for i in range(12)]
    with pytest.raises(MemoryLimitError, match=r"479001600 permutations of 12 coordinates would take 184 GB"):
        find_symmetry(read(" + ".join(f"{name}**12" for name in names), names), gv.Ambient((11,)))


@pytest.mark.parametrize("variety", [case[0] for case in POLYNOMIALS], ids=lambda case: str(case)[:40])
@pytest.mark.parametrize("conjugation", [True, False])
def test_orbits_of_generators_are_orbits_of_the_group(variety, conjugation):
    """The pairs of every form are the images of one pair under all permutations, each in rising order."""
    group = gv.Symmetry(variety.symmetry.permutations, variety.symmetry.lattice, conjugation)
    forms = invariant_forms(variety, (2,) * len(variety.degree), group)
    number = {tuple(m): i for i, m in enumerate(forms.exponents.tolist())}
    images = np.array([[number[tuple(m)] for m in forms.exponents[:, p].tolist()] for p in group.permutations])
    for k in range(forms.count):
        member = forms.group == k
        pairs = {(m, n) for m, n in zip(forms.left[member], forms.right[member])}
        m, n = min(pairs)
        assert pairs == {tuple(sorted(pair)) for pair in zip(images[:, m], images[:, n])}


@pytest.mark.parametrize("kahler_class", [(1e-110, 1), (1, 1e60), (1e200, 1), "12", (True, 1), ("1", "2"), (np.nan, 1)])
def test_classes_that_are_no_numbers_or_have_volumes_beyond_doubles(kahler_class):
    with pytest.raises(InputError, match=r"beyond 10\^±40|one positive number for each factor"):
        gv.FubiniStudy(gv.Bicubic(), kahler_class)
    variety = gv.Fermat(3)
    study, points = gv.FubiniStudy(variety, (1e100,)), variety.sample(100, seed=1)
    assert gv.volume(study, points) == pytest.approx(gv.class_volume(study), rel=1e-9)
    assert np.isfinite(gv.kappa(study, points).error)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, complex(0, np.inf)])
def test_what_is_not_finite_has_no_distance(wrong):
    first, second = np.ones((2, 3), complex), np.array([[1, 2, 3], [wrong, 1, 1]])
    for pair in ((first, second), (second, first)):
        with pytest.raises(InputError, match="not finite"):
            gv.distance(*pair)


def test_blocks_of_equal_entries_and_different_shapes_are_told_apart():
    rows, columns = np.array([0, 1, 2, 3, 4, 4, 5, 5]), np.array([0, 0, 0, 0, 1, 2, 1, 2])
    ones = np.ones(8, dtype=np.int64)
    assert not _full_rank(rows, columns, ones, 3)  # a column of four ones, and a singular block of two by two
    assert _full_rank(rows, columns, np.where(np.arange(8) == 7, 2, ones), 3)
    assert not _full_rank(rows[:4], columns[:4], ones[:4], 2)  # a column of zeros
