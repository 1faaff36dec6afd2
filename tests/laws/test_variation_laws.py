"""Laws of the calculus of variations, for random functionals."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomflow.core import graph as gr
from geomflow.core.program import Stage
from geomflow.field import ComplexTorus, Torus
from geomflow.symbolic import functionals as fn
from geomflow.symbolic.variation.residues import all_vanish, residues
from geomflow.symbolic.variation.staged import Staged, euler_operator

small = st.integers(min_value=-3, max_value=3)
positive = st.integers(min_value=1, max_value=4)
METRIC_WORDS = ("R", "Ric2", "f", "laplacian(f)", "dot(f, f)", "dot(R, f)", "laplacian(R)", "exp(-f)")
POTENTIAL_WORDS = ("R", "v", "phi", "laplacian(phi)", "dot(v, phi)", "laplacian(v)", "log(v)", "Ric2")


@st.composite
def densities(draw, words):
    """Random polynomials of degree two in geometric scalars."""
    terms = []
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        factors = draw(st.lists(st.sampled_from(words), min_size=1, max_size=2))
        terms.append(f"({draw(positive)})*" + "*".join(factors))
    return " - ".join(terms)


@given(densities(METRIC_WORDS), st.sampled_from(("dV", "dm")))
@settings(max_examples=25)
def test_both_derivations_agree_on_random_densities_of_a_metric(density, measure):
    assert fn.from_density(Torus(dim=2), density, measure=measure).certify()


@given(densities(POTENTIAL_WORDS), st.sampled_from((1, 2)), st.sampled_from(("dmu", "omega")))
@settings(max_examples=25)
def test_both_derivations_agree_on_random_densities_of_a_potential(density, dim, measure):
    assert fn.from_density(ComplexTorus(dim=dim), density, measure=measure).certify()


@given(st.lists(st.tuples(positive, st.integers(min_value=2, max_value=5)), min_size=1, max_size=3))
@settings(max_examples=20)
def test_gradient_and_rate_of_random_convex_functions(terms):
    function = " + ".join(f"{c}*v^{p}" for c, p in terms)
    functional = fn.EF(ComplexTorus(dim=1), function)

    def textbook(use):
        return use.laplacian(gr.add(*(c * p * use.v ** (p - 1) for c, p in terms)))

    assert functional.certify_gradient(textbook)
    curvature = sum(c * p * (p - 1) for c, p in terms)
    assert functional.second_variation_at().decay_rate((1, 1)) == curvature


@given(small, small)
@settings(max_examples=15)
def test_variation_is_linear(a, b):
    torus = ComplexTorus(dim=2)
    first, second = fn.KEnergy(torus), fn.EG(torus, "1/v")
    whole = a * first + Fraction(b, 3) * second
    pieces = [(a, first), (Fraction(b, 3), second)]

    def textbook(use):
        return gr.add(*(c * moved(use, e) for c, e in pieces if c))

    assert whole.certify_gradient(textbook)


def moved(use, functional):
    """The gradient of a functional, found in an algebra of its own, written in another."""
    from geomflow.symbolic.variation.potentials import PotentialVariation

    found = PotentialVariation.of(use, functional.integrand(use))
    return found.gradient + functional.paths().get("volume", gr.ZERO)


@st.composite
def lagrangians(draw):
    """Random polynomial Lagrangians in the second jet of one field of two variables."""
    jets = [gr.jet("u", i) for i in ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))]
    terms = []
    for _ in range(draw(st.integers(min_value=1, max_value=4))):
        chosen = draw(st.lists(st.sampled_from(jets), min_size=1, max_size=3))
        terms.append(gr.mul(draw(positive), *chosen))
    return gr.add(*terms)


@given(lagrangians(), st.integers(min_value=0, max_value=1))
def test_divergences_are_annihilated(density, axis):
    total = gr.Derivation(("x", "y"))(density, axis)
    assert all_vanish(euler_operator(total, ["u"], [], ("x", "y")))


@given(lagrangians())
def test_stages_do_not_matter(density):
    plain = euler_operator(density**2, ["u"], [], ("x", "y"))
    leaf = gr.jet("s", (0, 0))
    staged = euler_operator(leaf**2, ["u"], [Stage((("s", density),))], ("x", "y"))
    stages = (*plain.stages, *staged.stages)
    renamed = Staged(("x", "y"), (2,), stages, (plain.unstaged()[0] - staged.unstaged()[0],))
    assert all_vanish(renamed)


@given(lagrangians())
def test_values_at_random_jets_agree_with_expansion(density):
    euler = euler_operator(density, ["u"], [], ("x", "y"))
    assert residues(euler, 3) == residues(Staged(("x", "y"), (2,), (), tuple(euler.unstaged())), 3)


@pytest.mark.parametrize("seed", range(3))
def test_euler_operator_agrees_with_sympy(seed):
    import sympy
    from sympy.calculus.euler import euler_equations

    from geomflow.core.graph.sympy_bridge import from_sympy

    x, y = sympy.symbols("x y")
    u = sympy.Function("u")(x, y)
    random = np.random.default_rng(seed)
    parts = [u, u.diff(x), u.diff(y), u.diff(x, y), u.diff(x, 2)]
    density = sum(int(random.integers(1, 5)) * a * b**2 for a in parts for b in parts if random.random() < 0.4) + u**2
    expected = from_sympy(euler_equations(density, [u], [x, y])[0].lhs, ("x", "y"))
    found = euler_operator(from_sympy(density, ("x", "y")), ["u"], [], ("x", "y")).unstaged()[0]
    assert gr.is_zero(found - expected)
