"""Ends of intervals at which several unknowns vanish, or others stay: nuts and bolts of U(2)-symmetric metrics."""

import numpy as np
import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError, PositivityError
from geomflow.flow.reduced.binding import rates_in
from geomflow.symbolic import is_zero
from geomflow.symbolic.ansatz.curvature import curvatures

PLANE = gf.catalogue.ansatz("taub")
SPHERE = gf.catalogue.ansatz("taub", ends="nut")
FUBINI_STUDY = {"chi": "1/2", "a": "sin(x/2)", "b": "sin(x/2)*cos(x/2)"}


def squashed(fibre="b(x)^2*(d_psi + cos(theta)*d_phi)^2/4", period="4*pi", ends=("nut", "bolt"), **options):
    """χ² dx² + a² (dθ² + sin²θ dφ²)/4 + one more term, along 0 < x < 1."""
    chart = gf.Chart("x psi theta phi", ranges={"x": (0, 1), "theta": (0, sympy.pi)},
                     periods={"psi": period, "phi": 2 * sympy.pi})
    forms = sympy.symbols("d_x d_psi d_theta d_phi")
    line = sympy.sympify(f"chi(x)^2*d_x^2 + a(x)^2*(d_theta^2 + sin(theta)^2*d_phi^2)/4 + {fibre}".replace("^", "**"))
    matrix = [[line.diff(p).diff(q) / 2 for q in forms] for p in forms]
    metric = gf.Metric(chart, [[str(sympy.expand(e)) for e in row] for row in matrix], functions="chi a b")
    return gf.Ansatz(metric, "chi a b", gf.Interval(0, 1, ends), **options)


def spectrum(ansatz, n, **values):
    """The eigenvalues of linearised Ricci flow that are not zero, from above."""
    state = ansatz.grid(n).state(**values)
    matrix = rates_in("arclength", state.grid, ansatz.reduce(gf.RicciFlow())).jacobian(0.0, state.pack())
    values = np.linalg.eigvals(matrix)
    assert np.abs(values.imag).max() < 1e-6
    return np.sort(values.real[np.abs(values) > 1e-6])[::-1]


def test_ricci_flow_of_biaxial_metrics_is_the_textbooks():
    """G. Holzegel, T. Schmelzer, C. Warnick, Class. Quantum Grav. 24 (2007), with 2a and 2b for their a and b."""
    chi, a, b = (u.value for u in PLANE.unknowns)
    (x,) = chi.args

    def d(f):
        return f.diff(x) / chi

    found = PLANE.reduce(gf.RicciFlow())
    wanted = {
        "chi": chi * (2 * d(d(a)) / a + d(d(b)) / b),
        "a": d(d(a)) + d(a) * (d(a) / a + d(b) / b) - 4 / a + 2 * b**2 / a**3,
        "b": d(d(b)) + 2 * d(a) * d(b) / a - 2 * b**3 / a**4,
    }
    assert is_zero([found[name] - rate for name, rate in wanted.items()]).decided()


def test_curvatures_at_a_point_of_each_orbit_make_the_scalars():
    planes, mixed = curvatures(PLANE)
    scalar = 2 * sum(k * count for k, count in planes.items())
    square = sum(4 * count * k**2 for k, count in planes.items()) + sum(8 * count * k**2 for k, count in mixed.items())
    assert mixed
    assert is_zero([PLANE.scalar("R") - scalar, PLANE.scalar("Rm2") - square]).decided()


@pytest.mark.parametrize(("ansatz", "values", "constant"), [
    (PLANE, FUBINI_STUDY, 6), (SPHERE, {"chi": "1", "a": "sin(x)", "b": "sin(x)"}, 3)])
def test_einstein_metrics_shrink_as_they_are(ansatz, values, constant):
    state = ansatz.grid(24).state(**values)
    assert np.abs(state.packed[1:]).max() < 1e-14
    out = np.empty_like(state.packed)
    rates_in("comoving", state.grid, ansatz.reduce(gf.RicciFlow())).rate(0.0, state.pack(), out)
    assert np.abs(out[0] + constant).max() < 1e-10
    assert np.abs(out[1:]).max() < 1e-10


@pytest.mark.parametrize("n", [24, 40])
def test_fubini_studys_modes_decay_as_those_of_kaehler_metrics(n):
    """12 − μ with μ = 4k(k+2) for ∂∂̄ of functions (k = 1 is gauge), twice each; 12 of scaling alone grows."""
    found = spectrum(PLANE, n, **FUBINI_STUDY)[:9]
    assert found == pytest.approx([12, *(12 - 4 * k * (k + 2) for k in (2, 2, 3, 3, 4, 4, 5, 5))], abs=1e-7)


