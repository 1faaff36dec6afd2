"""One reader for metrics of all kinds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import InputError, StoreError
from geomflow.fits import (
    ComponentFlow,
    ComponentTangent,
    Exponential,
    FlowedMetric,
    OverlapKernel,
    PotentialSpan,
    component_network,
    frozen_fit,
    kernel_metric,
    learned_kernel,
    phi_metric,
)
from geomflow.kernels import FubiniStudyGaussian
from geomflow.variety import FlatCurve, sample_patch
from geomflow.variety.metric import KINDS, HermitianMetric

assert gf.load_metric  # kinds are known once their modules are loaded
CUBIC = gf.Fermat(3)
POINTS = CUBIC.sample(300, seed=1)
PATCH = sample_patch(CUBIC, 100, seed=1, patch=0, elim=1)


def component_flow():
    return ComponentFlow(PATCH, FubiniStudyGaussian(0.4), steps=3).run(progress=False)


def learned():
    return frozen_fit(learned_kernel(POINTS, width=4, steps=2, tries=1, progress=False), POINTS, progress=False)


def frozen_components():
    span = ComponentTangent(component_network(PATCH, hidden=(4,), epochs=1, progress=False))
    return frozen_fit(span, PATCH, ridge=1e-2, progress=False)


MADE = {
    "geomflow Hermitian form 2": lambda: gf.algebraic_metric(CUBIC, 2, POINTS),
    "geomflow Fubini-Study metric 1": lambda: gf.FubiniStudy(CUBIC, (2,)),
    "geomflow flowed metric 1": lambda: FlowedMetric(gf.algebraic_metric(CUBIC, 2, POINTS), [0.01]),
    "geomflow flat curve 1": lambda: FlatCurve(CUBIC),
    "geomflow phi-network 1": lambda: phi_metric(CUBIC, POINTS, hidden=(4,), steps=(3, 1), progress=False),
    "geomflow component-network 1": lambda: component_network(PATCH, hidden=(4,), epochs=1, progress=False),
    "geomflow component metric 1": component_flow,
    "geomflow kernel metric 1": lambda: kernel_metric(POINTS, OverlapKernel(Exponential(1.0))),
    "frozen features": learned,
    "geomflow frozen components 1": frozen_components,
}


@pytest.fixture(scope="module", params=[*MADE, "points"])
def kept(request, tmp_path_factory):
    """Something, the file that keeps it, and what reads it."""
    kind, path = request.param, tmp_path_factory.mktemp("kept") / "kept.npz"
    if kind == "points":
        POINTS.save(path)
        return POINTS, path, gf.load_points
    metric = MADE[kind]()
    metric.save(path)
    return metric, path, gf.load_metric


def test_every_kind_is_among_those_that_are_tried():
    assert set(KINDS) - set(MADE) == {"geomflow frozen features 1", "geomflow Hermitian form 1"}  # of old


def test_a_new_process_knows_every_kind():
    """Kinds are known once their modules are loaded, which the one reader must see to."""
    code = "import geomflow, geomflow.variety.metric as m; geomflow.load_metric; print(*m.KINDS, sep=chr(10))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(told.splitlines()) == set(KINDS)


def test_metrics_of_every_kind_come_back(kept):
    made, path, load = kept
    again = load(path)
    assert type(again) is type(made)
    if load is gf.load_metric:
        assert np.array_equal(again.at(PATCH), made.at(PATCH))


#: What may be missing, and what may hold NaN and have any number of rows.
OPTIONAL, FREE = {"line", "off_variety", "points_line", "points_off_variety"}, {"history"}


def damaged(name, values):
    """Values that cannot stand for those of that name, whatever their sum of bits."""
    yield "missing", None
    if name in FREE:
        yield "short", values[:, 1:]
    elif values.dtype.kind == "U":
        yield "other", np.asarray("[1]" if str(values).startswith("{") else "{}")
        yield "broken", np.asarray("[1, {")
    else:
        yield "text", np.asarray("1")
        if values.ndim:
            yield "short", values[:-1]
            yield "flat", values[..., None]
        if values.dtype.kind in "fc" and values.size:
            bad = values.copy()
            bad.flat[values.size // 2] = np.nan
            yield "nan", bad


def test_whatever_is_damaged_in_a_file_is_refused(kept, tmp_path):
    """Each array in turn is dropped, cut, made NaN or made another: `StoreError`, with the checksum taken away."""
    _, path, load = kept
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != "digest"}
    np.savez(tmp_path / "all.npz", **arrays)
    load(tmp_path / "all.npz")
    for name, values in arrays.items():
        for what, bad in damaged(name, values):
            if (name in OPTIONAL and what == "missing") or (name, what) == ("labels", "short"):
                continue
            np.savez(tmp_path / "bad.npz", **{k: v for k, v in {**arrays, name: bad}.items() if v is not None})
            with pytest.raises(StoreError):
                load(tmp_path / "bad.npz")
                pytest.fail(f"'{name}' was read though {what}")


def test_other_files_are_refused(tmp_path):
    with pytest.raises(StoreError, match="cannot read"):
        gf.load_metric(tmp_path / "none.npz")
    POINTS.save(tmp_path / "points.npz")
    with pytest.raises(StoreError, match="holds no metric"):
        gf.load_metric(tmp_path / "points.npz")
    with pytest.raises(InputError, match="takes no kernel"):
        gf.FubiniStudy(CUBIC).save(tmp_path / "metric.npz")
        gf.load_metric(tmp_path / "metric.npz", kernel=None)


#: Files as they were before every metric had a kind of its own, and components g_{ab̄} at three points.
OLD = Path(__file__).parents[1] / "data" / "metrics_1"


@pytest.mark.parametrize("name", sorted(path.stem for path in OLD.glob("*.npz") if path.stem != "expected"))
def test_files_of_old_are_read(name):
    with np.load(OLD / "expected.npz") as expected:
        if name == "points":
            assert np.array_equal(gf.load_points(OLD / "points.npz").coordinates, expected["points"])
            return
        metric, there = gf.load_metric(OLD / f"{name}.npz"), CUBIC.points(expected["where"])
        np.testing.assert_allclose(metric.at(there), expected[name], rtol=1e-12)
    report = getattr(metric, "report", None)
    if name not in ("hermitian_form", "fubini_study", "flat_curve"):
        assert report.outcome.kind in ("finished", "steady")
        assert len(report.history) > 0
        assert str(report)


def test_a_metric_that_no_file_holds_says_so(tmp_path):
    class Mine(HermitianMetric):
        variety = CUBIC

        def at(self, points):
            return points.omega2[:, None, None] + 0j

    with pytest.raises(StoreError, match="cannot be stored"):
        Mine().save(tmp_path / "mine.npz")


@pytest.mark.parametrize("root", (HermitianMetric, PotentialSpan))
def test_a_class_that_names_its_kind_says_how_files_hold_it(root):
    with pytest.raises(TypeError, match="Mine names the kind 'mine' of its files, and lacks record and from_record"):
        type("Mine", (root,), {}, kind="mine")
    with pytest.raises(TypeError, match="lacks from_record"):
        type("Mine", (root,), {"record": lambda self: {}}, kind="mine")
    assert type("Mine", (root,), {}).kind == ""


#: First columns of the reports that the old files hold: as they were written, but for seconds.
OLD_REPORTS = {
    "component_metric": ("step", "sigma"),
    "component_network": ("epoch", "sigma held out"),
    "frozen_features": ("ridge", "sigma"),
    "kernel_invariant": ("time", "sigma"),
    "kernel_overlap": ("time", "sigma"),
    "phi_network": ("step", "sigma held out"),
}


@pytest.mark.parametrize("name", OLD_REPORTS)
def test_reports_of_old_are_read_under_the_names_of_their_columns(name):
    report = gf.load_metric(OLD / f"{name}.npz").report
    with np.load(OLD / f"{name}.npz") as file:
        written = file["history"]
    assert report.columns[:2] == OLD_REPORTS[name]
    assert report.points > 0 < report.parameters or name == "component_metric"
    drawn, sigma = report.curve
    assert np.all(np.diff(drawn) > 0) or name == "frozen_features"
    assert any(np.array_equal(sigma, column, equal_nan=True) for column in written.T)
    if name in ("component_network", "phi_network"):
        assert not np.isin(written[1:, 0], report.history).any()
        assert report.outcome.time == drawn[-1]


def test_a_report_comes_back_with_all_it_says(tmp_path):
    metric = gf.algebraic_metric(CUBIC, 2, POINTS)
    metric.save(tmp_path / "form.npz")
    again = gf.load_metric(tmp_path / "form.npz").report
    assert {**vars(again), "history": 0} == {**vars(metric.report), "history": 0}
    np.testing.assert_array_equal(again.history, metric.report.history)
    with pytest.raises(gf.core.errors.UnknownNameError, match="'sigma'"):
        again["sigmas"]
