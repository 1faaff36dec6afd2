"""Functionals of several fields: gradients against textbooks, decided exactly; values and flows against known ones."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.symbolic.functionals import from_density

SCALAR = {"g": "-Ric + R*g/2 + d(f)*d(f)/2 - (dot(d(f), d(f))/2 + f^2)*g/2", "f": "laplacian(f) - 2*f"}
"""Of R − ½|df|² − f²: minus Einstein's tensor plus half the energy and momentum of f; Δf − 2f."""

STRESS = "-d(A)[i,k]*d(A)[j,k]/2 + dot(d(A), d(A))*g[i,j]/8"
PERELMAN = "exp(-f)*({0})*g/2 - exp(-f)*(Ric + Hess(f))"
BACH = {"C": "div(Weyl)", "B": "nabla(C)[i,l,j,l] + Weyl[k,i,l,j]*Ric[k,l]/2"}
"""B_ij = ∇^l∇^k W_kilj + ½ R^kl W_kilj."""


def certified(dim, density, textbook, fields, **more):
    functional = from_density(gf.Torus(dim=dim), density, fields=fields, **more)
    return bool(functional.certify_gradient(textbook)) and bool(functional.certify())


@pytest.mark.parametrize("dim", [2, 3, 4])
def test_einstein_and_a_scalar(dim):
    assert certified(dim, "R - dot(d(f), d(f))/2 - f^2", SCALAR, "g f")


@pytest.mark.parametrize("dim", [2, 3, 4])
def test_yang_mills_of_circle_bundles(dim):
    assert certified(dim, "dot(d(A), d(A))/4", {"A": "-div(d(A))", "g": STRESS}, "g A:form")


@pytest.mark.parametrize("dim", [2, 3])
def test_perelman_with_a_free_dilaton(dim):
    s = "2*laplacian(f) - dot(d(f), d(f)) + R"
    assert certified(dim, "exp(-f)*(R + dot(d(f), d(f)))", {"g": PERELMAN.format(s), "f": f"-exp(-f)*({s})"}, "g f")


def test_perelman_with_a_scale():
    s = "tau*(2*laplacian(f) - dot(d(f), d(f)) + R) + f - 3"
    assert certified(3, "exp(-f)*(tau*(R + dot(d(f), d(f))) + f - 3)",
                     {"g": f"exp(-f)*({s})*g/2 - tau*exp(-f)*(Ric + Hess(f))", "f": f"exp(-f)*(1 - ({s}))"}, "g f",
                     parameters={"tau": 0.5})


def test_weyl_squared_gives_bach():
    assert from_density(gf.Torus(dim=4), "dot(Weyl, Weyl)", fields="g", where=BACH).certify_gradient({"g": "-4*B"})


@pytest.mark.parametrize(("density", "textbook"), [
    ("R^2", "2*Hess(R) - 2*R*Ric + R^2*g/2 - 2*laplacian(R)*g"),
    ("1", "g/2"),
    ("dot(Hess(f), Hess(f))", None), ("Ric2", None), ("Rm2", None), ("Rm2*f", None), ("laplacian(R)*f", None),
    ("Ric[i,j]*d(f)[i]*d(f)[j]", None), ("R[i,k,l,m]*R[j,k,l,m]*d(f)[i]*d(f)[j]", None),
])
def test_curvature_is_varied_as_the_euler_operator_says(density, textbook):
    functional = from_density(gf.Torus(dim=3), density, fields="g f" if "f" in density.replace("Hess", "") else "g")
    assert functional.certify()
    assert textbook is None or functional.certify_gradient({"g": textbook})


@pytest.mark.parametrize("density", [
    "dot(nabla(X), nabla(X))", "div(X)^2 + X[i]*X[j]*Ric[i,j]", "dot(Lie(X, g), Lie(X, g))",
    "g[i,j]*X[i]*laplacian(X)[j]",
])  # fmt: skip
def test_vectors_are_varied_with_the_connection(density):
    assert from_density(gf.Torus(dim=2), density, fields="g X:vector").certify()


@pytest.mark.parametrize(("density", "fields"), [
    ("dot(star(d(A)), A)", "g A:form"), ("dot(d(B), d(B))*exp(f)", "g B:2-form f"),
    ("dot(nabla(T), nabla(T)) + trace(T)^2 + T[i,j]*T[j,k]*T[k,i]", "g T:symmetric"),
    ("sqrt(1 + dot(d(A), d(A)))", "g A:form"),
])  # fmt: skip
def test_forms_and_symmetric_tensors_in_dimension_three(density, fields):
    assert from_density(gf.Torus(dim=3), density, fields=fields).certify()


def test_riemann_squared_is_topological_in_dimension_four_but_for_ricci():
    torus = gf.Torus(dim=4)
    euler = from_density(torus, "Rm2 - 4*Ric2 + R^2", fields="g")
    assert euler.certify_gradient({"g": "0*g"})
    assert not from_density(torus, "f*(Rm2 - 4*Ric2 + R^2)", fields="g f").certify_gradient({"g": "0*g"})


