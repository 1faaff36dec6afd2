"""Flows of components on points: derivatives, one step by hand, clusters, outcomes, predictions, stores."""

from __future__ import annotations

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow.core.errors import InputError, ShapeError, StoreError, UnknownNameError
from geomflow.core.hermitian import pack, unpack
from geomflow.distribute import Workers
from geomflow.fits import ComponentFlow, ComponentMetric, ConstantRate, FallingRate, PointwiseRate
from geomflow.fits.component_flow import ComponentObjective
from geomflow.fits.objective import loss_of
from geomflow.kernels import (
    CutOffKernel,
    DistanceKernel,
    FubiniStudyGaussian,
    FubiniStudyGeodesicGaussian,
    NearestKernel,
    NetworkKernel,
    batched_labels,
)
from geomflow.variety.routines import hermitian as routines

X = gv.Fermat(5)
TRAIN = gv.sample_patch(X, 120, seed=1, patch=0, elim=1)
UNSEEN = gv.sample_patch(X, 80, seed=2, patch=0, elim=1)
RELU = NetworkKernel("relu", weight_std=80.52, bias_std=5.716)
WIDE, NARROW = FubiniStudyGaussian(0.3), FubiniStudyGeodesicGaussian(1 / 30)


def hermitian(count, n, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((count, n, n)) + 1j * rng.standard_normal((count, n, n))
    return (a + np.swapaxes(a.conj(), 1, 2)) / 2


def loss_by_hand(g, points, f):
    """Σ w F(v) and v, from determinants."""
    w, ratio = points.weights / points.weights.sum(), np.linalg.det(g).real / points.omega2
    v = ratio / (w @ ratio)
    return w @ f(v), v


def descent_by_hand(g, points):
    """P ∂σ/∂g, (P, n, n)."""
    w, (_, v) = points.weights / points.weights.sum(), loss_by_hand(g, points, np.abs)
    slope = np.sign(v - 1)
    return (len(points) * w * v * (slope - w @ (v * slope)))[:, None, None] * np.linalg.inv(g)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_packing_is_undone_and_matrices_are_inverted(n):
    matrices = hermitian(30, n) + 5 * np.eye(n)
    packed = pack(matrices)
    assert packed.shape == (30, n * n)
    np.testing.assert_array_equal(unpack(packed), matrices)
    value, inverse, pivots = np.empty(30), np.empty((30, n * n)), np.empty((30, n))
    routines.inverses(packed, n, value, inverse, pivots)
    np.testing.assert_allclose(unpack(inverse), np.linalg.inv(matrices), rtol=0, atol=1e-13)
    np.testing.assert_allclose(value, np.linalg.det(matrices).real, rtol=1e-12)
    np.testing.assert_allclose(pivots.prod(axis=1), value, rtol=1e-12)
    change, sizes = hermitian(30, n, seed=1), np.empty(30)
    routines.sizes(inverse, pack(change), n, sizes)
    square = np.linalg.inv(matrices) @ change
    np.testing.assert_allclose(sizes**2, np.einsum("pij,pji->p", square, square).real, rtol=1e-11)


@pytest.mark.parametrize(("text", "f"), [("sigma", lambda v: np.abs(v - 1)), ("v*log(v)", lambda v: v * np.log(v)),
                                         ("(v - 1)^2", lambda v: (v - 1) ** 2)])
def test_the_gradient_is_that_of_the_loss(text, f):
    objective = ComponentObjective.of(TRAIN, loss_of(text))
    g = unpack(objective.reference) + 0.02 * hermitian(len(TRAIN), 3)
    evaluation = objective.evaluate(pack(g))
    force, newton = objective.gradient(evaluation)
    direction, step = hermitian(len(TRAIN), 3, seed=2), 1e-6
    ahead, behind = (loss_by_hand(g + s * direction, TRAIN, f)[0] for s in (step, -step))
    slope = np.einsum("pij,pji->", unpack(force), direction).real / len(TRAIN)
    assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-5)
    assert evaluation.sigma == pytest.approx(loss_by_hand(g, TRAIN, lambda v: np.abs(v - 1))[0], rel=1e-12)
    moved = g - (newton[:, None, None] * 1e-6) * unpack(force)
    change = np.log(np.linalg.det(moved).real) - np.log(np.linalg.det(g).real)
    np.testing.assert_allclose(change, -1e-6 * np.log(evaluation.v), rtol=1e-3, atol=1e-12)