def test_modes_of_the_four_sphere_are_conformal_ones_and_transverse_traceless_ones():
    """6 − k(k+3), k ≥ 2, and 2 − 2 − k(k+3) of tensors, k ≥ 2, with the Lichnerowicz Laplacian k(k+3) + 6 on these."""
    found = spectrum(SPHERE, 24, chi="1", a="sin(x)", b="sin(x)")[:10]
    wanted = [6, *(6 - k * (k + 3) for k in range(2, 8)), *(-k * (k + 3) for k in range(2, 6))]
    assert found == pytest.approx(sorted(wanted, reverse=True)[:10], abs=1e-7)


def test_two_nuts_with_equal_unknowns_are_the_sphere():
    """The same profile on S⁴ as χ² dx² + ψ² g_{S³}: rates of log χ, and of w, agree."""
    other = gf.catalogue.ansatz("sphere", n=3)
    profile = "sin(x)*(1 + 3/10*sin(x)^2)"
    one = SPHERE.grid(32).state(chi="1 + 1/5*cos(x)*sin(x)^2", a=profile, b=profile)
    two = other.grid(32).state(chi="1 + 1/5*cos(x)*sin(x)^2", psi=profile)
    rates = []
    for state in (one, two):
        out = np.empty_like(state.packed)
        rates_in("comoving", state.grid, state.grid.ansatz.reduce(gf.RicciFlow())).rate(0.0, state.pack(), out)
        rates.append(out)
    assert one.volume() == pytest.approx(two.volume(), rel=1e-13)
    assert rates[0][[0, 1]] == pytest.approx(rates[1], abs=1e-9)
    assert rates[0][2] == pytest.approx(rates[0][1], abs=1e-9)


def test_the_projective_plane_dies_when_it_must():
    state = PLANE.grid(24).state(**FUBINI_STUDY)
    assert state.volume() == pytest.approx(np.pi**2 / 2, rel=1e-14)
    found = gf.solve(gf.RicciFlow(), state, 1.0).singularity
    assert found.kind == "extinction"
    assert abs(found.time - 1 / 12) < 1e-10


@pytest.mark.parametrize(("make", "told"), [
    (lambda: gf.catalogue.ansatz("taub", k=2), "nut of x the orbits are 1/2 of a sphere"),
    (lambda: squashed(ends=("nut:a", "bolt")), "'a' is no radius of a round sphere"),
    (lambda: squashed(ends=("nut:b", "bolt")), "where 'b' vanishes others stay: that is a bolt"),
    (lambda: squashed(ends=("bolt:a,b", "bolt")), "where 'a' and 'b' vanishes all close to a point"),
    (lambda: squashed("b(x)^2*(d_psi + 2*cos(theta)*d_phi)^2/4"), "no such sphere"),
    (lambda: squashed("b(x)^2*(d_psi + cos(theta)*d_phi)^2"), "scale the unknowns so that they are equal"),
    (lambda: squashed(period="2*pi"), "1/2 of a sphere"),
    (lambda: gf.Ansatz(gf.catalogue.ansatz("sphere").metric, domain=gf.Interval(0, sympy.pi, "bolt")),
     "there are 0 such"),
], ids=range(8))  # fmt: skip
def test_orbits_that_cannot_close_are_told(make, told):
    with pytest.raises(InputError, match=told):
        _ = make().regular.fields


@pytest.mark.parametrize(("ansatz", "values", "told"), [
    (PLANE, {**FUBINI_STUDY, "b": "2*sin(x/2)*cos(x/2)"}, "with 2 of the slope of 'b'.* cone of 720 degrees"),
    (PLANE, {**FUBINI_STUDY, "a": "sin(x/2)/2"}, "with 0.5 of the slope of 'a'.* cone of 180 degrees"),
    (PLANE, {**FUBINI_STUDY, "b": "sin(x/2)*cos(x/2)*(1 + sin(x/2)^2)"}, r"at x = pi .* with 2 of the slope of 'b'"),
    (PLANE, {**FUBINI_STUDY, "b": "sin(x/2)"}, "at x = pi .* 'b' vanishes .* it does not vanish"),
    (PLANE, {**FUBINI_STUDY, "a": "sin(x)/2"}, "'a' has a slope"),
    (PLANE, {**FUBINI_STUDY, "b": "sin(x/2)*cos(x/2)*cos(x)"}, "must be positive inside"),
], ids=range(6))  # fmt: skip
def test_states_that_do_not_close_are_told(ansatz, values, told):
    with pytest.raises((InputError, PositivityError), match=told):
        ansatz.grid(24).state(**values)
