"""The study of what clustering costs: its claims on a few of the quick cells."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from geomflow.kernels import FubiniStudyGaussian, batched_labels, dropped_mass
from geomflow.study import ClusteringCost
from geomflow.study.study import Findings
from geomflow.variety import Fermat, sample_patch


@pytest.fixture(scope="module")
def findings():
    study = ClusteringCost()
    rows = [{**cell, **study.measure(cell)} for cell in study.cells(True) if cell["points"] == 500]
    assert {row["width"] for row in rows} == {0.1, 0.3}
    return Findings(study, True, tuple(rows))


def test_clusters_cost_gain_on_unseen_points(findings):
    wide = findings.where(width=0.3)
    exact, five, twenty = wide["unseen"]
    assert exact > five > twenty > 1
    assert wide["dropped"][0] == 0 < wide["dropped"][1] < wide["dropped"][2] < 1
    assert findings.where(width=0.1)["dropped"][1] < 0.1 * wide["dropped"][2]
    assert set(findings["outcome"]) == {"finished"}


def test_what_is_measured_is_what_it_says(findings):
    points = sample_patch(Fermat(5), 500, seed=0, patch=0, elim=1)
    labels = batched_labels(points, 1, 5, 0)
    sizes = np.bincount(labels)
    five = findings.where(clusters=5, width=0.3)
    assert five["stored"][0] == 8 * (sizes**2).sum()
    assert five["dropped"][0] == pytest.approx(dropped_mass(FubiniStudyGaussian(0.3), points, labels), rel=1e-12)
    assert findings["stored"][0] == 8 * 500**2
    assert (findings["memory"] < 2e6).all()
    assert (findings["seconds"] > 0).all()


def test_answer_and_figure(findings):
    numbers, told = findings.numbers, findings.answer
    assert f"from {numbers['unseen_gain_500_exact']:.1f} to {numbers['unseen_gain_500_20_clusters']:.1f}" in told
    assert "an update of all 500 points" in told
    figure = findings.figure()
    assert [axes.get_ylabel() for axes in figure.axes] == ["gain on unseen points", "seconds of one update",
                                                           "bytes in one update"]
    plt.close(figure)


@pytest.mark.slow
def test_an_exact_update_of_100_000_points_takes_less_than_a_gibibyte():
    import tracemalloc

    from geomflow.fits import ComponentFlow

    points = sample_patch(Fermat(5), 100_000, seed=0, patch=0, elim=1)
    flow = ComponentFlow(points, FubiniStudyGaussian(0.3, "single"), loss="(v - 1)^2", steps=1)
    tracemalloc.start()
    metric = flow.run()
    assert tracemalloc.get_traced_memory()[1] < 2**30
    tracemalloc.stop()
    start, end = metric.report["sigma"]
    assert start > end
