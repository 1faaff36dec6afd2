"""Volumes with orbits that close by odd and even spheres, and metrics that are refused because they are none."""

from math import gamma, pi

import pytest
import sympy

import geomflow as gf
from geomflow.core.errors import InputError, PositivityError


def sphere_volume(dim: int) -> float:
    """Of the unit sphere."""
    return 2 * pi ** ((dim + 1) / 2) / gamma((dim + 1) / 2)


def surface(rows: list[list[str]], functions: str, ends: object = "pole", end: str = "pi") -> gf.Ansatz:
    """A metric in x and an angle, of unknowns of x."""
    chart = gf.Chart("x phi", periods={"phi": 2 * sympy.pi})
    return gf.Ansatz(gf.Metric(chart, rows, functions=functions), domain=gf.Interval(0, end, ends=ends))


@pytest.mark.parametrize(("p", "q"), [(1, 1), (1, 2), (2, 1), (2, 3), (3, 2)])
@pytest.mark.parametrize(("grid", "error"), [({"n": 16}, 1e-12), ({"n": 32, "places": [(1.0, 2)]}, 1e-11),
                                             ({"n": 48, "order": 4}, 1e-8)])
def test_the_volume_of_a_join_is_that_of_the_sphere(p: int, q: int, grid: dict[str, int], error: float) -> None:
    state = gf.catalogue.ansatz("join", p=p, q=q).grid(**grid).state(chi="1", psi1="sin(x)", psi2="cos(x)")
    assert state.volume() == pytest.approx(sphere_volume(p + q + 1), rel=error)


def test_the_area_of_a_hemisphere_with_a_mirror_is_half_of_the_sphere() -> None:
    half = surface([["chi(x)^2", "0"], ["0", "psi(x)^2"]], "chi psi", ("pole", "mirror"), "pi/2")
    state = half.grid(16).state(chi="1", psi="sin(x)")
    assert state.volume() == pytest.approx(2 * pi, rel=1e-13)
    assert gf.solve(gf.RicciFlow(), state, 0.2).last.volume() == pytest.approx(2 * pi * 0.6, rel=1e-10)


def test_a_conformal_factor_flows_on_the_round_sphere() -> None:
    """u (dx² + sin²x dφ²): the sphere closes by itself, and dies at ½."""
    round_ = surface([["u(x)", "0"], ["0", "u(x)*sin(x)^2"]], "u").grid(16).state(u="1")
    assert round_.volume() == pytest.approx(4 * pi, rel=1e-13)
    assert gf.solve(gf.RicciFlow(), round_, 1.0).singularity.time == pytest.approx(0.5, abs=1e-10)


@pytest.mark.parametrize("order", [None, 4])
def test_a_conformal_exponential_loses_area_as_every_sphere_does(order: int | None) -> None:
    """e^{2u} (dx² + sin²x dφ²): the area falls by 8π t, through stencils to their order."""
    round_ = surface([["exp(2*u(x))", "0"], ["0", "exp(2*u(x))*sin(x)^2"]], "u")
    state = round_.grid(24, order=order).state(u="cos(x)/5")
    sol = gf.solve(gf.RicciFlow(), state, 2.0)
    assert sol.singularity.time == pytest.approx(state.volume() / (8 * pi), rel=1e-10 if order is None else 1e-5)


@pytest.mark.parametrize("rows", [[["exp(2*u(x))", "0"], ["0", "exp(2*u(x))*sin(x)^2/4"]],
                                  [["u(x)", "0"], ["0", "u(x)*sin(x)^2/4"]], [["u(x)", "0"], ["0", "2*u(x)"]],
                                  [["u(x)", "0"], ["0", "u(x)*(2 + sin(x))^2"]]])
def test_a_pole_where_nothing_closes_smoothly_is_refused(rows: list[list[str]]) -> None:
    with pytest.raises(InputError, match="pole"):
        surface(rows, "u").grid(16).state(u="1")


def test_coordinates_beside_unknowns_are_not_moved() -> None:
    """u² dx² + v² (2 + cos x)² dy²: points that moved would carry the coefficient along; the metric stays itself."""
    chart = gf.Chart("x y", periods={"x": 2 * sympy.pi, "y": 2 * sympy.pi})
    metric = gf.Metric(chart, [["u(x)^2", "0"], ["0", "v(x)^2*(2 + cos(x))^2"]], functions="u v")
    state = gf.Ansatz(metric).grid(32).state(u="1 + 3/10*cos(x)", v="1")
    problem = gf.RicciFlow().bind(state)
    assert problem.unpack(problem.y0).volume() == pytest.approx(state.volume(), rel=1e-13)
    assert problem.description["gauge"] == "comoving"


@pytest.mark.parametrize(("c", "d"), [("3/2 + cos(2*pi*x)/10", "1"), ("0", "-1")])
def test_indefinite_metrics_are_refused(c: str, d: str) -> None:
    chart = gf.Chart("x y z", periods=dict.fromkeys("xyz", 1))
    rows = [["a(x)", "0", "0"], ["0", "b(x)", "c(x)"], ["0", "c(x)", "e1(x)"]]
    ansatz = gf.Ansatz(gf.Metric(chart, rows, functions="a b c e1"))
    with pytest.raises(PositivityError, match="not positive"):
        ansatz.grid(16).state(a="1", b="1", c=c, e1=d)


@pytest.mark.parametrize("places", [3, [(1, -6)], [(1,)]])
def test_places_are_pairs_of_an_angle_and_a_strength(places: object) -> None:
    with pytest.raises(InputError, match="places"):
        gf.catalogue.ansatz("sphere", n=2).grid(24, places=places)
    with pytest.raises(InputError, match="places"):
        gf.catalogue.ansatz("sphere-circle", n=2).grid(24, places=places)
