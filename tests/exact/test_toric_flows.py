"""Kähler–Ricci and Calabi flow of toric metrics: limits, rates, laws, stores, and what diverges."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError
from geomflow.flow.toric.singularity import end_of_class

RICCI = gf.KahlerRicciFlow(normalised=True)
UNSTABLE = [(39, 1), (38, 2), (36, 3), (24, 7), (-24, 7), (-36, 3), (-38, 2), (-39, 1), (-39, -1), (-38, -2), (-36, -3),
            (-24, -7), (24, -7), (36, -3), (38, -2), (39, -1)]


def decay(sol: Any) -> float:
    """The rate at which the last saved states come near to each other: of differences over equal times."""
    a, b, c = (sol.states.packed(k) for k in (-3, -2, -1))
    return float(np.log(np.linalg.norm(b - a) / np.linalg.norm(c - b)) / (sol.times[-1] - sol.times[-2]))


def test_kahler_ricci_flow_tends_to_the_einstein_metric_at_the_rate_of_the_spectrum():
    """λ/2 − 1 with λ = 6.32277268, the lowest eigenvalue on functions that D₆ keeps."""
    toric = gf.Toric("dP3")
    start = toric.grid(10, symmetric=True).state("(x1^2 + x1*x2 + x2^2)/10")
    sol = gf.solve(RICCI, start, t1=6.0, save_at=[5.0, 5.5, 6.0])
    assert abs(decay(sol) - (6.32277268 / 2 - 1)) < 1e-4
    assert np.abs(sol.last.scalar(start.grid.fine) - 4).max() < 0.05
    assert sol["calabi_energy"][-1] < 1e-4 * sol["calabi_energy"][0]


def test_rates_without_symmetry_are_those_of_the_spectrum_too():
    """4.74276153/2 − 1 on functions that are kept by nothing, modulo affine ones: linearised at the Einstein metric."""
    found = gf.Toric("dP3").einstein(12)
    rates = RICCI.linearise(found.state().on(gf.Toric("dP3").grid(12))).spectrum(3)
    assert np.abs(rates - (1 - np.array([4.74276153, 4.74276153, 6.32277268]) / 2)).max() < 1e-5


def test_kahler_ricci_flow_tends_to_the_soliton_modulo_automorphisms():
    toric = gf.Toric("dP1")
    found = toric.soliton(10)
    sol = gf.solve(RICCI, found.state().grid.state("x1*x2/20"), t1=12.0)
    assert sol.last.distance(found.state()) < 1e-4
    rate = 1 - found.spectrum(4, symmetric=True)[2] / 2
    assert abs(RICCI.linearise(found.state()).spectrum(1)[0] - rate) < 1e-4


@pytest.mark.parametrize(("name", "h"), [("F1", "x1^2/10"), ("F2", "x2^2/10"), ("dP1", "x1*x2/20")])
def test_calabi_flow_tends_to_the_extremal_metric(name, h):
    """Along it the K-energy falls, and it ends where the weak equation has its solution, to rounding."""
    toric = gf.Toric(name)
    found = toric.extremal(8).state()
    sol = gf.solve(gf.CalabiFlow(), toric.grid(8).state(h), t1=30.0, save_at=6)
    assert np.all(np.diff(sol["k_energy"]) < 1e-12)
    assert sol.last.distance(found) < 1e-8 * sol.states[0].distance(found)
    slowest = -gf.CalabiFlow().linearise(found.on(toric.grid(8))).spectrum(1)[0]
    assert slowest > 0.5


def test_calabi_flow_decays_at_the_rate_of_its_linearised_operator():
    toric = gf.Toric("CP1xCP1")
    grid = toric.grid(6, symmetric=True)
    rate = -gf.CalabiFlow().linearise(grid.state()).spectrum(1)[0]
    times = np.array([5, 5.5, 6]) / rate
    sol = gf.solve(gf.CalabiFlow(), grid.state("(x1^2 + x2^2)/20"), t1=times[-1], save_at=times)
    assert abs(decay(sol) / rate - 1) < 1e-3


def test_the_round_sphere_decays_as_its_harmonics():
    """On CP¹ × CP¹ each φ(x₁) of degree l has λ = l(l + 1), and the linearised Calabi flow the rate λ(λ − 2)/2."""
    toric = gf.Toric("CP1xCP1")
    rates = gf.CalabiFlow().linearise(toric.grid(4).state()).spectrum(3)
    assert np.abs(rates - [-4, -12, -12]).max() < 1e-10
    ricci = RICCI.linearise(toric.grid(4).state()).spectrum(3)
    assert np.abs(ricci - [-1, -2, -2]).max() < 1e-10


def test_calabi_flow_diverges_where_the_surface_is_not_stable():
    toric = gf.Toric(UNSTABLE)
    sol = gf.solve(gf.CalabiFlow(), toric.grid(6, symmetric=True).state(), t1=1e9, rtol=1e-5)
    assert sol.outcome.kind == "diverged"
    assert str(toric.stability.cut) in sol.outcome.message
    with pytest.raises(InputError, match=r"not K-stable.*destabilised by max"):
        toric.extremal(6)


def test_the_class_moves_as_the_normalised_flow_says():
    """g(t) = (1 − t) g̃(−log(1 − t)) in c₁; the volume is exact."""
    start = gf.Toric("dP3").grid(6, symmetric=True).state("(x1^2 + x1*x2 + x2^2)/10")
    moving = gf.solve(gf.KahlerRicciFlow(), start, t1=0.5)
    kept = gf.solve(RICCI, start, t1=np.log(2))
    x = np.array([(0, 0), (0.2, 0.3), (0.5, 0.5), (1, 0)])
    assert np.abs(moving.last.scalar(x / 2) / 2 - kept.last.scalar(x)).max() < 1e-6
    assert abs(moving["volume"][-1] - moving["volume"][0] / 4) < 1e-12 * moving["volume"][0]
    assert abs(moving.last.volume() - moving["volume"][-1]) < 1e-11


def test_the_round_plane_shrinks_to_a_point():
    """Fubini and Study's metric stays what it is: R = 4/(1 − t)."""
    sol = gf.solve(gf.KahlerRicciFlow(), gf.Toric("CP2").grid(4).state(), t1=0.5)
    assert np.abs(sol.last.scalar([(0, 0), (-0.5, 0.2)]) - 8).max() < 1e-10


