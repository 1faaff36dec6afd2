"""States and grids of metrics with symmetry: what is said of wrong input."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import (
    ExpressionError,
    GeomflowError,
    InputError,
    PositivityError,
    ShapeError,
    UnknownNameError,
)

SPHERE, SU2 = gf.catalogue.ansatz("sphere", n=2), gf.catalogue.ansatz("su2")
CIRCLE, JOIN = gf.catalogue.ansatz("sphere-circle", n=2), gf.catalogue.ansatz("join", p=1, q=2)
GRID = SPHERE.grid(24)
ONES = np.ones(24)


def sphere(chi: Any = 1, psi: Any = "sin(x)") -> Any:
    return GRID.state(chi=chi, psi=psi)


def refused(make: Callable[[], Any], error: type[GeomflowError], words: str) -> None:
    with pytest.raises(error, match=re.compile(words, re.DOTALL)):
        make()


@pytest.mark.parametrize("chi, psi, words", [
    ("1", "2*sin(x)", "at x = 0 .* 2 of the slope of 'psi'.*a cone of 720 degrees.*function that is 0.5 there"),
    ("1 + cos(x)/2", "3/2*sin(x)", r"at x = pi .* 3 of the slope"),
    ("1 + x/5", "sin(x)", "at x = 0 'chi' has a slope.*first derivative vanish"),
    ("1 + sin(x)", "sin(x)", "'chi' has a slope"),
    ("1", "1", "at x = 0 the orbits close.*does not vanish.*simple zero"),
    ("1", "sin(x)^2", "at x = 0 the orbits close.*vanishes faster"),
])
def test_ends_that_do_not_close_smoothly(chi: str, psi: str, words: str) -> None:
    refused(lambda: sphere(chi, psi), InputError, words)


@pytest.mark.parametrize("chi, psi, words", [
    (ONES, 2 * np.sin(GRID.points["x"]), "at x = 0 .* a cone of 720 degrees"),
    (1 + np.cos(GRID.points["x"] / 2) ** 2 / 5, np.sin(GRID.points["x"]), "at x = 0 .* a cone of 300 degrees"),
    (1 + np.sin(GRID.points["x"] / 2) ** 2 / 5, np.sin(GRID.points["x"]), "at x = 3.14159 .* a cone of 300 degrees"),
])
def test_cones_of_arrays(chi: Any, psi: Any, words: str) -> None:
    refused(lambda: sphere(chi, psi), InputError, words)
    assert sphere(ONES, np.sin(GRID.points["x"]))["psi"].min() > 0


def test_slopes_at_mirrors_of_two_coordinates() -> None:
    chart = gf.Chart("x y z", ranges={"x": (0, 1)}, periods={"y": 1, "z": 1})
    rows = [["a(x, y)", 0, 0], [0, "b(x, y)", 0], [0, 0, "c(x, y)"]]
    domain = {"x": gf.Interval(0, 1, "mirror"), "y": gf.Circle(1)}
    grid = gf.Ansatz(gf.Metric(chart, rows, functions="a b c"), domain=domain).grid((12, 12))
    refused(lambda: grid.state(a="1 + x*(1 - x)^2*sin(2*pi*y)", b=1, c=1), InputError, "at x = 0 'a' has a slope")
    refused(lambda: grid.state(a=1, b="1 + x^2/9", c=1), InputError, "at x = 1 'b' has a slope")
    assert grid.state(a="1 + x^2*(1 - x)^2*sin(2*pi*y)", b=1, c=1)["a"].max() > 1


@pytest.mark.parametrize("given, words", [
    (SPHERE, r"has no values yet: .*ansatz.grid\(64\).state\(chi=..., psi=...\)"),
    (GRID, r"grid.state\(chi=..., psi=...\)"),
    (SU2, r"ansatz.state\(A=..., B=..., C=...\)"),
])
def test_runs_start_from_values(given: Any, words: str) -> None:
    refused(lambda: gf.solve(gf.RicciFlow(), given, 1.0), InputError, words)


def test_the_other_end_of_a_join_closes_with_its_own_unknown() -> None:
    grid = JOIN.grid(32)
    refused(lambda: grid.state(chi=1, psi1="sin(x)", psi2="2*cos(x)"), InputError, r"at x = pi/2 .*'psi2'.*720 degrees")
    assert grid.state(chi=1, psi1="sin(x)", psi2="cos(x)")["psi2"].min() > 0


@pytest.mark.parametrize("psi, words", [
    ("sin(x)*(1 - 11/10*sin(x)^2)", r"'psi' is -0.1 at x = 1.5708"),
    ("sin(x)*(1 - sin(x)^2)", r"'psi' is 0 at x = 1.5708"),
    ("sin(x)*(1 - 3/2*sin(2*x)^2)", "'psi' is -.* positive inside"),
])
def test_profiles_that_vanish_inside(psi: str, words: str) -> None:
    refused(lambda: sphere(psi=psi), PositivityError, words)


def test_homogeneous_metrics_are_positive() -> None:
    refused(lambda: SU2.state(A=-1, B=1, C=1), PositivityError, "'A' is -1")
    refused(lambda: SU2.state(A=1, B=0, C=1), PositivityError, "'B' is 0")


@pytest.mark.parametrize("chi, psi", [("1 + 9/10*cos(40*x)", "19/10*sin(x)"), ("1", "sin(x)*(1 - 1/2*sin(4*x)^2)"),
                                      (ONES, np.sin(GRID.points["x"]) * (1 + np.arange(24) % 2 / 9))])
def test_profiles_that_the_grid_does_not_resolve(chi: Any, psi: Any) -> None:
    refused(lambda: sphere(chi, psi), InputError, "does not resolve .* Take more points")


def test_functions_on_circles_are_periodic() -> None:
    refused(lambda: CIRCLE.grid(32).state(chi=1, psi="1 + x/10"), InputError, "does not resolve 'psi'")


def test_each_unknown_has_a_value_and_nothing_else_has() -> None:
    refused(lambda: GRID.state(chi=1), InputError, "'psi' has no value.*chi, psi")
    refused(lambda: SU2.state(A=1, B=2), InputError, "'C' has no value")
    refused(lambda: GRID.state(chi=1, psi="sin(x)", phi=1), UnknownNameError, "'phi'; did you mean 'psi'")
    refused(lambda: SU2.state(A=1, B=2, D=3), UnknownNameError, "'D'; choose one of: A, B, C")
    refused(lambda: sphere()["x"], UnknownNameError, "chi, psi")
    refused(lambda: sphere().at("phi", [1.0]), UnknownNameError, "'phi'")


@pytest.mark.parametrize("chi, error, words", [
    (np.ones(23), ShapeError, r"shape \(23,\) were given for 'chi', and the grid has \(24,\)"),
    (np.ones((24, 1)), ShapeError, r"\(24, 1\)"),
    (np.full(24, np.nan), InputError, "'chi' is not finite"),
    (float("nan"), InputError, "'chi' = nan is not a finite"),
    (float("inf"), InputError, "'chi' = inf is not a finite"),
    ("log(-1)", InputError, r"'chi' = log\(-1\) is not a finite real number"),
    (1j * ONES, InputError, "'chi' .*complex"),
    (np.ma.masked_equal(ONES, 1), InputError, "24 of 24 values are masked"),
    (["a"] * 24, InputError, "'chi' must be an array of numbers"),
    (lambda x: np.nan, InputError, "'chi' is not finite"),
    (lambda x: [x, x], ShapeError, r"'chi' must give a number at each point, not values of shape \(2,\)"),
    ("1 + y", ExpressionError, "unknown name 'y'"),
    ("1 + theta2", InputError, "'chi' depends on 'theta2', and may depend on x"),
    ("1 +", ExpressionError, "cannot read"),
])
def test_values_that_are_no_functions_of_the_coordinates(chi: Any, error: type[GeomflowError], words: str) -> None:
    refused(lambda: sphere(chi), error, words)


def test_values_that_are_no_numbers() -> None:
    refused(lambda: SU2.state(A=[1, 2], B=1, C=1), ShapeError, r"\(2,\) were given for 'A'")
    refused(lambda: SU2.state(A="theta", B=1, C=1), InputError, "depends on 'theta', and may depend on nothing")


@pytest.mark.parametrize("make, error, words", [
    (lambda: SU2.grid(64), InputError, "are numbers: there is no coordinate to put 64 points on"),
    (SPHERE.grid, InputError, "depend on x: say how many points"),
    (lambda: SPHERE.state(chi=1, psi="sin(x)"), InputError, "say how many points"),
    (lambda: SPHERE.grid((32, 32)), ShapeError, "2 numbers of points .* coordinates x"),
    (lambda: SPHERE.grid(32, order=3), InputError, "2, 4, 6, 8, not 3"),
    (lambda: SPHERE.grid(32, order="4"), InputError, "2, 4, 6, 8, not '4'"),
    (lambda: SPHERE.grid(3, order=8), InputError, "order 8 needs .* at least 5, not 3"),
    (lambda: SPHERE.grid(1), InputError, "at least 2, not 1"),
    (lambda: SPHERE.grid(8).state(chi=1, psi="sin(x)"), InputError, "'psi' has 6 modes less than the 6 .* 12 points"),
    (lambda: SPHERE.grid(-8), InputError, "along x is -8"),
    (lambda: SPHERE.grid(32.5), InputError, "along x is 32.5"),
    (lambda: SPHERE.grid("32"), InputError, "along x is '32'"),
    (lambda: SPHERE.grid(True), InputError, "along x is True"),
    (lambda: SPHERE.grid(32, modes=40), InputError, "1 to 32 modes, not 40"),
    (lambda: CIRCLE.grid(0), InputError, "along x is 0"),
])
def test_grids_that_cannot_be(make: Callable[[], Any], error: type[GeomflowError], words: str) -> None:
    refused(make, error, words)


def test_least_grids_hold_what_they_say() -> None:
    assert SPHERE.grid(12).state(chi=2, psi="2*sin(x)").scalar("R") == pytest.approx(6 / 4, rel=1e-9)


def test_states_of_other_grids_and_places_outside() -> None:
    state = sphere()
    refused(lambda: state.distance(SPHERE.grid(32).state(chi=1, psi="sin(x)")), ShapeError, "different grids")
    refused(lambda: state.unpack(np.ones(3)), ShapeError, r"\(3,\) .* \(2, 24\)")
    refused(lambda: state.at("psi", [4.0]), InputError, "4.0.* outside")
    refused(lambda: state.scalar("Q"), ExpressionError, "unknown name 'Q'")
    refused(lambda: state.scalar("Ric"), ExpressionError, "'Ric' is a tensor with 2 lower indices")
