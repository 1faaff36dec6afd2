"""The ansätze of the catalogue: reduced Ricci flow is the textbooks', decided, with its first integrals and volumes."""

import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.symbolic import catalogue, is_zero

A, B, C = sympy.symbols("A B C", positive=True)
LAMBDAS = {"su2": (1, 1, 1), "nil": (1, 0, 0), "sol": (1, 0, -1), "sl2r": (1, 1, -1), "e2": (1, 1, 0)}
CLASS_A = {"I": (0, 0, 0), "II": (1, 0, 0), "VI": (1, 0, -1), "VII": (1, 1, 0), "VIII": (1, 1, -1), "IX": (1, 1, 1)}


def rates_of(name, flow="-2*Ric", **parameters):
    """The reduced rates by name of the unknown."""
    reduction = catalogue.ansatz(name, **parameters).reduce(flow)
    return {u.name: reduction[u.name] for u in reduction.unknowns}


def milnor(lambdas):
    """A' = −4(λ₁²A² − (λ₂B − λ₃C)²)/(BC), and cyclic."""
    (a, b, c), weights = lambdas, (A, B, C)
    turned = [(a, b, c, *weights), (b, c, a, B, C, A), (c, a, b, C, A, B)]
    return [-4 * (p**2 * u**2 - (q * v - r * w) ** 2) / (v * w) for p, q, r, u, v, w in turned]


def same(found, wanted):
    """Whether expressions agree, decided."""
    return is_zero([f - w for f, w in zip(found, wanted, strict=True)]).decided()


@pytest.mark.parametrize("name", LAMBDAS)
def test_ricci_flow_of_left_invariant_metrics_is_milnors(name):
    assert same(rates_of(name).values(), milnor(LAMBDAS[name]))


@pytest.mark.parametrize("kind", CLASS_A)
def test_bianchi_types_of_class_a_are_the_unimodular_groups(kind):
    assert same(rates_of("bianchi", type=kind).values(), milnor(CLASS_A[kind]))


@pytest.mark.parametrize(("kind", "h", "p", "q"), [("III", 0, 2, 0), ("V", 0, 1, 1), ("VI", "-1/4", "3/2", "-1/2"),
                                                   ("VI", -1, 2, 0), ("VI", -2, "1 + sqrt(2)", "sqrt(2) - 1")])
def test_bianchi_types_of_class_b_that_ricci_flow_keeps(kind, h, p, q):
    """A dx² + B e^{2px}dy² + C e^{2qx}dz² has Ric(∂_x) = −(p²+q²), and −p(p+q)/A, −q(p+q)/A along y and z."""
    p, q = sympy.sympify(p), sympy.sympify(q)
    wanted = [2 * (p**2 + q**2), 2 * p * (p + q) * B / A, 2 * q * (p + q) * C / A]
    assert same(rates_of("bianchi", type=kind, h=h).values(), wanted)


@pytest.mark.parametrize("kind, h", [("IV", 0), ("VII", 1)])
def test_bianchi_types_of_class_b_that_ricci_flow_leaves_are_named_with_a_component(kind, h):
    ansatz = catalogue.ansatz("bianchi", type=kind, h=h)
    with pytest.raises(InputError, match=r"leaves the ansatz: .* the component g_[yz]z"):
        ansatz.reduce("-2*Ric")


@pytest.mark.parametrize("name, integral, where", [
    ("sol", A * C, {}), ("sol", B * (A - C), {}), ("sl2r", C**2 * A / (A + C), {B: A}),
    ("su2", A**2 * B / (B - A), {C: B}), ("nil", A * B, {}), ("nil", A * C, {}), ("e2", A * B, {}),
    ("e2", C * (A + B), {}),
])  # fmt: skip
def test_first_integrals_are_constant_along_the_reduced_equations(name, integral, where):
    rates = {unknown: rate.subs(where) for unknown, rate in rates_of(name).items()}
    for follower, leader in where.items():
        assert is_zero(rates[follower.name] - rates[leader.name]).decided()
    assert is_zero(sum(integral.diff(u) * rates[u.name] for u in (A, B, C) if u not in where)).decided()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_berger_spheres_follow_the_canonical_variation(n):
    """Ric is 2nA/B² along unit vectors of the fibre, 2(n+1)/B − 2A/B² along those of the base (Besse, 1987, 9.70)."""
    wanted = [-2 * A * 2 * n * A / B**2, -2 * B * (2 * (n + 1) / B - 2 * A / B**2)]
    assert same(rates_of("berger", n=n).values(), wanted)