def test_classes_end_at_their_cohomological_times():
    """On the blow-up with y in [a, b] the curve contracts at a, where 3a < b, else fibres collapse at (b − a)/2."""
    def blow_up(b):
        return gf.Toric([(1, 0), (b, 0), (0, b), (0, 1)])

    assert [blow_up(b).class_end for b in (2, 3, 6)] == [Fraction(1, 2), 1, 1]
    assert [len(blow_up(b).vanishing_sides) for b in (2, 3, 6)] == [2, 4, 1]
    sol = gf.solve(gf.KahlerRicciFlow(), blow_up(2).grid(5, symmetric=True).state(), t1=2.0)
    assert sol.outcome.kind == "singular"
    assert abs(sol.times[-1] + sol["shortest_side"][-1] / 2 - 0.5) < 1e-12
    assert 0.45 < sol.times[-1] < 0.5


def test_runs_with_a_moving_class_are_kept(tmp_path):
    start = gf.Toric("dP3").grid(6, symmetric=True).state("(x1^2 + x1*x2 + x2^2)/10")
    sol = gf.solve(gf.KahlerRicciFlow(), start, t1=0.2, store=tmp_path / "run.zarr")
    kept = gf.load(tmp_path / "run.zarr")
    assert np.array_equal(kept.last.scalar([(0.1, 0.2)]), sol.last.scalar([(0.1, 0.2)]))
    assert kept.last.grid == sol.last.grid


