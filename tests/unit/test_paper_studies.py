"""Studies of the paper's experiments: their numbers from rows that are known, and small measurements of each."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from geomflow.core.errors import InputError
from geomflow.core.outcome import OutcomeKind
from geomflow.distribute import as_workers
from geomflow.fits import LogRange, Space, tune
from geomflow.study import Figure2, Figure3, Findings, Scaling, Table1
from geomflow.study.figure3 import READ_OFF, curve_numbers
from geomflow.study.gains import OURS, PAPER, Setting, chart_points, trained, unseen_points
from geomflow.study.scaling import Extrapolation, distance_at, fitted
from geomflow.study.seeds import mean_and_error, power_law
from geomflow.study.table1 import SPACES, Objective, gains_of, searched
from geomflow.variety import distance


def test_a_power_law_is_found_exactly_and_inverted():
    x = np.geomspace(10, 1000, 4)
    law = power_law(x, np.array([2 * x**-0.3] * 3))
    assert (law.factor, law.exponent) == pytest.approx((2, -0.3))
    assert law.exponent_error == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(law.inverse(law(x)), x)
    for wrong in (x[:1], x[:3]):
        with pytest.raises(InputError, match="power law"):
            power_law(wrong, np.ones((2, 4)))


def test_the_error_of_an_exponent_is_that_over_repetitions_of_the_experiment():
    rng, x = np.random.default_rng(0), np.geomspace(10, 1000, 5)
    repeated = [power_law(x, x**-0.2 * np.exp(0.1 * rng.standard_normal((6, 5))), seed=n) for n in range(200)]
    spread = np.std([law.exponent for law in repeated])
    # a bootstrap over six repetitions underestimates by the square root of five sixths on average
    assert np.mean([law.exponent_error for law in repeated]) == pytest.approx(spread * np.sqrt(5 / 6), rel=0.15)


def test_clusters_are_as_near_as_brute_force_says():
    study = Figure2()
    cells = [{"points": 120, "clusters": 6, "batches": batches, "seed": 3} for batches in (0, 2, 1)]
    rows = [{**cell, **study.measure(cell)} for cell in cells]
    z = chart_points(120, 3).coordinates
    far = np.array([[float(distance(a, b)) for b in z] for a in z])
    for row in rows:
        same = row["labels"][:, None] == row["labels"]
        np.fill_diagonal(same, False)
        whole = far.sum() / (120 * 119)
        assert row["ratio"] == pytest.approx(far[same].mean() / whole, rel=1e-9)
        assert row["largest"] == np.bincount(row["labels"]).max() / 120
        assert sorted(set(row["labels"])) == list(range(6))
    unordered, batched, whole = (row["ratio"] for row in rows)
    assert whole < batched < unordered == pytest.approx(1, abs=0.05)


def test_what_batches_keep_of_clustering_is_concluded():
    ratios = {0: 1.0, 1: 0.6, 5: 0.7}
    rows = [{"clusters": 10, "batches": batches, "seed": seed, "ratio": ratio + 0.01 * (-1) ** seed}
            for batches, ratio in ratios.items() for seed in range(2)]
    numbers = Figure2().conclude(rows)
    assert numbers["ratio_5_batches_10_clusters"] == pytest.approx(0.7)
    assert numbers["ratio_5_batches_10_clusters_error"] == pytest.approx(0.01)
    assert numbers["kept_5_batches_10_clusters"] == pytest.approx(0.75)


def curve(gains, distances, train_gain):
    return {f"{key}_{where}": value for where in ("on", "off") for key, value in
            (("gain", np.array(gains)), ("distance", np.array(distances)))} | {"train_gain": train_gain}


def test_slope_and_factor_are_those_of_the_middle_of_a_curve():
    d = np.geomspace(1e-9, 1, 28)
    rows = [curve(1 + 1 / (c / 1e8 + d / c), d, 1e8 / c) for c in (0.2, 0.3)]
    numbers = curve_numbers(rows, "on")
    assert numbers["slope"] == pytest.approx((-1, 0), abs=0.02)
    assert numbers["factor"] == pytest.approx((0.25, 0.05), rel=0.1)


def test_plateau_and_reach_of_a_curve_without_middle():
    d = np.geomspace(1e-9, 1, 10)
    numbers = curve_numbers([curve(np.where(d < 1e-2, 4.0, 1.5), d, 4.0)], "off")
    assert numbers == {"plateau": (4.0, 0.0), "reach": (d[d < 1e-2].max(), 0.0)}


def test_the_distance_of_a_gain_is_read_off_the_curve():
    d = np.geomspace(1e-4, 1, 9)
    assert distance_at(d, 0.3 / d, 10) == pytest.approx(0.03)
    assert np.isnan(distance_at(d, 0.3 / d, 1e5))
    assert np.isnan(distance_at(d, 0.3 / d, 0.1))


def scaling_rows(factor, exponent, constant):
    """Rows of a world in which distances are powers of N, and gains are c/d."""
    d = np.geomspace(1e-4, 0.3, 15)
    rows = [{"kind": "distance", "region": region, "points": n, "seed": seed, "least": 0.5 * factor * n**exponent,
             "mean": factor * n**exponent * (1 + 0.02 * (-1) ** (seed + k)), "largest": 2 * factor * n**exponent}
            for region in ("patch", "all") for k, n in enumerate((100, 1000, 10000)) for seed in range(4)]
    rows += [{"kind": "law", "region": "patch", "kernel": kernel, "seed": seed, "distances": d, "gains": constant / d}
             for kernel in ("delta", "gaussian") for seed in range(4)]
    rows += [{"kind": "unseen", "region": "patch", "kernel": "delta", "points": n, "seed": 0, "mean": 0.1, "gain": 3.0}
             for n in (100, 1000)]
    return rows


def test_numbers_of_points_are_extrapolated_by_the_law():
    rows = scaling_rows(1.0, -1 / 6, 0.3)
    law = fitted(rows, "patch", "mean")
    assert law.exponent == pytest.approx(-1 / 6, abs=1e-3)
    for gain in (10, 100):
        known = Extrapolation.of(rows, "delta", gain)
        # d = c/gain, N = d^-6
        assert np.log10(known.best) == pytest.approx(6 * np.log10(gain / 0.3), rel=1e-3)
        assert np.log10(known.sixth) == pytest.approx(np.log10(known.best), abs=0.1)
        assert np.percentile(known.points, 5) < known.best < np.percentile(known.points, 95)
    numbers = Scaling().conclude(rows)
    assert numbers["points_delta_10_low"] < numbers["points_delta_10"] < numbers["points_delta_10_high"]
    assert numbers["unseen_over_law"] == pytest.approx(1.0)
    assert "−1/6" in Findings(Scaling(), True, tuple(rows)).answer


def test_table_1_is_the_papers():
    assert {name: (s.points, s.rate) for name, s in PAPER.items()} == {
        "relu": (2500, 0.1), "gaussian": (2500, 0.1583), "delta": (1000, 0.3162)}
    assert 1 / PAPER["gaussian"].scale == pytest.approx(30)
    assert (PAPER["relu"].weight_std, PAPER["relu"].bias_std) == (80.52, 5.716)
    assert {len(values) for values in READ_OFF.values()} == {8}
    assert np.all(np.diff(READ_OFF["distance"]) > 0)


def test_a_setting_is_had_again_from_its_cell():
    for setting in (*PAPER.values(), *OURS.values()):
        assert Setting.read({"row": "x", "seed": 1, **setting.plain()}) == setting


def test_unseen_points_are_no_train_points():
    train = trained(Setting("delta", 50, 0.5, steps=2), 7).points
    unseen = unseen_points(50, 7)
    assert not set(train.coordinates[:, 1].tolist()) & set(unseen.coordinates[:, 1].tolist())


def test_a_gain_on_unseen_points_is_that_of_dense_sums_by_hand():
    setting = Setting("chordal", 80, 0.5, steps=20, scale=0.5)
    metric, unseen = trained(setting, 3), unseen_points(60, 3)
    unit = [p.coordinates / np.linalg.norm(p.coordinates, axis=1, keepdims=True) for p in (unseen, metric.points)]
    kernel = np.exp((np.abs(unit[0] @ unit[1].conj().T) ** 2 - 1) / (2 * 0.5**2))
    z, jacobian = unseen.coordinates, unseen.pullbacks
    norm = np.sum(np.abs(z) ** 2, axis=1)[:, None, None]
    ambient = np.eye(5) / norm - z.conj()[:, :, None] * z[:, None, :] / norm**2
    before = jacobian @ ambient @ jacobian.conj().transpose(0, 2, 1)
    after = before + np.tensordot(kernel, metric.coefficients, 1)
    weights = unseen.weights / unseen.weights.sum()

    def sigma(g):
        ratio = np.linalg.det(g).real * np.abs(5 * z[:, 1] ** 4) ** 2
        return weights @ np.abs(1 - ratio / (weights @ ratio))

    assert gains_of(setting, 3, 60)[1] == pytest.approx(sigma(before) / sigma(after), rel=1e-9)


def test_settings_that_explode_are_outcomes_and_zeros():
    wild = Space({"rate": LogRange(1.0, 1e6), "scale": LogRange(1.0, 5.0)})
    search = tune(Objective(Setting("chordal", 60, 0.0, steps=5), 50), wild, 8, 0, penalty=0.0,
                  progress=False)
    assert search.failures >= 4
    assert np.isfinite(search.scores).all()
    failed = [trial for trial in search.trials if trial.failed]
    assert all(trial.score == 0 and trial.outcome.kind in (OutcomeKind.diverged, OutcomeKind.singular)
               and "step" in trial.outcome.message for trial in failed)


def test_a_search_betters_table_1_on_points_that_it_never_saw():
    paper = replace(PAPER["gaussian"], points=150, steps=30)
    ours, found = searched(Setting("chordal", 150, 0.0, steps=30), SPACES["gaussian"], 9, 200)
    gains = {which: [gains_of(setting, seed, 200)[1] for seed in range(2)]
             for which, setting in (("paper", paper), ("ours", ours))}
    assert max(gains["paper"]) < 1.05
    assert min(gains["ours"]) > 1.3 * max(gains["paper"])
    assert found["scores"].shape == (9,)


def test_rows_of_table_1_are_written_with_their_settings(tmp_path):
    study = Table1()
    cells = [{**cell, "points": 60, "steps": 4, "trials": 2 * bool(cell["trials"]), "sets": 1, "unseen": 50}
             for cell in study.cells(True)]
    rows = tuple({**cell, **study.measure(cell)} for cell in cells)
    findings = Findings(study, True, rows)
    findings.save(tmp_path)
    with open(tmp_path / "table.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["row"] for row in table] == ["relu", "relu", "gaussian", "gaussian", "delta", "delta"]
    assert float(table[2]["found_scale"]) == pytest.approx(1 / 30)
    assert "nan" not in findings.page()


def test_a_small_figure_3_is_measured_and_drawn(tmp_path):
    study = Figure3()
    cells = [{**cell, "points": 60, "steps": 100, "unseen": 100} for cell in study.cells(True) if cell["seed"] == 0]
    rows = tuple({**cell, **study.measure(cell)} for cell in cells)
    findings = Findings(study, True, rows)
    findings.save(tmp_path)
    assert findings.numbers["slope_delta_paper_off"] == pytest.approx(-1, abs=0.01)
    assert findings.numbers["slope_delta_paper_on"] == pytest.approx(-1, abs=0.01)
    relu = findings.where(row="relu", settings="paper").rows[0]
    np.testing.assert_allclose(relu["gain_on"][:5], relu["train_gain"], rtol=1e-3)


def test_tables_of_rows_that_differ_have_all_columns(tmp_path):
    rows = ({"kind": "a", "x": 1.0}, {"kind": "b", "y": np.arange(2.0), "z": 3})
    findings = Findings(Scaling(), True, rows)
    assert findings.columns == ["kind", "x", "z"]
    assert findings.where(z=3).rows == rows[1:]


def test_a_mean_has_its_standard_error():
    values = np.random.default_rng(0).standard_normal(1000)
    mean, error = mean_and_error(values)
    assert error == pytest.approx(1 / np.sqrt(1000), rel=0.1)
    assert abs(mean) < 4 * error


@pytest.mark.slow
def test_rows_are_the_same_on_two_local_workers():
    small = ((Figure2(), {}), (Figure3(), {"points": 80, "unseen": 100}),
             (Table1(), {"points": 60, "trials": 9, "steps": 8}))
    pairs = [(study, {**cell, **less}) for study, less in small for cell in study.cells(True)[1::5]]
    tasks = [study.measure for study, _ in pairs], [cell for _, cell in pairs]
    with as_workers(2) as two:
        spread = two.map(measured, *tasks)
    for row, study_and_cell in zip(spread, pairs, strict=True):
        alone = measured(study_and_cell[0].measure, study_and_cell[1])
        assert all(np.array_equal(alone[name], row[name]) for name in alone)


def measured(measure, cell):
    return measure(cell)
