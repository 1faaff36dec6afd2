"""What stands beside the unknowns of an equation on a torus is periodic, or the equation is refused."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import geomflow as gf
from geomflow.core.errors import InputError

TORI = (gf.Torus(dim=1), gf.Torus(dim=2, periods=(2, 3)), gf.ComplexTorus(dim=1),
        gf.Torus(dim=2, lattice=[[1.0, 0.0], [0.37, 1.3]]))
PLACES = ("{c}*u", "laplacian(u) + {c}", "laplacian({c}*u)", "laplacian({c}*u^2)", "d({c}*u^3, x)", "d({c}*d(u, x), x)",
          "u*log({c} + 7)", "sin({c} + u)")


def on(torus, rate, **parameters):
    return gf.Flow.from_expression(rate, **parameters).on(torus.grid(16).scalar("1"))


def harmonics(torus, rng):
    """A random function that is periodic on the torus: waves of its dual lattice."""
    terms = []
    for wave in rng.integers(-2, 3, (2, torus.real_dim)):
        covector = np.linalg.solve(torus.lattice, wave)
        phase = " + ".join(f"({float(k)!r})*{x}" for k, x in zip(covector, torus.coordinates))
        terms.append(f"{rng.uniform(0.5, 1):.3f}*cos(2*pi*({phase}))")
    return f"(2 + {' + '.join(terms)})"


@pytest.mark.parametrize("torus", TORI, ids=str)
@given(st.integers(0, 10**6), st.sampled_from(PLACES))
@settings(max_examples=8, deadline=None)
def test_periodic_coefficients_are_taken(torus, seed, place):
    on(torus, place.format(c=harmonics(torus, np.random.default_rng(seed))))


@pytest.mark.parametrize("torus", TORI, ids=str)
@given(st.integers(0, 10**6), st.sampled_from(PLACES), st.data())
@settings(max_examples=8, deadline=None)
def test_others_are_refused(torus, seed, place, data):
    x, wave = data.draw(st.sampled_from(torus.coordinates)), harmonics(torus, np.random.default_rng(seed))
    strange = data.draw(st.sampled_from(("{x}*{c}", "({c} + {x}/1000)", "exp({x})*{c}", "sqrt(1 + {x}^2)")))
    with pytest.raises(InputError, match=r"coefficient of the rate .* is not periodic"):
        on(torus, place.format(c=strange.format(x=x, c=wave)))


@pytest.mark.parametrize("rate", [
    "laplacian(u) - x*u", "x*(1 - x)*u", "1/x*u", "laplacian(u) - 1e-9*x*u", "laplacian(u) + 1e-10*x", "sin(pi*x)*u",
    sympy.Symbol("x") * sympy.Symbol("u"),
])
def test_a_jump_is_named(rate):
    with pytest.raises(InputError, match=r"a coefficient of the rate '.*' is not periodic in x: it jumps by .* over "
                                         r"the period 1, from x = .*such as cos\(2\*pi\*x\)"):
        on(gf.Torus(dim=1), rate)


@pytest.mark.parametrize("rate", [
    "abs(acos(cos(2*pi*x)))*u", "abs(sin(pi*x))*u", "u*x/x", "log(u)*cos(2*pi*x)^3",
])
def test_a_wrapped_coefficient_is_taken(rate):
    on(gf.Torus(dim=1), rate)


def test_the_period_decides():
    on(gf.Torus(dim=1, periods=2), "sin(pi*x)*u")
    with pytest.raises(InputError, match="over the period 3"):
        on(gf.Torus(dim=1, periods=3), "sin(pi*x)*u")
