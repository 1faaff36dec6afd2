"""The studies of the finite network and of feature learning, cell by cell at sizes of a test."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow.fits import ComponentTraining, component_network
from geomflow.study import STUDIES, Baseline, FeatureLearning, Findings
from geomflow.study.baseline import KINDS
from geomflow.study.feature_learning import ELSEWHERE, MIDDLE
from geomflow.study.gains import chart_points
from geomflow.study.seeds import geometric

matplotlib.use("Agg")
QUINTIC = gv.Fermat(5)
TINY = {"points": 2500, "steps": 25, "fresh": 60, "seed": 0}


@pytest.mark.slow
def test_a_gain_is_the_ratio_of_sigmas_inside_the_cone_and_counts_what_is_outside():
    points, metric = QUINTIC.sample(300, seed=1), gf.fits.algebraic_metric(QUINTIC, 2, QUINTIC.sample(300, seed=2))
    found = gv.quality(metric, points)
    assert found.not_positive == 0
    assert found.gain == pytest.approx(float(gv.sigma(gv.FubiniStudy(QUINTIC), points) / gv.sigma(metric, points)))

    class Broken(gv.HermitianMetric):
        variety = QUINTIC

        def at(self, points):
            g = metric.at(points)
            g[:7] *= -1
            return g

    assert gv.quality(Broken(), points).not_positive == 7


def test_geometric_means():
    assert geometric([4.0]) == (4.0, 1.0)
    mean, factor = geometric([1.0, 4.0])
    assert mean == pytest.approx(2.0)
    assert factor == pytest.approx(2.0)


@pytest.fixture(scope="module")
def findings():
    study = FeatureLearning()
    settings = [(0.0, 4, []), (0.0, MIDDLE, [30]), (ELSEWHERE, MIDDLE, [30])]
    cells = [{**TINY, "learned_on": on, "width": width, "also": also} for on, width, also in settings]
    return Findings(study, True, tuple({**cell, **study.measure(cell)} for cell in cells))


@pytest.mark.slow
def test_feature_learning_measures_both_kernels_and_the_way_between(findings):
    row = findings.rows[0]
    assert row["at_steps"].tolist() == [0, 25]
    assert row["drift_at"][0] == 0
    assert row["drift_at"][-1] > 0
    assert row["target_share_at"][0] == pytest.approx(row["target_share_before"])
    assert row["rank_at"][0] == pytest.approx(row["rank_before"])
    assert np.all(np.diff(row["spectrum"]) <= 0)
    assert min(row[name] for name in ("network_gain", "final_gain", "initial_gain")) > 0
    assert not np.array_equal(row["spectrum"], row["spectrum_before"])
    again = findings.study.measure({name: row[name] for name in (*TINY, "learned_on", "width", "also")})
    assert again["drift"] == row["drift"]
    assert again["final_gain"] == row["final_gain"]


def test_feature_learning_concludes_answers_and_draws(findings, tmp_path):
    numbers, rows = findings.numbers, findings.rows
    assert numbers["drift_4"] == rows[0]["drift"]
    assert rows[1]["counts"].tolist() == [30, 60]
    assert numbers["final_gain_from_30_points"] == pytest.approx(rows[1]["final_gains"][0])
    assert numbers["elsewhere_final_gain_from_60_points"] == pytest.approx(rows[2]["final_gain"])
    assert numbers["elsewhere_network_gain"] == pytest.approx(rows[2]["network_gain"])
    assert findings.answer.endswith(".")
    findings.save(tmp_path)
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_baseline_trains_the_network_of_the_paper():
    points = chart_points(300, 0)
    metric = KINDS["network"](points, 1)
    assert metric.network.widths == (10, 64, 64, 64, 9)
    assert metric.network.activation.name == "relu"
    assert metric.report.settings["epochs"] == 50
    assert np.array_equal(metric.parameters, component_network(points, epochs=50, seed=1).parameters)


def test_half_a_fit_is_no_row(monkeypatch):
    def interrupted(points, seed):
        training = ComponentTraining(points, hidden=(4,), epochs=1)
        monkeypatch.setattr(training, "step", lambda state: (_ for _ in ()).throw(KeyboardInterrupt))
        return training.metric(gf.solve(training, training.start(), training.length))

    monkeypatch.setattr("geomflow.study.baseline.KINDS", {"network": interrupted})
    with pytest.raises(KeyboardInterrupt):
        Baseline().measure({"kind": "network", "points": 100, "seed": 0})


def test_baseline_concludes_answers_and_draws(tmp_path):
    cells = [{"kind": kind, "points": size, "seed": 0} for size in (100, 1000) for kind in KINDS]
    rows = [{**cell, "gain": 2.0 * cell["points"] ** 0.5, "lost": 1, "outcome": "finished"} for cell in cells]
    findings = Findings(Baseline(), True, tuple(rows))
    assert findings.numbers["exponent_network"] == pytest.approx(0.5)
    assert findings.numbers["unseen_points_lost"] == len(rows)
    assert "no kernel does better" in findings.answer
    rows[-1]["gain"] *= 2
    assert "1 of these kernels do better" in Findings(Baseline(), True, tuple(rows)).answer
    findings.save(tmp_path)
    assert (tmp_path / "figure.png").stat().st_size > 10_000


@pytest.mark.parametrize("name", ("baseline", "feature-learning"))
def test_cells_of_the_quick_size_name_one_measurement_each(name):
    for quick in (True, False):
        cells = [repr(sorted(cell.items())) for cell in STUDIES[name]().cells(quick)]
        assert len(set(cells)) == len(cells)