def test_densities_without_a_metric_are_flat():
    functional = from_density(gf.Torus(dim=2), "dot(d(u), d(u))/2 + u^4/4", fields="u")
    assert functional.certify_gradient({"u": "-laplacian(u) + u^3"})


# values and flows

PLANE = gf.Torus(dim=2)


def state(n=24, **scheme):
    grid = PLANE.grid(n, **(scheme or {"scheme": "spectral"}))
    return grid.fields(f=grid.random_scalar(3, 0.4), g=grid.random_metric(1, 0.1), A=grid.form(
        [grid.random_scalar([5, k], 0.4).values for k in range(2)]))


def test_values_are_those_of_functionals_that_are_known():
    here = state()
    for density, known in (("1", gf.functionals.Volume), ("R^2", gf.functionals.ScalarSquared),
                           ("Ric2", gf.functionals.RicciSquared)):
        assert from_density(PLANE, density, fields="g")(here["g"]) == pytest.approx(known(PLANE)(here["g"]), rel=1e-12)
    coupled = gf.functionals.PerelmanFCoupled(PLANE)
    own = from_density(PLANE, "exp(-f)*(R + dot(d(f), d(f)))", fields="g f")
    measure = np.exp(-here["f"].values) * here["g"].volume_density().values
    assert own(here) == pytest.approx(coupled(here["g"], measure=measure), rel=1e-10)


def test_the_gradient_of_one_metric_is_that_of_the_functional_that_is_known():
    metric = PLANE.grid(32, scheme="spectral").random_metric(1, 0.1)
    own = from_density(PLANE, "R^2", fields="g").gradient(metric)
    known = gf.functionals.ScalarSquared(PLANE).gradient(metric)
    assert np.abs(own.values - known.values).max() < 1e-9 * np.abs(known.values).max()


def test_cahn_hilliard_is_the_descent_in_the_dual_norm():
    here, energy = state(order=4), from_density(PLANE, "dot(d(f), d(f))/2 + (f^2 - 1)^2/4", fields="g f")
    typed = gf.Flow.from_expression({"f": "laplacian(f^3 - f - laplacian(f))"})
    derived = gf.Descent(energy.gradient_flow({"f": "H-1"}, of="f"))
    assert rate(derived, here) == pytest.approx(rate(typed, here), abs=1e-9 * np.abs(rate(typed, here)).max())


def test_yang_mills_flow_is_the_typed_one():
    here, energy = state(order=4), from_density(PLANE, "dot(d(A), d(A))/4", fields="g A:form")
    typed, derived = gf.Flow.from_expression({"A": "div(d(A))"}), gf.Descent(energy.gradient_flow(of="A"))
    assert rate(derived, here) == pytest.approx(rate(typed, here), abs=1e-9 * np.abs(rate(typed, here)).max())


def rate(flow, start):
    problem = flow.bind(start)
    out = np.empty_like(problem.y0)
    problem.rate(0.0, problem.y0, out)
    return out


def test_multipliers_keep_what_they_are_told_to():
    energy = from_density(PLANE, "R^2/100 + dot(d(f), d(f))/2 + (f^2 - 1)^2/4", fields="g f")
    kept = [from_density(PLANE, text, fields=fields) for text, fields in (("1", "g"), ("f", "g f"), ("f^2", "g f"))]
    sol = gf.solve(energy.gradient_flow(keep=["volume", "f", "f^2"]), drop(state(16), "A"), t1=1e-4,
                   rtol=1e-8, save_at=4)
    for functional in kept:
        values = [functional(s if "f" in functional.fields else s["g"]) for s in sol.states]
        assert np.ptp(values) < 1e-7 * max(1, abs(values[0]))
    assert np.all(np.diff(sol["energy"]) < 0)


def drop(here, name):
    return here.grid.fields(**{key: part for key, part in here.parts.items() if key != name})


def test_what_the_inner_product_keeps_needs_no_multiplier():
    energy = from_density(PLANE, "dot(d(f), d(f))/2 + f^4/4", fields="g f")
    assert not energy.gradient_in("f:H-1", of="f", keep="f").system().averages


@pytest.mark.parametrize(("dim", "topological"), [(2, "R"), (2, "Rm2 - 4*Ric2 + R^2"), (4, "Rm2 - 4*Ric2 + R^2")])
def test_what_stays_on_every_metric_has_no_multiplier(dim, topological):
    energy = from_density(gf.Torus(dim=dim), "R^2 + dot(d(f), d(f))", fields="g f")
    assert energy.gradient_in(keep=topological).multiplied == []
    both = energy.gradient_in(keep=["volume", topological])
    assert both.multiplied == ["1"]
    assert both.equation == energy.gradient_in(keep="volume").equation


def test_curvature_is_kept_by_a_multiplier_in_dimension_three():
    energy = from_density(gf.Torus(dim=3), "R^2 + dot(d(f), d(f))", fields="g f")
    assert energy.gradient_in(keep=["volume", "R"]).multiplied == ["1", "R"]
    assert energy.gradient_in(keep=["volume", "R"], of="f").multiplied == []