def test_one_step_is_the_sum_over_train_points():
    reference, rate = gv.FubiniStudy(X).at(TRAIN), 1e-3
    descent = descent_by_hand(reference, TRAIN)
    metric = ComponentFlow(TRAIN, WIDE, rate=rate, steps=1).run()
    np.testing.assert_allclose(metric.coefficients, -rate * descent, rtol=1e-11)
    for points in (TRAIN, UNSEEN):
        expected = gv.FubiniStudy(X).at(points) - rate * np.einsum("pq,qij->pij", WIDE.matrix(points, TRAIN), descent)
        np.testing.assert_allclose(metric.at(points), expected, rtol=0, atol=1e-13)
    assert metric.train_gain == pytest.approx(gv.gain(metric, TRAIN), rel=1e-12)
    assert gv.gain(metric, UNSEEN) == pytest.approx(
        float(gv.sigma(gv.FubiniStudy(X), UNSEEN)) / float(gv.sigma(metric, UNSEEN)), rel=1e-12)


@pytest.mark.parametrize("kernel", [WIDE, RELU, CutOffKernel(WIDE, 0.8), NARROW])
def test_many_steps_end_where_the_coefficients_say(kernel):
    metric = ComponentFlow(TRAIN, kernel, steps=25, normalise="largest", rate=0.05).run()
    assert metric.report["step"][-1] == 25
    assert metric.train_gain == pytest.approx(gv.gain(metric, TRAIN), rel=1e-9)


def test_inside_clusters_only():
    labels = batched_labels(TRAIN, 2, 4, seed=0)
    metric = ComponentFlow(TRAIN, WIDE, rate=1e-3, steps=1, clusters=labels).run()
    descent = descent_by_hand(gv.FubiniStudy(X).at(TRAIN), TRAIN)
    for points in (TRAIN, UNSEEN):
        own = labels[gv.nearest(TRAIN, points)[0]]
        matrix = WIDE.matrix(points, TRAIN) * (own[:, None] == labels)
        expected = gv.FubiniStudy(X).at(points) - 1e-3 * np.einsum("pq,qij->pij", matrix, descent)
        np.testing.assert_allclose(metric.at(points), expected, rtol=0, atol=1e-13)
    one = ComponentFlow(TRAIN, WIDE, rate=1e-3, steps=3, clusters=np.zeros(120, int)).run()
    whole = ComponentFlow(TRAIN, WIDE, rate=1e-3, steps=3).run()
    np.testing.assert_array_equal(one.coefficients, whole.coefficients)


def test_means_instead_of_sums():
    metric = ComponentFlow(TRAIN, WIDE, rate=1e-2, steps=1, normalise="mean").run()
    descent, matrix = descent_by_hand(gv.FubiniStudy(X).at(TRAIN), TRAIN), WIDE.matrix(UNSEEN, TRAIN)
    expected = gv.FubiniStudy(X).at(UNSEEN) - 1e-2 * np.einsum(
        "pq,qij->pij", matrix / matrix.sum(axis=1, keepdims=True), descent)
    np.testing.assert_allclose(metric.at(UNSEEN), expected, rtol=0, atol=1e-13)


