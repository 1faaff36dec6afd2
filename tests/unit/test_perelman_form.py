"""Maps of a torus and what Perelman's form says where it cannot go on."""

import numpy as np
import pytest

import geomflow as gf
from geomflow.field import MetricField
from geomflow.field.interpolate import Interpolation, interpolate, resample
from geomflow.field.spectra import laplacian_spectrum
from geomflow.flow.diffeomorphism import FoldedMapError, TorusMap, integrated_maps
from geomflow.flow.equations.perelman import perelman_form
from geomflow.flow.equations.perelman_rates import dilaton, index_structures

GRID = gf.Torus(dim=2).grid(16, scheme="spectral")
METRIC = [["1 + 0.2*cos(2*pi*x)*sin(2*pi*y)", "0.1*sin(2*pi*x)"], ["0.1*sin(2*pi*x)", "1 + 0.1*cos(2*pi*(x + y))"]]


def shifted(amplitude):
    """(x, y) ↦ (x + a sin 2πx cos 2πy, y), which folds where 2πa ≥ 1."""
    first = GRID.scalar(f"{amplitude}*sin(2*pi*x)*cos(2*pi*y)").values
    return TorusMap(GRID, np.stack([first, np.zeros(GRID.shape)], axis=-1))


def test_the_pull_back_of_a_flat_metric_is_the_square_of_the_jacobian():
    psi = shifted(0.05)
    texts = "1 + 0.1*pi*cos(2*pi*x)*cos(2*pi*y)", "-0.1*pi*sin(2*pi*x)*sin(2*pi*y)"
    slopes = [GRID.scalar(text).values for text in texts]
    np.testing.assert_allclose(psi.determinant.values, slopes[0], atol=1e-13)
    pulled = psi.pull_back(GRID.metric())
    np.testing.assert_allclose(pulled.values[..., 0, 0], slopes[0] ** 2, atol=1e-13)
    np.testing.assert_allclose(pulled.values[..., 0, 1], slopes[0] * slopes[1], atol=1e-13)
    np.testing.assert_allclose(pulled.values[..., 1, 1], 1 + slopes[1] ** 2, atol=1e-13)


def test_the_pull_back_of_a_function_is_its_composition():
    psi, f = shifted(0.05), GRID.scalar("sin(2*pi*(x - 2*y))")
    x, y = np.moveaxis(psi.images(), -1, 0)
    np.testing.assert_allclose(psi.pull_back(f).values, np.sin(2 * np.pi * (x - 2 * y)), atol=1e-13)
    assert TorusMap.identity(GRID).pull_back(f).max_distance(f) < 1e-14
    assert "0.05" in repr(psi)


def test_a_map_that_folds_says_where():
    psi = shifted(0.25)
    with pytest.raises(FoldedMapError, match=r"determinant is -0\.570796 at grid point \(\d+, \d+\), \(x, y\) = "):
        psi.pull_back(GRID.scalar(1))
    assert shifted(0.1).fold() is None


def test_a_known_field_is_integrated_to_fourth_order():
    """ẋ = sin(2πx)/2π has tan πx(t) = e^t tan πx(0)."""
    grid = gf.Torus(dim=1).grid(17, scheme="spectral")
    field = np.sin(2 * np.pi * grid.points()) / (2 * np.pi)
    start = grid.points()[..., 0]
    exact = np.arctan2(np.e * np.sin(np.pi * start), np.cos(np.pi * start)) / np.pi
    errors = []
    for steps in (8, 16):
        *_, (t, psi) = integrated_maps(grid, lambda _: field, np.linspace(0, 1, steps + 1))
        assert t == 1
        errors.append(np.abs(psi.images()[..., 0] - exact).max())
    assert errors[1] < 1e-6
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.3)


def test_what_maps_and_points_are_refused():
    with pytest.raises(gf.GeomflowError, match=r"\(\*grid, d\)"):
        TorusMap(GRID, np.zeros(GRID.shape))
    with pytest.raises(gf.GeomflowError, match="displacement is nan"):
        TorusMap(GRID, np.full((*GRID.shape, 2), np.nan))
    psi = shifted(0.05)
    with pytest.raises(gf.GeomflowError, match="TensorField"):
        psi.pull_back(GRID.metric().ricci())
    with pytest.raises(gf.GeomflowError, match="different grids"):
        psi.pull_back(gf.Torus(dim=2).grid(8).scalar(1))
    with pytest.raises(gf.GeomflowError, match="2 coordinates"):
        interpolate(GRID.scalar(1), [[0.1, 0.2, 0.3]])
    with pytest.raises(gf.GeomflowError, match="point number 1 is"):
        interpolate(GRID.scalar(1), [[0.1, 0.2], [np.nan, 0.0]])
    with pytest.raises(gf.GeomflowError, match="lives on"):
        resample(GRID.scalar(1), gf.Torus(dim=2, periods=2).grid(8))


