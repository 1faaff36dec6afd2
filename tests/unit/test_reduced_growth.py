"""Grids on which a mode grows that the equation does not have: refused before a run, with what to change."""

import re

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.flow.reduced.binding import rates_in
from geomflow.flow.reduced.growth import growth, require_same_growth

DETURCK = gf.RicciFlow(gauge="deturck")


def sphere(n: int, points: int, order: int | None = None) -> ReducedGrid:
    return gf.catalogue.ansatz("sphere", n=n).grid(points, order)


@pytest.mark.parametrize("n, order", [(2, 2), (2, 8), (3, 4)])
def test_stencils_are_refused_where_spheres_of_dimension_two_or_more_close(n: int, order: int) -> None:
    start = sphere(n, 24, order).state(chi=1, psi="sin(x)")
    with pytest.raises(InputError, match=rf"faster the finer.*16 points.*32.*order {order}.*leave the order out"):
        gf.solve(DETURCK, start, 0.01)


@pytest.mark.parametrize("name, parameters, order, fastest", [
    ("sphere", {"n": 1}, 2, 2), ("sphere", {"n": 1}, 8, 2), ("sphere", {"n": 2}, None, 4),
    ("sphere", {"n": 3}, None, 6), ("sphere-circle", {"n": 2}, 4, 2), ("join", {"p": 1, "q": 1}, 4, 4),
    ("join", {"p": 2, "q": 2}, None, 8),
])
def test_what_grows_about_round_metrics_is_their_size(name: str, parameters: dict[str, int], order: int | None,
                                                     fastest: float) -> None:
    """e^{2nt} on S^{n+1}, from g' = −2n g; a product S^n × S^1 at radius one has 2(n − 1); on any grid."""
    ansatz = gf.catalogue.ansatz(name, **parameters)
    grid, reduction = ansatz.grid(24, order), ansatz.reduce(DETURCK)
    require_same_growth(grid, lambda one: rates_in("deturck", one, reduction))
    found, _ = growth(rates_in("deturck", grid.resized([40]), reduction))
    assert found == pytest.approx(fastest, rel=1e-6)


def test_an_equation_that_is_not_well_posed_is_refused() -> None:
    start = sphere(1, 24).state(chi=1, psi="sin(x)")
    with pytest.raises(InputError, match="not well-posed"):
        gf.solve(gf.Flow.from_expression("2*Ric"), start, 0.01)


def test_grids_are_resized_with_their_share_of_modes() -> None:
    grid = gf.catalogue.ansatz("sphere", n=2).grid(32, modes=24)
    found = grid.resized([64])
    assert found.shape == (64,)
    assert np.linalg.matrix_rank(found.basis.project) == 48
    assert grid.resized([32]) == grid


@pytest.mark.parametrize("kappa", [11, 20])
def test_points_that_are_drawn_too_strongly_are_refused_at_any_strength(kappa: int) -> None:
    start = gf.catalogue.ansatz("sphere", n=2).grid(64, places=[(0.5, kappa)]).state(chi="1", psi="sin(x)")
    with pytest.raises(InputError, match=r"drawn too strongly.*smaller κ"):
        gf.solve(gf.RicciFlow(), start, 0.1)


@pytest.mark.parametrize("place, kappa", [(0.5, 6), (np.pi / 2, 9), (0.0, 6)])
def test_points_that_are_drawn_less_are_not(place: float, kappa: float) -> None:
    start = gf.catalogue.ansatz("sphere", n=2).grid(64, places=[(place, kappa)]).state(chi="1", psi="sin(x)")
    assert np.isfinite(gf.RicciFlow().bind(start).y0).all()


@pytest.mark.parametrize("name, place", [("sphere", 0.5), ("sphere-circle", 1.0)])
@pytest.mark.parametrize("kappa", [15, 40])
def test_maps_that_points_do_not_resolve_are_refused(name: str, place: float, kappa: float) -> None:
    """The strength that is told is carried: the volume of S³ is right then."""
    ansatz = gf.catalogue.ansatz(name, n=2)
    with pytest.raises(InputError, match=rf"too strongly to X = {place:g} for 32 of them.*such as places=") as told:
        ansatz.grid(32, places=[(place, kappa)])
    fits = float(re.search(r"places=\[\([0-9.]+, ([0-9.]+)\)\]", str(told.value))[1])
    assert 3 < fits < kappa
    if name == "sphere":
        volume = ansatz.grid(32, places=[(place, fits)]).state(chi="1", psi="sin(x)").volume()
        assert volume == pytest.approx(2 * np.pi**2, rel=1e-5)