def test_berger_spheres_of_dimension_three_are_symmetric_metrics_of_su2():
    found, whole = rates_of("berger"), {u: rate.subs(C, B) for u, rate in rates_of("su2").items()}
    assert same(found.values(), [whole["A"], whole["B"]])
    assert is_zero(whole["B"] - whole["C"]).decided()


@pytest.mark.parametrize(("spheres", "flat"), [((2,), 0), ((2, 2), 0), ((3, 2), 1), ((1, 4), 2), ((), 3)])
def test_factors_of_products_shrink_each_at_its_own_speed(spheres, flat):
    found = rates_of("product", spheres=spheres, flat=flat)
    assert list(found.values()) == [-2 * (n - 1) for n in spheres] + [0] * flat


def warped(name, **parameters):
    """The reduced rates, and χ, the other unknowns and d/ds of the unit speed on x."""
    ansatz = catalogue.ansatz(name, **parameters)
    found = ansatz.reduce(gf.RicciFlow())
    chi, *others = (u.value for u in ansatz.unknowns)
    (x,) = chi.args
    return found, chi, others, lambda f: f.diff(x) / chi, ansatz.metric.chart


@pytest.mark.parametrize("name, n", [("sphere", 1), ("sphere", 2), ("sphere", 4), ("sphere-circle", 2),
                                     ("sphere-circle", 3)])
def test_warped_spheres_follow_angenent_and_knopf(name, n):
    """χ_t = n χ ψ_ss/ψ and ψ_t = ψ_ss − (n−1)(1 − ψ_s²)/ψ."""
    found, chi, (psi,), along, chart = warped(name, n=n)
    slope, bend = along(psi), along(along(psi))
    wanted = {"chi": n * chi * bend / psi, "psi": bend - (n - 1) * (1 - slope**2) / psi}
    assert is_zero([found[name] - rate for name, rate in wanted.items()], chart).decided()


@pytest.mark.parametrize("p, q", [(1, 1), (1, 2), (2, 2), (3, 2)])
def test_joins_follow_the_equations_of_doubly_warped_products(p, q):
    """Each ψ_a feels its own sphere and the slope of the other (Petersen, Riemannian Geometry, §4.2.4)."""
    found, chi, (u, v), along, chart = warped("join", p=p, q=q)
    u_s, v_s = along(u), along(v)
    wanted = {"chi": chi * (p * along(u_s) / u + q * along(v_s) / v),
              "psi1": along(u_s) - (p - 1) * (1 - u_s**2) / u + q * u_s * v_s / v,
              "psi2": along(v_s) - (q - 1) * (1 - v_s**2) / v + p * u_s * v_s / u}
    assert is_zero([found[name] - rate for name, rate in wanted.items()], chart).decided()


@pytest.mark.parametrize("k, n", [(1, 2), (2, 1), (2, 2)])
def test_tori_with_spheres_follow_the_equations_of_doubly_warped_products(k, n):
    found, chi, (phi, psi), along, chart = warped("torus-sphere", k=k, n=n)
    u_s, v_s = along(phi), along(psi)
    wanted = {"chi": chi * (k * along(u_s) / phi + n * along(v_s) / psi),
              "phi": along(u_s) + (k - 1) * u_s**2 / phi + n * u_s * v_s / psi,
              "psi": along(v_s) - (n - 1) * (1 - v_s**2) / psi + k * u_s * v_s / phi}
    assert is_zero([found[name] - rate for name, rate in wanted.items()], chart).decided()


UNIT = {"chi": 1, "psi": sympy.sin, "psi1": sympy.sin, "psi2": sympy.cos, "A": 1, "B": 1, "C": 1}
ROUND = [("su2", {}, 3), ("berger", {}, 3), ("berger", {"n": 2}, 5), ("sphere", {"n": 1}, 2), ("sphere", {}, 3),
         ("sphere", {"n": 3}, 4), ("join", {}, 3), ("join", {"p": 2, "q": 1}, 4)]


def at_round(expression, ansatz):
    """An expression in the unknowns at the unit sphere, with derivatives carried out."""
    table = {}
    for u in ansatz.unknowns:
        value = UNIT[u.name]
        table[u.value] = value(*u.value.args) if callable(value) else sympy.Integer(value)
    return expression.subs(table).doit()


@pytest.mark.parametrize("name, parameters, dim", ROUND)
def test_the_unit_sphere_is_in_each_ansatz_and_shrinks_as_it_must(name, parameters, dim):
    """Ric = (d−1) g, so that ∂_t log g = −2(d−1) and the volume is 2π^{(d+1)/2}/Γ((d+1)/2)."""
    ansatz = catalogue.ansatz(name, **parameters)
    found, chart = ansatz.reduce("-2*Ric"), ansatz.metric.chart
    for u in ansatz.unknowns:
        speed = (1 - dim) * (2 if u.name in "ABC" else 1)
        assert is_zero(at_round(found[u.name] - speed * u.value, ansatz), chart).decided()
    assert is_zero(at_round(ansatz.scalar("R"), ansatz) - dim * (dim - 1), chart).decided()
    half = sympy.Rational(dim + 1, 2)
    assert is_zero(volume(ansatz) - 2 * sympy.pi**half / sympy.gamma(half)).decided()