def test_a_surface_that_keeps_its_curvature_flows_as_without():
    energy, here = from_density(PLANE, "R^2 + dot(d(f), d(f))", fields="g f"), drop(state(12), "A")
    free, kept = (rate(gf.Descent(energy.gradient_flow(keep=keep)), here) for keep in ((), "R"))
    assert np.array_equal(free, kept)


def test_the_dual_norm_beside_a_metric_that_moves_keeps_an_integral_by_a_multiplier():
    energy, mass = (from_density(PLANE, text, fields="g f") for text in ("R^2/100 + dot(d(f), d(f)) + f^4", "f"))
    start = drop(state(16), "A")
    free, kept = (slope(mass, gf.Descent(energy.gradient_flow("f:H-1", keep=keep)), start) for keep in ((), "f"))
    assert abs(kept) < 1e-8 < 1e-2 < abs(free)


def slope(functional, flow, start, step=1e-7):
    problem, by = flow.bind(start), step * rate(flow, start)
    after, before = (functional(problem.unpack(problem.y0 + change)) for change in (by, -by))
    return (after - before) / (2 * step)


def test_rates_at_constant_states():
    energy = from_density(PLANE, "dot(d(f), d(f))/2 + (f^2 - 1)^2/4", fields="g f")
    assert dict(energy.gradient_in(of="f").linearised_at({"f": 1}).rates((1, 0))) == {-3: 1}
    assert dict(energy.gradient_in("f:H-1", of="f").linearised_at({"f": 1}).rates((1, 2))) == {-5 * 7: 1}
    maxwell = from_density(gf.Torus(dim=3), "dot(d(A), d(A))/4", fields="g A:form")
    assert dict(maxwell.gradient_in(of="A").linearised_at().rates((0, 2, 0))) == {0: 1, -4: 2}


def test_sums_and_multiples_are_functionals_of_the_same_fields():
    first = from_density(PLANE, "dot(d(f), d(f))", fields="g f")
    second = from_density(PLANE, "a*f^2*R", fields="g f", parameters={"a": 2})
    total, here = first / 2 - 3 * second, drop(state(), "A")
    assert total(here) == pytest.approx(first(here) / 2 - 3 * second(here), rel=1e-12)
    assert total.certify()


@pytest.mark.slow
def test_energy_falls_in_a_gauge_as_without():
    energy = from_density(PLANE, "R^2/100 + dot(d(f), d(f))/2 + f^2", fields="g f")
    grid = PLANE.grid(16, scheme="spectral")
    start = grid.fields(f=grid.random_scalar(2, 0.1), g=grid.random_metric(1, 0.03))
    runs = [gf.solve(gf.Descent(energy.gradient_flow(), gauge=gauge), start, t1=2e-4, rtol=1e-8)
            for gauge in (None, "deturck")]
    falls = [run["energy"][0] - run["energy"][-1] for run in runs]
    assert falls[1] == pytest.approx(falls[0], rel=1e-5)
    assert np.abs(runs[1].last["g"].values - runs[0].last["g"].values).max() > 1e-3


@pytest.mark.parametrize(("how", "said"), [
    ({"of": "g"}, "'f' stays as it is"), ({"of": "f"}, "'g' stays as it is")])
def test_a_gauge_moves_all_fields(how, said):
    flow = from_density(PLANE, "R^2 + dot(d(f), d(f))", fields="g f").gradient_flow(**how)
    with pytest.raises(InputError, match=said):
        gf.Descent(flow, gauge="deturck")
    with pytest.raises(InputError, match="without a gauge"):
        gf.Descent(gf.functionals.ScalarSquared(PLANE).gradient_flow(), gauge="deturck")


@pytest.mark.parametrize(("density", "fields", "how", "rates"), [
    ("dot(d(f), d(f))/2 + (f^2 - 1)^2/4", "g f", {"of": "f", "metric": "f:H-1"}, "laplacian(f**3 - f - laplacian(f))"),
    ("dot(d(A), d(A))/4", "g A:form", {"of": "A"}, "div(d(A))"),
    ("dot(d(u), d(u))", "u", {}, "2*laplacian(u)"),
    ("f^2", "g f", {"of": "f", "keep": ["volume", "f"]}, "-2*f + lambda_1"),
    ("dot(Hess(f), Hess(f))", "g f", {"of": "f"}, "-grad_f(E)"),
])
def test_flows_show_their_rates_in_the_words_of_densities(density, fields, how, rates):
    assert str(from_density(PLANE, density, fields=fields).gradient_flow(**how).equation.rhs) == rates


def test_forms_of_higher_degree_are_written_too():
    energy = from_density(gf.Torus(dim=3), "exp(f)*dot(d(B), d(B)) + dot(B, B)", fields="g f B:2-form")
    assert energy.certify_gradient(energy.gradient_texts())


def test_parameters_are_written_by_name():
    energy = from_density(PLANE, "a*R*f^2 + b*exp(f)*dot(d(f), d(f)) + a*b*laplacian(f)^2", fields="g f",
                          parameters={"a": 0.3, "b": 2})
    assert "2*a*b*laplacian(laplacian(f))" in energy.gradient_texts()["f"]
    assert energy.certify_gradient(energy.gradient_texts())
