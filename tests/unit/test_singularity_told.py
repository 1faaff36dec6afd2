"""How singularities are fitted, classified and shown, and when there is none."""

from dataclasses import replace

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.outcome import OutcomeKind
from geomflow.flow.reduced.fits import approach
from geomflow.flow.reduced.singularity import kind_of

SPHERE = gf.catalogue.ansatz("product", spheres=(2,))
AGES = np.geomspace(1, 1e-9, 600)


@pytest.mark.parametrize(("scale", "power"), [(1.0, 0.0), (0.5, 0.0), (1.0, 0.5), (2.0, 1 / 3)])
def test_a_power_of_what_is_left_has_its_time_and_its_exponent(scale, power):
    found = approach(2 - AGES, scale * AGES ** -(1 + power))
    assert abs(found.time - 2) <= found.error + 4e-16
    assert found.error < 1e-9
    assert found.exponent == pytest.approx(power, abs=1e-5)
    assert found.left == pytest.approx(1e-9 / (1 + power), rel=0.3)


def test_logarithms_are_of_type_one():
    """Λ(T − t) = 1 + 1/(2τ), as at a neck."""
    found = approach(2 - AGES[100:], (1 - 0.5 / np.log(AGES[100:])) / AGES[100:])
    assert abs(found.time - 2) <= found.error + 4e-16
    assert abs(found.exponent) < 0.02


def test_nothing_is_fitted_to_what_has_not_doubled_three_times():
    assert approach(2 - AGES, np.linspace(1, 7, 600)) is None
    assert approach(np.array([0.0]), np.array([1.0])) is None
    assert approach(np.array([0.0, 1.0, 1.5, 1.75]), np.array([1.0, 2.0, 4.0, 8.0])).time == pytest.approx(2)


def test_runs_that_do_not_end_have_no_singularity():
    assert gf.solve(gf.RicciFlow(), SPHERE.state(A=1), 0.1).singularity is None
    blown_up = gf.solve(gf.Flow.from_expression("u^2"), gf.Torus(dim=1).grid(8).scalar("1"), 2.0)
    assert blown_up.outcome.kind is OutcomeKind.singular
    assert blown_up.singularity is None
    early = gf.solve(gf.RicciFlow(), SPHERE.state(A=1), 1.0, events=gf.CurvatureGrowth(2.0))
    assert early.singularity is None
    assert replace(gf.solve(gf.RicciFlow(), SPHERE.state(A=1), 1.0), monitors={}).singularity is None


def test_a_singularity_shows_itself():
    sol = gf.solve(gf.RicciFlow(), SPHERE.state(A=1), 1.0)
    assert str(sol.singularity).startswith("extinction, T = 0.5")
    assert repr(sol.singularity).endswith("type I")
    shown = sol.singularity._repr_html_()
    for words in ("extinction", "0.5", " ± ", "everywhere", "type I, max |Rm| (T − t) = 1", "roundness"):
        assert words in shown
    assert "extinction, T = 0.5" in sol._repr_html_()


@pytest.mark.parametrize(("shrinking", "exponent", "x", "kind"), [
    (0.01, 0.0, np.pi / 2, "neckpinch"), (0.01, 0.3, 0.02, "degenerate neckpinch"), (2.9, 0.0, 0.02, "extinction"),
    (3.0, 0.3, 0.02, "degenerate neckpinch"), (1.9, 0.0, np.pi / 2, "collapse"),
])
def test_kinds_by_what_shrinks_and_where(shrinking, exponent, x, kind):
    dumbbell = gf.catalogue.ansatz("sphere", n=2).grid(32).state(chi="1", psi="sin(x)*sqrt(1 - 3/4*sin(x)^2)")
    assert kind_of(dumbbell, shrinking, exponent, {"x": x}) == kind
    round_one = gf.catalogue.ansatz("sphere", n=2).grid(16).state(chi="1", psi="sin(x)")
    assert kind_of(round_one, 0.1, 0.3, {"x": 0.02}) == "degenerate neckpinch"


def test_the_smallest_neck_and_what_is_not_resolved_are_noted():
    sphere = gf.catalogue.ansatz("sphere", n=2)
    sol = gf.solve(gf.RicciFlow(), sphere.grid(64).state(chi="1", psi="sin(x)*sqrt(1 - 3/4*sin(x)^2)"), 1e-3)
    assert sol["neck_radius"][0] == pytest.approx(0.5, rel=1e-7)
    assert sol["neck_radius"][-1] == pytest.approx(sol.last.necks("psi").values[0], rel=1e-6)
    assert 0 < sol["tail"][0] < 1e-6
    short = gf.solve(gf.RicciFlow(), sphere.grid(16).state(chi="1", psi="sin(x)"), 1e-3)
    assert np.isinf(short["neck_radius"]).all()
    assert "neck_radius" not in gf.solve(gf.RicciFlow(), SPHERE.state(A=1), 0.1).monitors