def volume(ansatz):
    """That of the unit sphere: the orbit's, integrated over the domain."""
    density = at_round(ansatz.measure.density, ansatz)
    for name, domain in ansatz.domain.items():
        (x,) = (s for s in ansatz.metric.chart.symbols if s.name == name)
        density = sympy.integrate(density, (x, domain.a, domain.b))
    return ansatz.measure.volume * density


@pytest.mark.parametrize("name, parameters", [("su2", {}), ("sol", {}), ("sl2r", {}), ("bianchi", {"type": "V"})])
def test_normalised_flow_keeps_the_volume_of_homogeneous_metrics(name, parameters):
    """The mean of R is R itself, also where the orbit's volume is infinite."""
    ansatz = catalogue.ansatz(name, **parameters)
    found = ansatz.reduce(gf.RicciFlow(normalised=True))
    assert not found.means
    assert is_zero(sum(rate / u.value for rate, u in zip(found.rates, ansatz.unknowns, strict=True))).decided()


def test_integrals_over_homogeneous_metrics_have_the_volume_of_the_orbit():
    """∂_t g = (∫R dV) g on SU(2): the unit sphere has R = 6 and volume 2π²."""
    found = catalogue.ansatz("su2").reduce("integral(R)*g")
    assert is_zero(found["A"].subs({A: 1, B: 1, C: 1}) - 12 * sympy.pi**2).decided()


def test_the_mean_of_a_normalised_flow_is_over_orbits():
    """⟨R⟩ on S³ is ∫Rχψ² dx/∫χψ² dx, and dχ/dt gains ⟨R⟩χ/3."""
    ansatz = catalogue.ansatz("sphere")
    free, kept = ansatz.reduce(gf.RicciFlow()), ansatz.reduce(gf.RicciFlow(normalised=True))
    (mean,) = kept.means
    chi, psi = (u.value for u in ansatz.unknowns)
    chart = ansatz.metric.chart
    assert is_zero(mean.bottom - chi * psi**2, chart).decided()
    assert is_zero(mean.top - ansatz.scalar("R") * chi * psi**2, chart).decided()
    (name,) = {s for rate in kept.rates for s in rate.free_symbols if s.name == mean.name}
    assert is_zero([k - f - name * u / 3 for k, f, u in zip(kept.rates, free.rates, (chi, psi), strict=True)],
                   chart).decided()


def test_yamabe_flow_is_reduced_and_scales_all_unknowns_alike():
    """∂_t g = −R g."""
    for name in ("su2", "sphere", "join"):
        ansatz = catalogue.ansatz(name)
        found, scalar = ansatz.reduce("-R*g"), ansatz.scalar("R")
        share = 1 if name == "su2" else sympy.Rational(1, 2)
        wanted = [-share * scalar * u.value for u in ansatz.unknowns]
        assert is_zero([f - w for f, w in zip(found.rates, wanted, strict=True)], ansatz.metric.chart).decided()


def test_scalar_curvature_of_left_invariant_metrics():
    """R = −2(Σ λ_i²A_i² − 2 Σ_{i<j} λ_iλ_j A_iA_j)/(ABC)."""
    for name, (a, b, c) in LAMBDAS.items():
        u, v, w = a * A, b * B, c * C
        wanted = -2 * (u**2 + v**2 + w**2 - 2 * u * v - 2 * v * w - 2 * w * u) / (A * B * C)
        assert is_zero(catalogue.ansatz(name).scalar("R") - wanted).decided()


@pytest.mark.parametrize("name", ["nil", "su2"])
def test_ansatz_and_geometry_of_one_name_are_one_metric(name):
    assert catalogue.ansatz(name).metric.matrix == catalogue.get(name).metric.matrix


def test_the_order_of_unknowns_is_that_of_the_names():
    for name, wanted in {"sphere": "chi psi", "join": "chi psi1 psi2", "torus-sphere": "chi phi psi", "berger": "A B",
                         "sl2r": "A B C"}.items():
        assert " ".join(u.name for u in catalogue.ansatz(name).unknowns) == wanted
    assert set(catalogue.ansatz_names()) >= {"su2", "nil", "sol", "sl2r", "e2", "bianchi", "sphere", "join", "product"}