def test_means_of_a_narrow_gaussian_are_nearest_points():
    means = ComponentFlow(TRAIN, FubiniStudyGaussian(0.02), normalise="mean", rate=PointwiseRate(), steps=20).run()
    nearest = ComponentFlow(TRAIN, NearestKernel(), steps=20).run()
    apart = np.sort(np.sin(gv.distance(UNSEEN.coordinates[:, None], TRAIN.coordinates[None])) ** 2, axis=1)
    clear = apart[:, 1] - apart[:, 0] > 30 * 2 * 0.02**2
    assert clear.sum() > 30
    np.testing.assert_allclose(means.at(UNSEEN)[clear], nearest.at(UNSEEN)[clear], rtol=0, atol=1e-9)


def test_sizes_of_updates():
    sizes = ComponentFlow(TRAIN, RELU, rate=0.07, normalise="largest", steps=5).run().report["size"]
    np.testing.assert_allclose(sizes[1:], 0.07, rtol=1e-12)
    clipped = ComponentFlow(TRAIN, RELU, rate=1e3, clip=0.5, steps=20).run()
    assert (clipped.report["size"][1:] <= 0.5 * (1 + 1e-12)).all()
    assert clipped.report["pivot"].min() > 0
    assert clipped.report.outcome.kind == "finished"
    falling = FallingRate(0.1, 1e-3)
    lengths = [falling.at(t, 5, np.ones(1)) for t in range(5)]
    np.testing.assert_allclose(lengths, np.geomspace(0.1, 1e-3, 5), rtol=1e-12)


@pytest.mark.parametrize("kernel", [NearestKernel(), NARROW, CutOffKernel.within(NARROW, 120)])
def test_narrow_kernels_reach_rounding(kernel):
    flow = ComponentFlow(TRAIN, kernel, steps=40)
    assert flow.rate == PointwiseRate()
    metric = flow.run()
    assert metric.report.outcome.kind == "steady"
    assert gv.gain(metric, TRAIN) > 1e12


def test_newton_doubles_digits_on_points_that_are_not_coupled():
    sigma = ComponentFlow(TRAIN, NearestKernel(), steps=4).run().report["sigma"]
    assert (sigma[2:] < 5 * sigma[1:-1] ** 2).all()


def test_falling_steps_reach_what_constant_ones_go_around():
    falling = ComponentFlow(TRAIN, NARROW, rate=FallingRate(0.02, 1e-9), steps=400).run().train_gain
    constant = ComponentFlow(TRAIN, NARROW, rate=ConstantRate(0.005), steps=400).run().train_gain
    assert falling > 1e6 > 1e3 * constant


def test_the_gain_of_nearest_points_falls_as_the_distance():
    metric = ComponentFlow(TRAIN, NearestKernel(), steps=20).run()
    sizes = np.array([1e-7, 1e-5, 1e-3])
    gains = [gv.gain(metric, gv.noised(TRAIN, size, seed=3)) for size in sizes]
    assert np.polyfit(np.log(sizes), np.log(gains), 1)[0] == pytest.approx(-1, abs=0.02)


def test_long_steps_diverge_and_keep_the_last_good_metric():
    metric = ComponentFlow(TRAIN, NARROW, rate=1.0).run()
    outcome = metric.report.outcome
    assert (outcome.kind, outcome.time, metric.report["step"][-1]) == ("diverged", 1.0, 0)
    assert "step 1" in outcome.message
    assert "take a rate below" in outcome.message
    assert gv.gain(metric, UNSEEN) == 1.0
    rate = float(outcome.message.split("rate below ")[1].split(",")[0])
    assert ComponentFlow(TRAIN, NARROW, rate=rate, steps=5).run().report.outcome.kind == "finished"


@pytest.mark.parametrize("rate", [1e200, 1e308])
def test_overflow_is_an_outcome(rate):
    metric = ComponentFlow(TRAIN, RELU, rate=rate).run()
    assert metric.report.outcome.kind == "diverged"
    assert np.isfinite(metric.report.history).all()
    assert np.isfinite(gv.gain(metric, UNSEEN))


