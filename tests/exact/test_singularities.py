"""When, where and how metrics with symmetry become singular, against closed forms and values of other formulations."""

from itertools import pairwise
from math import pi, sqrt
from typing import Any

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.outcome import OutcomeKind

AREA = 2 * pi * (1 + 4 * pi / (3 * sqrt(3)))
DUMBBELL = "sin(x)*sqrt(1 - {}*sin(x)^2)"


def met(state: Any, flow: Any = None, **options: Any) -> Any:
    """The singularity that Ricci flow from a state meets."""
    sol = gf.solve(flow or gf.RicciFlow(), state, 3.0, **options)
    assert sol.outcome.kind is OutcomeKind.singular
    return sol.singularity


def product(*radii: float, flat: int = 0) -> Any:
    """Round spheres S² of these squares of radii, and circles."""
    ansatz = gf.catalogue.ansatz("product", spheres=(2,) * len(radii), flat=flat)
    return ansatz.state(**dict(zip("ABCD", [*radii, *(1,) * flat], strict=False)))


@pytest.mark.parametrize("rtol", [1e-11, 1e-7])
@pytest.mark.parametrize(("start", "end"), [((1, 2, 3), 0.473664231414785), ((1, 1, 4), 1 / 8 + pi / (6 * sqrt(3))),
                                            ((1, 1, 1), 1 / 4)])
def test_left_invariant_metrics_on_su2_shrink_to_round_points(start: tuple[int, ...], end: float, rtol: float) -> None:
    """By two formulations; in closed form for A = B. Curvature is √12/(4(T − t)) when round."""
    found = met(gf.catalogue.ansatz("su2").state(**dict(zip("ABC", start, strict=True))), rtol=rtol)
    assert abs(found.time - end) <= found.error < 100 * rtol
    assert (found.kind, found.rate, found.location, found.profile) == ("extinction", "type I", {}, None)
    assert found.scale == pytest.approx(sqrt(12) / 4, rel=100 * rtol)
    assert found.roundness == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("radii", "flat", "kind"), [((1, 2), 0, "collapse"), ((2, 1), 0, "collapse"),
                                                     ((1,), 1, "collapse"), ((1, 1), 0, "extinction"),
                                                     ((2,), 0, "extinction")])
def test_products_die_where_their_smallest_sphere_does(radii: tuple[float, ...], flat: int, kind: str) -> None:
    """T = min r²/2; S² × S² of equal radii shrinks as a whole, though it is not round."""
    found = met(product(*radii, flat=flat))
    assert abs(found.time - min(radii) / 2) <= found.error < 1e-9
    assert (found.kind, found.rate) == (kind, "type I")


@pytest.mark.parametrize(("n", "end"), [(1, 1 / 2), (2, 1 / 4), (3, 1 / 6)])
def test_round_spheres_from_uneven_coordinates(n: int, end: float) -> None:
    """S^{n+1} of radius 1 dies at 1/(2n)."""
    state = gf.catalogue.ansatz("sphere", n=n).grid(24).state(chi="1 + cos(x)/3", psi="sin(x + sin(x)/3)")
    found = met(state, rtol=1e-9)
    assert abs(found.time - end) <= found.error < 1e-7
    assert (found.kind, found.rate) == ("extinction", "type I")
    assert found.roundness == pytest.approx(1, abs=1e-8)


def test_a_surface_of_revolution_dies_when_its_area_says() -> None:
    """T = A₀/8π; R (T − t) → 1, and |Rm| = R on surfaces."""
    found = met(gf.catalogue.ansatz("sphere", n=1).grid(64).state(chi="sqrt(cos(x)^2 + 4*sin(x)^2)", psi="sin(x)"))
    assert abs(found.time - AREA / (8 * pi)) <= found.error < 1e-8
    assert found.time == pytest.approx(AREA / (8 * pi), abs=1e-10)
    assert (found.kind, found.rate) == ("extinction", "type I")
    assert found.scale == pytest.approx(1, abs=1e-6)


def test_a_dumbbell_pinches_at_its_neck() -> None:
    """a = 0.9 on S³: T = 0.07485228, by another gauge and discretisation; r² ≤ 2(T − t), with logarithms below it."""
    sol = gf.solve(gf.RicciFlow(), gf.catalogue.ansatz("sphere", n=2).grid(96).state(chi="1", psi=DUMBBELL.format(0.9)),
                   1.0)
    found = sol.singularity
    assert found.time == pytest.approx(0.0748522821, abs=5e-9)
    assert abs(found.time - 0.0748522821) <= found.error < 1e-6
    assert (found.kind, found.rate) == ("neckpinch", "type I")
    assert found.location["x"] == pytest.approx(pi / 2, abs=1e-9)
    sigma, radius = found.profile
    ratio = radius[np.argmin(np.abs(sigma))]
    assert -1 < (ratio**2 - 1) * -np.log(found.time - sol.times[-1]) < -0.4
    middle = np.abs(sigma) < 2
    assert (np.diff(radius[middle]) * np.sign(sigma[middle][1:] + sigma[middle][:-1]) >= -1e-9).all()
    left, radii = found.time - sol.monitor_times, sol["neck_radius"]
    assert (radii[:-1] ** 2 < 2 * left[:-1]).all()
    assert (radii[left > 1e-6] ** 2 > left[left > 1e-6]).all()


def test_a_flat_dumbbell_shrinks_round() -> None:
    """a = 0.5 on S³ dies at 0.1791646676."""
    found = met(gf.catalogue.ansatz("sphere", n=2).grid(48).state(chi="1", psi=DUMBBELL.format(0.5)))
    assert abs(found.time - 0.1791646676) <= found.error + 5e-11
    assert found.time == pytest.approx(0.1791646676, abs=1e-9)
    assert (found.kind, found.rate) == ("extinction", "type I")
    assert found.roundness == pytest.approx(1, abs=1e-4)


def test_extrema_never_become_more() -> None:
    """Sturm: a dumbbell that loses its neck has one bump from then on, and shrinks round."""
    state = gf.catalogue.ansatz("sphere", n=2).grid(48).state(chi="1", psi=DUMBBELL.format(0.6))
    sol = gf.solve(gf.RicciFlow(), state, 1.0, rtol=1e-7, save_at=[*np.linspace(0.005, 0.14, 28), 1.0])
    counts = [len(s.necks("psi").places) + len(s.bumps("psi").places) for s in sol.states]
    assert (counts[0], counts[-1]) == (3, 1)
    assert all(later <= before for before, later in pairwise(counts))
    assert sol.singularity.kind == "extinction"


@pytest.mark.slow
def test_a_tube_pinches_and_what_is_not_resolved_is_in_the_error() -> None:
    """S² × S¹ on 48 points against 160: too few for a neck of radius 5e-4, and the error says so."""
    tube = gf.catalogue.ansatz("sphere-circle", n=2)
    coarse, fine = (met(tube.grid(n).state(chi="1", psi="1 + cos(x)/2"), events=gf.ResolutionLoss(1.0))
                    for n in (48, 160))
    for found in (coarse, fine):
        assert (found.kind, found.rate) == ("neckpinch", "type I")
        assert found.location["x"] == pytest.approx(pi, abs=1e-6)
    assert 1e-6 < abs(coarse.time - fine.time) <= coarse.error + fine.error
    assert fine.error < coarse.error / 2