def test_runs_are_kept_and_go_on_to_the_same_bits(tmp_path):
    start = gf.Toric("dP3").grid(8, symmetric=True).state("(x1^2 + x1*x2 + x2^2)/10")
    whole = gf.solve(RICCI, start, t1=0.4, save_at=4)
    gf.solve(RICCI, start, t1=0.2, save_at=2, store=tmp_path / "run.zarr")
    gf.solve(RICCI, start, t1=0.4, save_at=4, store=tmp_path / "run.zarr", resume=True)
    kept = gf.load(tmp_path / "run.zarr")
    assert np.array_equal(kept.states.packed(-1), whole.states.packed(-1))
    assert kept.last.grid == start.grid
    assert np.array_equal(kept.last.scalar([(0.1, 0.2)]), whole.last.scalar([(0.1, 0.2)]))


def test_flows_that_do_not_run_on_toric_surfaces():
    start = gf.Toric("dP3").grid(4).state()
    with pytest.raises(InputError, match="density"):
        gf.solve(gf.KahlerRicciFlow(density=2, normalised=True), start, 1.0)
    with pytest.raises(InputError, match="no multiple of c₁"):
        gf.solve(RICCI, gf.Toric("F2").grid(4).state(), 1.0)
    with pytest.raises(InputError, match="ricci was given"):
        gf.solve(gf.RicciFlow(), start, 1.0)


@pytest.mark.parametrize(("corners", "kind", "time", "count"), [
    ([(1, 0), (6, 0), (0, 6), (0, 1)], "contraction", Fraction(1), 1),
    ([(1, 0), (2, 0), (0, 2), (0, 1)], "collapse", Fraction(1, 2), 2),
    ([(1, 0), (3, 0), (0, 3), (0, 1)], "extinction", Fraction(1), 4),
])  # fmt: skip
def test_ends_of_classes_are_told_apart_by_the_polygon_that_is_left(corners, kind, time, count):
    """As of the momentum profiles on [a, b]: 3a < b, 3a > b and 3a = b."""
    toric = gf.Toric(corners)
    assert (end_of_class(toric), toric.class_end, len(toric.vanishing_sides)) == (kind, time, count)


def test_the_contraction_of_a_curve_is_told_with_its_time_place_and_side(tmp_path):
    blow_up = gf.Toric([(1, 0), (6, 0), (0, 6), (0, 1)])
    sol = gf.solve(gf.KahlerRicciFlow(), blow_up.grid(5, symmetric=True).state(), t1=2.0, store=tmp_path / "run.zarr")
    found = sol.singularity
    assert (found.kind, found.curves) == ("contraction", ("x1 + x2 - 1 = 0",))
    assert abs(found.time - 1) <= found.error < 1e-14
    assert abs(found.location["x1"] + found.location["x2"] - 1 - sol.times[-1]) < 1e-9  # on the side as it is then
    assert found.rate == "type I"
    assert sol.singularities == (found,)
    assert str(gf.load(tmp_path / "run.zarr").singularity) == str(found)


def test_the_extinction_of_the_plane_is_everywhere():
    """Λ(T − t) is constant: |Rm|² = R²/12 · 4 = 16/3 · (1/(1 − t))² of Fubini and Study's metric, R = 4/(1 − t)."""
    sol = gf.solve(gf.KahlerRicciFlow(), gf.Toric("CP2").grid(4).state(), t1=2.0)
    found = sol.singularity
    assert (found.kind, found.time, found.location, len(found.curves)) == ("extinction", 1.0, {}, 3)
    assert abs(found.scale - np.sqrt(16 / 3)) < 1e-6


def test_what_keeps_its_class_has_no_singularity():
    assert gf.solve(RICCI, gf.Toric("CP2").grid(4).state(), t1=0.1).singularity is None
