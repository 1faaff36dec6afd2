"""The study of architectures: its cells, its numbers from known rows, its figure, and its cheapest cells."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from geomflow.core.errors import InputError
from geomflow.fits import PowerSeries
from geomflow.study import Architectures, Findings
from geomflow.study.architectures import FEW, NETWORKS, TASKS, random_function

STUDY = Architectures()


def known_error(cell):
    """On the torus a tenth, ten times less without a kink; on the quintic a hundredth or a half, less for GELU."""
    base = {"smooth": 0.1, "rough": 0.1, "symmetric": 0.01, "plain": 0.5}[cell["task"]]
    kink = 1.0 if not NETWORKS[cell["network"]].smooth or cell["task"] != "smooth" else 0.1
    best = 0.5 if cell["network"] == "gelu" and cell["task"] in ("symmetric", "plain") else 1.0
    return base * kink * best * np.exp(0.2 * (-1) ** cell["seed"])


def known_findings(quick=False):
    return Findings(STUDY, quick, tuple({**cell, "error": known_error(cell)} for cell in STUDY.cells(quick)))


def test_numbers_of_known_rows():
    """Seeds that deviate by factors e^{±0.2} leave geometric means as they are."""
    numbers = known_findings().numbers
    assert numbers["error_smooth_relu_all"] == pytest.approx(0.1)
    assert numbers["error_smooth_erf_last"] == pytest.approx(0.01)
    assert numbers["error_smooth_erf_last_error"] == pytest.approx(0.01 * np.expm1(0.4 / np.sqrt(3) / 2))
    assert numbers["kinks"] == pytest.approx(10)
    assert numbers["spread_symmetric"] == pytest.approx(2)
    assert numbers["symmetry"] == pytest.approx(50)


def test_the_answer_and_the_figure():
    findings = known_findings()
    assert "kinks cost a factor of 10." in findings.answer
    assert "differ by a factor of 2, from GELU (all layers trained, 0.005)" in findings.answer
    figure = findings.figure()
    assert [len(axes.containers) for axes in figure.axes] == [2] * len(TASKS)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [n.title for n in NETWORKS.values()]
    plt.close(figure)


def test_every_number_has_words():
    for findings in (known_findings(), known_findings(quick=True)):
        told = [words for words, _ in STUDY.words.told(findings.numbers)]
        assert not set(told) & set(findings.numbers)
        assert len(set(told)) == len(told)


def test_kinks_are_not_on_the_quintic_and_the_others_are_series_there():
    for quick in (True, False):
        cells = [cell for cell in STUDY.cells(quick) if cell["task"] in ("symmetric", "plain")]
        assert all(NETWORKS[cell["network"]].smooth for cell in cells)
    assert set(FEW) <= {name for name, network in NETWORKS.items() if network.smooth}
    for network in NETWORKS.values():
        for kernel in (network.kernel(1.0), network.kernel(1.0).covariance):
            if network.smooth:
                assert sum(PowerSeries.of_network(kernel, 1e-9).coefficients) > 0
            else:
                with pytest.raises(InputError, match="kink"):
                    PowerSeries.of_network(kernel, 1e-9)


def test_functions_are_of_one_variance_and_a_rough_one_has_steeper_slopes():
    x, step = np.random.default_rng(0).uniform(size=(500, 2)), np.array([1e-4, 0])
    slopes = {}
    for task in ("smooth", "rough"):
        draws = [random_function(task, np.random.default_rng(seed)) for seed in range(100)]
        assert np.mean([function(x).var() for function in draws[:20]]) == pytest.approx(1, abs=0.3)
        np.testing.assert_allclose(draws[0](x + np.array([1, -2])), draws[0](x), atol=1e-10)
        slopes[task] = np.mean([np.mean((f(x[:50] + step) - f(x[:50])) ** 2) for f in draws])
    amplitudes = {"smooth": lambda k: np.exp(-k / 8), "rough": lambda k: (1.0 + k) ** -1.5}
    waves = np.array([(a, b) for a in range(-12, 13) for b in range(-12, 13) if (a, b) != (0, 0)])
    for task, height in amplitudes.items():  # E (∂_x f)² is the mean of (2πk_x)² under the weights of the waves
        weights = height(np.sum(waves**2, axis=1)) ** 2
        exact = 1e-8 * np.sum(weights * (2 * np.pi * waves[:, 0]) ** 2) / weights.sum()
        assert slopes[task] == pytest.approx(exact, rel=0.2)


def test_a_smooth_function_is_learned_worse_with_kinks():
    """By 6.9, 2.6 and 6.0 times for three seeds."""
    cells = {cell["network"]: cell for cell in STUDY.cells(True)
             if cell["task"] == "smooth" and cell["trained"] == "all"}  # fmt: skip
    relu, gelu = (STUDY.measure(cells[name])["error"] for name in ("relu", "gelu"))
    assert 0 < gelu < 0.1
    assert relu > 2 * gelu


def test_symmetries_of_the_quintic_are_worth_more_than_a_factor_of_thirty():
    """σ over that of Fubini–Study from 250 points: some 0.005 with them, and some 0.9 without."""
    cells = {cell["task"]: cell for cell in STUDY.cells(True) if cell["network"] == "gelu"}
    errors = {task: STUDY.measure(cells[task])["error"] for task in ("symmetric", "plain")}
    assert errors["plain"] < 1.1
    assert 0 < errors["symmetric"] < errors["plain"] / 30