def test_a_metric_that_stops_being_positive_is_singular():
    flow = ComponentFlow(TRAIN, FubiniStudyGaussian(0.7), rate=PointwiseRate(0.03))
    metric = flow.run()
    assert metric.report.outcome.kind == "singular"
    assert "stop being positive in step" in metric.report.outcome.message
    assert np.linalg.eigvalsh(metric.at(TRAIN)).min() > 0
    assert flow.run().report.outcome == metric.report.outcome
    assert np.isfinite(gv.gain(metric, UNSEEN))


def test_gains_are_numbers_where_the_metric_is_not_positive():
    metric = ComponentFlow(TRAIN, NearestKernel(), steps=20).run()
    far = gv.quality(metric, gv.noised(TRAIN, 0.6, seed=1))
    assert far.not_positive > 0
    assert 0 < far.gain < 2
    none = ComponentMetric(metric.sums, -1e3 * np.broadcast_to(np.eye(3), (120, 3, 3)), metric.report)
    assert gv.gain(none, TRAIN) == 0.0
    assert gv.quality(none, TRAIN).not_positive == 120


def test_other_charts_see_the_same_metric():
    metric = ComponentFlow(TRAIN, WIDE, steps=20).run()
    moved = gv.in_patch(UNSEEN, 2)
    change = gv.transition(moved, UNSEEN)
    expected = change @ metric.at(UNSEEN) @ np.swapaxes(change.conj(), 1, 2)
    np.testing.assert_allclose(metric.at(moved), expected, rtol=1e-9, atol=1e-12)
    assert float(gv.sigma(metric, moved)) == pytest.approx(float(gv.sigma(metric, UNSEEN)), rel=1e-9)
    assert gv.gain(metric, moved) == pytest.approx(gv.gain(metric, UNSEEN), rel=1e-9)


@pytest.mark.parametrize("kernel", [RELU, CutOffKernel(WIDE, 0.8)])
def test_a_flow_that_goes_on_is_the_same_bit_for_bit(tmp_path, kernel):
    options = {"steps": 12, "loss": "(v - 1)^2", "clusters": batched_labels(TRAIN, 1, 3, seed=0)}
    whole = ComponentFlow(TRAIN, kernel, **options).run()
    flow, place = ComponentFlow(TRAIN, kernel, **options), tmp_path / "flow"
    first = gf.solve(flow, flow.start(), flow.length, max_steps=5, store=place)
    assert flow.metric(first).report.outcome.kind == "interrupted"
    assert flow.metric(first).report["step"][-1] == 5
    flow = ComponentFlow(TRAIN, kernel, **options)
    again = flow.metric(gf.solve(flow, flow.start(), flow.length, store=place, resume=True))
    np.testing.assert_array_equal(again.coefficients, whole.coefficients)
    np.testing.assert_array_equal(again.report.history, whole.report.history)
    for other in ({"rate": 0.1}, {"steps": 13}, {"clip": 0.1}, {"clusters": None}):
        flow = ComponentFlow(TRAIN, kernel, **(options | other))
        with pytest.raises(StoreError, match="holds another run"):
            gf.solve(flow, flow.start(), 14, store=place, resume=True)


def test_metrics_are_stored(tmp_path):
    for number, kernel in enumerate((RELU, NearestKernel(), CutOffKernel(NARROW, 0.3))):
        metric = ComponentFlow(TRAIN, kernel, steps=3, clusters=np.arange(120) % 2).run()
        metric.save(tmp_path / f"{number}.npz")
        again = gf.load_metric(tmp_path / f"{number}.npz")
        np.testing.assert_array_equal(again.at(UNSEEN), metric.at(UNSEEN))
        assert str(again.report) == str(metric.report)
    own = DistanceKernel(lambda d: np.exp(-(d**2)), "chordal")
    metric = ComponentFlow(TRAIN, own, steps=3).run()
    metric.save(tmp_path / "own.npz")
    with pytest.raises(StoreError, match="give it, load_metric"):
        gf.load_metric(tmp_path / "own.npz")
    np.testing.assert_array_equal(gf.load_metric(tmp_path / "own.npz", kernel=own).at(UNSEEN), metric.at(UNSEEN))


