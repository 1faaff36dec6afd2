"""One reader for metrics of all kinds."""

from __future__ import annotations

import numpy as np
import pytest

import geomflow as gf
from geomflow.core.errors import StoreError
from geomflow.learn import (
    ComponentFlow,
    Exponential,
    FubiniStudyGaussian,
    OverlapKernel,
    component_network,
    frozen_fit,
    kernel_metric,
    learned_kernel,
    phi_metric,
    save_frozen,
)
from geomflow.learn.load import READERS
from geomflow.variety import sample_patch

CUBIC = gf.Fermat(3)
POINTS = CUBIC.sample(300, seed=1)
PATCH = sample_patch(CUBIC, 100, seed=1, patch=0, elim=1)


def component_flow():
    return ComponentFlow(PATCH, FubiniStudyGaussian(0.4), steps=3).run(progress=False)


def learned():
    return frozen_fit(learned_kernel(POINTS, width=4, steps=2, tries=1, progress=False), POINTS, progress=False)


MADE = {
    "geomflow metric 1": lambda: gf.algebraic_metric(CUBIC, 2, POINTS),
    "geomflow phi-network 1": lambda: phi_metric(CUBIC, POINTS, hidden=(4,), steps=(3, 1), progress=False),
    "geomflow component-network 1": lambda: component_network(PATCH, hidden=(4,), epochs=1, progress=False),
    "geomflow component metric 1": component_flow,
    "geomflow kernel metric 1": lambda: kernel_metric(POINTS, OverlapKernel(Exponential(1.0))),
    "geomflow frozen features 1": learned,
}


@pytest.mark.parametrize("kind", READERS)
def test_metrics_of_every_kind_come_back(kind, tmp_path):
    metric = MADE[kind]()
    save = save_frozen if "frozen" in kind else type(metric).save
    save(metric, tmp_path / "metric.npz")
    again = gf.load_metric(tmp_path / "metric.npz")
    assert type(again) is type(metric)
    assert np.array_equal(again.at(PATCH), metric.at(PATCH))


def test_other_files_are_refused(tmp_path):
    with pytest.raises(StoreError, match="cannot read"):
        gf.load_metric(tmp_path / "none.npz")
    POINTS.save(tmp_path / "points.npz")
    with pytest.raises(StoreError, match="holds no metric"):
        gf.load_metric(tmp_path / "points.npz")
