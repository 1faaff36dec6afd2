"""Runs of homogeneous metrics against closed forms, first integrals and extinction times by quadrature."""

import mpmath as mp
import pytest

import geomflow as gf
from geomflow.core.outcome import OutcomeKind

RICCI = gf.RicciFlow()


def run(ansatz: gf.Ansatz, start: dict[str, float], end: float, flow: gf.Flow = RICCI) -> gf.Solution:
    return gf.solve(flow, ansatz.state(**start), end)


def left_invariant(name: str, start: tuple[float, float, float], end: float) -> gf.Solution:
    return run(gf.catalogue.ansatz(name), dict(zip("ABC", start, strict=True)), end)


def numbers(sol: gf.Solution, names: str = "ABC") -> tuple[float, ...]:
    return tuple(sol.last[name] for name in names)


def test_nil_is_its_closed_form() -> None:
    """D = 12t + B₀C₀/A₀; A ∝ D^{−1/3}, B and C ∝ D^{1/3}."""
    a, b, c = 1, 2, 3
    growth = (12 * 20 + b * c / a) * a / (b * c)
    found = numbers(left_invariant("nil", (a, b, c), 20.0))
    assert found == pytest.approx((a * growth ** (-1 / 3), b * growth ** (1 / 3), c * growth ** (1 / 3)), rel=1e-10)


@pytest.mark.parametrize("start", [(4, 2, 1), (1, 2, 3), (5, 0.1, 0.2)])
def test_sol_keeps_its_first_integrals_and_its_time(start: tuple[float, float, float]) -> None:
    """AC and B(A − C); with G = A/C, c = B|G − 1|/√G: t = (c/8)[H(√G₀) − H(√G)], H(w) = −w/(2(w²−1)) − ½ arctan w."""
    def clock(ratio: float) -> float:
        w = mp.sqrt(max(ratio, 1 / ratio))
        return -w / (2 * (w**2 - 1)) - mp.atan(w) / 2

    a, b, c = start
    end = 0.7
    x, y, z = numbers(left_invariant("sol", start, end))
    assert x * z == pytest.approx(a * c, rel=1e-10)
    assert y * (x - z) == pytest.approx(b * (a - c), rel=1e-10)
    speed = b * abs(a / c - 1) / mp.sqrt(a / c) / 8
    assert float(speed * (clock(a / c) - clock(x / z))) == pytest.approx(end, rel=1e-10)


def test_sol_with_equal_ends_grows_along_its_line() -> None:
    """A = C stay, and B' = 16."""
    assert numbers(left_invariant("sol", (2, 1, 2), 3.0)) == pytest.approx((2, 49, 2), rel=1e-10)


def test_sl2r_keeps_its_first_integral_its_time_and_its_limit() -> None:
    """A = B stay equal: C²A/(A + C) is constant, dt = A dA/(4(2A + C)), and C falls to C₀/√(1 + C₀/A₀)."""
    start, a, c = (1, 1, 3), 1, 3
    level = mp.mpf(c * c * a) / (a + c)

    def other(x: mp.mpf) -> mp.mpf:
        """C from A: C²A = level (A + C)."""
        return (level + mp.sqrt(level**2 + 4 * level * x**2)) / (2 * x)

    x, y, z = numbers(left_invariant("sl2r", start, 2.0))
    assert x == y
    assert z == pytest.approx(float(other(mp.mpf(x))), rel=1e-10)
    assert float(mp.quad(lambda s: s / (4 * (2 * s + other(s))), [a, 2, x])) == pytest.approx(2.0, rel=1e-10)
    x, y, z = numbers(left_invariant("sl2r", start, 1e3))
    assert z == pytest.approx(float(other(mp.mpf(x))), rel=1e-10)
    limit = c / (1 + c / a) ** 0.5
    assert z / limit - 1 == pytest.approx(limit / (2 * x), rel=limit / x)


@pytest.mark.parametrize("n, a, b", [(1, 1, 4), (1, 9, 1), (2, 1, 2), (2, 3, 1)])
def test_berger_spheres_keep_their_first_integral_and_die_when_they_must(n: int, a: float, b: float) -> None:
    """x = A/B: A|1 − x|^{−n/(n+1)} = k, and with |1 − x| = u^{n+1}, T = (k/4) ∫_0^{u₀} u^{n−1}/(1 ∓ u^{n+1})² du."""
    berger, x = gf.catalogue.ansatz("berger", n=n), mp.mpf(a) / b
    level, sign = a * abs(1 - x) ** (-mp.mpf(n) / (n + 1)), 1 if x > 1 else -1
    reach = abs(1 - x) ** (1 / mp.mpf(n + 1))
    end = level / 4 * mp.quad(lambda u: u ** (n - 1) / (1 + sign * u ** (n + 1)) ** 2, [0, reach])
    half = run(berger, {"A": a, "B": b}, float(end) / 2).last
    assert half["A"] * abs(1 - half["A"] / half["B"]) ** (-n / (n + 1)) == pytest.approx(float(level), rel=1e-10)
    sol = run(berger, {"A": a, "B": b}, 2 * float(end))
    assert sol.outcome.kind is OutcomeKind.singular
    assert sol.outcome.time == pytest.approx(float(end), rel=1e-10)