def test_complex_fields_tensors_and_potentials_between_grids():
    grids = [gf.ComplexTorus(dim=1).grid(n, scheme="spectral") for n in (12, 15)]
    forms = [g.hermitian([["1 + cos(2*pi*x)/5"]]) for g in grids]
    assert resample(forms[0], grids[1]).max_distance(forms[1]) < 1e-14
    assert np.iscomplexobj(interpolate(forms[0], [[0.1, 0.2]]))
    phases = np.exp(2j * np.pi * grids[0].points()[..., 0])
    assert Interpolation.to(grids[0], [0.3, 0.1])(phases) == pytest.approx(np.exp(0.6j * np.pi))
    ricci = GRID.metric(METRIC).ricci()
    assert resample(ricci, GRID).indices == "_ij"
    potentials = [g.potential("cos(2*pi*x)/100", reference=form) for g, form in zip(grids, forms, strict=True)]
    moved = resample(potentials[0], grids[1])
    assert moved.max_distance(potentials[1]) < 1e-14
    assert moved.metric().max_distance(potentials[1].metric()) < 1e-13


def test_what_the_spectrum_is_refused_of():
    with pytest.raises(gf.GeomflowError, match="MetricField"):
        laplacian_spectrum(GRID.scalar(1))
    for count in (0, True, 2.5, 129):
        with pytest.raises(gf.GeomflowError, match="count = "):
            laplacian_spectrum(GRID.metric(), count)
    with pytest.raises(gf.GeomflowError, match=r"smallest eigenvalue is -1"):
        laplacian_spectrum(MetricField(GRID, -GRID.metric().values))


def test_what_the_form_is_refused_of():
    metric = GRID.metric(METRIC)
    with pytest.raises(gf.GeomflowError, match="MetricField, made by"):
        perelman_form(GRID.scalar(1), 0.01)
    with pytest.raises(gf.GeomflowError, match="must be greater than t0"):
        perelman_form(metric, -1.0)
    with pytest.raises(gf.GeomflowError, match="outside of the run"):
        perelman_form(metric, 0.01, save_at=[0.005, 0.02])
    with pytest.raises(gf.GeomflowError, match="measure must be positive"):
        perelman_form(metric, 0.01, measure="cos(2*pi*x)")
    with pytest.raises(LookupError, match="did you mean 'start'"):
        perelman_form(metric, 0.01, identity_at="stat")
    with pytest.raises(gf.GeomflowError, match="nodes = 1"):
        perelman_form(metric, 0.01, nodes=1)
    with pytest.raises(LookupError, match="gauge"):
        perelman_form(metric, 0.01, gauge="harmonic")
    with pytest.raises(gf.GeomflowError, match="MetricField"):
        index_structures(GRID.scalar(1))
    with pytest.raises(gf.GeomflowError, match="measure must be positive"):
        dilaton(metric, -1)


def test_save_times_are_kept_to_the_bit():
    times = [0.0007, 0.0011, 0.0029, 0.003]
    form = perelman_form(GRID.metric(METRIC), 0.003, save_at=times, nodes=8)
    np.testing.assert_array_equal(form.times, [0.0, *times])
    np.testing.assert_array_equal(form.classical.times, form.times)
    assert len(form.metrics) == len(form.dilatons) == len(form.diffeomorphisms) == 5
    assert form.outcome.kind == "finished"
    assert "5 times; finished: reached t = 0.003." in repr(form)
    later = perelman_form(GRID.metric(METRIC), 1.003, t0=1.0, save_at=[1 + t for t in times], nodes=8)
    assert later.metrics[0].max_distance(form.metrics[0]) < 1e-9


def test_a_run_that_ends_early_gives_what_there_is_before():
    form = perelman_form(GRID.metric(METRIC), 0.01, save_at=10, events=gf.Event("so far", lambda t, _: 0.0045 - t))
    assert form.classical.times[-1] == pytest.approx(0.0045)
    np.testing.assert_allclose(form.times, np.linspace(0, 0.004, 5), atol=1e-15)
    assert "Perelman's form covers t = 0 to 0.004, and keeps the measure to " in form.outcome.message
    assert form.measure_drift() < 1e-6


def test_curvature_above_the_threshold_at_once():
    metric = GRID.metric(METRIC)
    form = perelman_form(metric, 0.01, measure=2, events=gf.CurvatureBlowUp(threshold=1.0))
    assert form.outcome.kind == "singular"
    assert form.conjugate is None
    assert form.metrics == (metric,)
    assert form.measure_drift() < 1e-12


def test_a_density_that_the_grid_does_not_resolve():
    """A spike one cell wide rings below zero at once."""
    spike = np.full(GRID.shape, 1e-7)
    spike[5, 5] = 1.0
    form = perelman_form(GRID.metric(METRIC), 0.01, measure=spike)
    assert form.outcome.kind == "diverged"
    assert "the density e^(-f), backward from t = 0.01, stopped at 0.01" in form.outcome.message
    np.testing.assert_array_equal(form.times, [0.01])


@pytest.mark.parametrize("end", ["start", "end"])
def test_maps_that_fold_on_a_coarse_grid(end):
    """The form goes from where the map is the identity to the last time before; the flow itself never folds."""
    metric = gf.Torus(dim=2).grid(12, scheme="spectral").metric(METRIC)
    form = perelman_form(metric, 0.05, measure="exp(3*cos(2*pi*x))", save_at=10, identity_at=end)
    assert form.outcome.kind == "diverged"
    assert "the map ψ folds: its Jacobian determinant is -" in form.outcome.message
    assert "grid point (" in form.outcome.message
    assert 2 < len(form.times) < 11
    assert form.times[0 if end == "start" else -1] == (0 if end == "start" else 0.05)
    assert all(psi.fold() is None for psi in form.diffeomorphisms)
