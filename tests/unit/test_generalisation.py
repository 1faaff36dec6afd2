"""The study of kernels that generalise: its cells, its numbers from known rows, and its cheapest cells."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from geomflow.study import Findings, Generalisation
from geomflow.study.generalisation import FAMILIES, UNSEEN_SEED

STUDY = Generalisation()


def known_rows():
    """Gains that grow as the power 1/4 of the number of points, a decade apart from kind to kind."""
    return tuple({**cell, "gain": 10.0**list(FAMILIES).index(cell["kernel"]) * (cell["points"] / 2500) ** 0.25,
                  "error": 0.1, "train": 1.0, "lost": 0} for cell in STUDY.cells(False))  # fmt: skip


def test_numbers_of_known_rows():
    numbers = STUDY.conclude(list(known_rows()))
    for place, kernel in enumerate(FAMILIES):
        assert numbers[f"exponent_{kernel}"] == pytest.approx(0.25)
        assert numbers[f"gain_{kernel}_2500"] == pytest.approx(10.0**place)


def test_the_answer_and_the_figure_are_about_2500_points():
    findings = Findings(STUDY, False, known_rows())
    assert findings.answer.startswith("With 2500 points a kernel on metric components reaches a gain of 1 on")
    assert "then frozen, knows none of them and reaches 1e+06" in findings.answer
    figure = findings.figure()
    assert len(figure.axes[0].containers) == len(FAMILIES)
    plt.close(figure)


def test_unseen_points_have_a_seed_of_their_own():
    seeds = {cell["seed"] for quick in (True, False) for cell in STUDY.cells(quick)}
    assert all(UNSEEN_SEED + seed not in seeds for seed in seeds)


@pytest.mark.slow
def test_invariant_kernels_gain_more_than_components_of_three_hundred_points():
    """By 113, 109 and 129 times for three seeds: 117 with a standard deviation of 11, less three of these."""
    rows = {cell["kernel"]: STUDY.measure(cell) for cell in STUDY.cells(True)
            if cell["points"] == 300 and cell["kernel"] in ("components", "invariant")}  # fmt: skip
    assert rows["components"]["gain"] > 1
    assert rows["invariant"]["gain"] > 84 * rows["components"]["gain"]
    assert rows["invariant"]["lost"] == 0
    assert 0 < rows["invariant"]["error"] < 0.1 * rows["invariant"]["gain"]
    assert np.isfinite(rows["components"]["train"])