def test_an_interrupted_flow_keeps_whole_steps(monkeypatch):
    flow = ComponentFlow(TRAIN, WIDE, steps=10)
    step = ComponentFlow.step

    def stopped(self, state):
        if state.count("taken") == 4:
            raise KeyboardInterrupt
        return step(self, state)

    monkeypatch.setattr(ComponentFlow, "step", stopped)
    metric = flow.run()
    assert (metric.report.outcome.kind, metric.report["step"][-1]) == ("interrupted", 4)
    monkeypatch.undo()
    np.testing.assert_array_equal(flow.run().coefficients, ComponentFlow(TRAIN, WIDE, steps=10).run().coefficients)


def test_results_do_not_depend_on_threads(monkeypatch):
    first = [ComponentFlow(TRAIN, kernel, steps=5).run().coefficients for kernel in (WIDE, RELU)]
    monkeypatch.setenv("GEOMFLOW_THREADS", "1")
    for kernel, coefficients in zip((WIDE, RELU), first, strict=True):
        np.testing.assert_array_equal(ComponentFlow(TRAIN, kernel, steps=5).run().coefficients, coefficients)


class Backwards(Workers):
    """Tasks done one after the other, the last one first, and counted."""

    tasks, count = 0, 1

    def share(self, value):
        return value

    def keep(self, function, *tasks, common=()):
        return self.map(function, *tasks, common=common)

    def done(self, function, *tasks, common=()):
        calls = list(enumerate(zip(*tasks, strict=True)))
        self.tasks += len(calls)
        for number, arguments in reversed(calls):
            yield number, function(*common, *arguments)


def test_workers_make_the_same_metric():
    team = Backwards()
    spread = ComponentFlow(TRAIN, WIDE, steps=5).run(workers=team)
    assert team.tasks >= 5
    np.testing.assert_array_equal(spread.coefficients, ComponentFlow(TRAIN, WIDE, steps=5).run().coefficients)
    with pytest.raises(InputError, match="names no workers"):
        ComponentFlow(TRAIN, WIDE).run(workers=[])


def test_what_a_flow_refuses():
    def made(**options):
        return ComponentFlow(TRAIN, WIDE, **options)

    with pytest.raises(InputError, match=r"lie in \d+ charts.*gv.sample_patch"):
        ComponentFlow(X.sample(50, seed=0), WIDE)
    with pytest.raises(InputError, match="at least two points"):
        ComponentFlow(TRAIN.coordinates, WIDE)
    with pytest.raises(InputError, match="driven by a kernel"):
        ComponentFlow(TRAIN, 0.3)
    with pytest.raises(InputError, match="cluster 1 of 3 is empty"):
        made(clusters=np.arange(120) % 2 * 2)
    with pytest.raises(InputError, match="is empty"):
        made(clusters=np.full(120, -1))
    with pytest.raises(ShapeError, match="120 points"):
        made(clusters=np.zeros(119, int))
    with pytest.raises(UnknownNameError, match="did you mean 'largest'"):
        made(normalise="largst")
    with pytest.raises(InputError, match="one rate for all points"):
        made(normalise="largest", rate=PointwiseRate())
    with pytest.raises(InputError, match="unknown loss"):
        made(loss="sgima")
    for options, what in (({"rate": -1}, "learning rate"), ({"rate": "fast"}, "learning rate"), ({"clip": 0}, "clip"),
                          ({"steps": 0}, "number of steps")):
        with pytest.raises(InputError, match=what):
            made(**options)
    with pytest.raises(InputError, match="which is more"):
        FallingRate(1e-3, 0.1)
    metric = made(steps=1).run()
    with pytest.raises(InputError, match="the points on the"):
        metric.at(gv.Fermat(4).sample(5, seed=0))