def test_left_invariant_metrics_with_two_equal_numbers_are_bergers() -> None:
    """A²B/|B − A| on SU(2), from (2, 5, 5)."""
    a, b, c = numbers(left_invariant("su2", (2, 5, 5), 0.3))
    assert b == pytest.approx(c, rel=1e-14)
    assert a**2 * b / (b - a) == pytest.approx(20 / 3, rel=1e-10)


@pytest.mark.parametrize("dims, flat, start", [((2,), 0, (1.0,)), ((5,), 0, (2.0,)), ((2, 3), 0, (3.0, 1.0)),
                                               ((3, 2), 1, (5.0, 0.5, 2.0))])
def test_products_of_round_spheres_shrink_each_at_its_speed(dims: tuple[int, ...], flat: int,
                                                            start: tuple[float, ...]) -> None:
    """r² = r₀² − 2(n−1)t; the product dies with its first factor, and circles stay."""
    product, speeds = gf.catalogue.ansatz("product", spheres=dims, flat=flat), [2 * (n - 1) for n in dims] + [0] * flat
    first = min(r / s for r, s in zip(start, speeds, strict=True) if s)
    given = dict(zip("ABC", start, strict=False))
    found = run(product, given, 0.9 * first)
    wanted = [r - 0.9 * s * first for r, s in zip(start, speeds, strict=True)]
    assert numbers(found, "ABC"[:len(start)]) == pytest.approx(wanted, rel=1e-10)
    scalar = sum(n * (n - 1) / r for n, r in zip(dims, wanted, strict=False))
    assert found["curvature_max"][-1] == pytest.approx(scalar, rel=1e-9)
    sol = run(product, given, 2 * first)
    assert sol.outcome.kind is OutcomeKind.singular
    assert sol.outcome.time == pytest.approx(first, rel=1e-10)


@pytest.mark.parametrize("name, start", [("su2", (1, 2, 3)), ("su2", (5, 1, 1)), ("sol", (1, 2, 3)),
                                         ("nil", (3, 1, 1))])
def test_normalised_flow_keeps_the_volume(name: str, start: tuple[float, float, float]) -> None:
    sol = run(gf.catalogue.ansatz(name), dict(zip("ABC", start, strict=True)), 2.0, gf.RicciFlow(normalised=True))
    assert sol["volume"] == pytest.approx(sol["volume"][0], rel=1e-10)
    a, b, c = start
    x, y, z = numbers(sol)
    assert x * y * z == pytest.approx(a * b * c, rel=1e-10)
    if name == "su2":  # round in the end: deviations fall as e^{−8t/r²}, r⁶ = ABC
        assert max(x, y, z) / min(x, y, z) - 1 < 20 * mp.exp(-16 / (a * b * c) ** (1 / 3))


def test_long_runs_on_sl2r_take_few_steps() -> None:
    """A and B become equal soon, and explicit steps stay short for it: 28,000 of them. Against scipy's Radau."""
    from scipy.integrate import solve_ivp

    def rate(t: float, y: list[float]) -> list[float]:
        a, b, c = y
        return [4 * ((b + c) ** 2 - a**2) / (b * c), 4 * ((a + c) ** 2 - b**2) / (a * c),
                4 * ((a - b) ** 2 - c**2) / (a * b)]

    sol = left_invariant("sl2r", (1, 2, 3), 1e4)
    other = solve_ivp(rate, (0, 1e4), [1, 2, 3], method="Radau", rtol=1e-12, atol=1e-12)
    assert len(sol.monitor_times) < 1500
    assert numbers(sol) == pytest.approx(tuple(other.y[:, -1]), rel=1e-9)


@pytest.mark.parametrize(("kind", "h", "speeds"), [("V", 0, (4, 4, 4)), ("III", 0, (8, 8, 0)), ("VI", -4, (20, 24, 8))])
def test_groups_of_class_b_grow_as_their_closed_forms(kind: str, h: int, speeds: tuple[float, float, float]) -> None:
    """A = A₀ + a t, B and C ∝ A^{b/a}, A^{c/a}; their orbits have no volume, and √(ABC) is told, with d log/dt = −R."""
    (a, b, c), start, end = speeds, (2.0, 1.0, 3.0), 5.0
    growth = 1 + a * end / start[0]
    sol = run(gf.catalogue.ansatz("bianchi", type=kind, h=h), dict(zip("ABC", start, strict=True)), end)
    wanted = [u * growth ** (s / a) for u, s in zip(start, speeds, strict=True)]
    assert numbers(sol) == pytest.approx(wanted, rel=1e-10)
    volumes = sol["volume"]
    assert volumes[-1] / volumes[0] == pytest.approx(growth ** ((a + b + c) / (2 * a)), rel=1e-10)
    assert -2 * sol["curvature_max"][0] == pytest.approx((a + b + c) / start[0], rel=1e-12)
