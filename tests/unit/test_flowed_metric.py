"""Steps of Kähler–Ricci flow from algebraic metrics: against curvature, in every chart, and what they gain."""

from math import factorial, prod

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow.core.errors import InputError
from geomflow.core.threads import at_most
from geomflow.fits import FlowedMetric, flowed_metric
from geomflow.variety.errors import KahlerConeError
from geomflow.variety.sample import given_points
from geomflow.variety.series import truncation


def random_form(variety, degree, seed, size=0.05):
    """A form near that of Fubini–Study, with no symmetry."""
    sections = gv.Sections(variety, (degree,) * len(variety.ambient.dims))
    weights = np.array([multinomial(row, variety.ambient.blocks) for row in sections.exponents])
    noise = np.random.default_rng(seed).standard_normal((len(weights), len(weights), 2)).view(complex)[..., 0]
    root = np.sqrt(weights)
    form = np.diag(weights) + size * root[:, None] * (noise + noise.conj().T) * root
    return gv.HermitianForm(variety, sections.exponents, form, degree)


def multinomial(exponents, blocks):
    return prod(factorial(int(exponents[b].sum())) / prod(map(factorial, exponents[b].tolist())) for b in blocks)


VARIETIES = [gv.Fermat(3), gv.Fermat(4), gv.Dwork("1/2"), gv.Bicubic()]


@pytest.mark.parametrize("variety", VARIETIES, ids=str)
def test_a_step_takes_the_ricci_curvature(variety):
    """g_1 = g_0 − τ Ric(g_0), with Ric from the jets of the form: another way to the same derivatives."""
    form, points = random_form(variety, 2, 1), variety.sample(60, seed=2)
    curvature = form.curvature(points)
    expected = curvature.metric - 0.01 * curvature.ricci
    assert np.abs(FlowedMetric(form, [0.01]).at(points) - expected).max() < 1e-10 * np.abs(expected).max()


def test_steps_follow_one_another():
    """The second step takes the curvature of the metric after the first, which its own fourth derivatives give."""
    variety = gv.Dwork("1/2")
    form, points = random_form(variety, 2, 1), variety.sample(40, seed=2)
    once, twice = FlowedMetric(form, [0.01]), FlowedMetric(form, [0.01, 0.02])
    curvature = once.curvature(points)
    expected = curvature.metric - 0.02 * curvature.ricci
    assert np.abs(twice.at(points) - expected).max() < 1e-9 * np.abs(expected).max()


def test_the_potential_moves_by_log_v():
    variety = gv.Fermat(4)
    form, points = random_form(variety, 2, 1), variety.sample(60, seed=2)
    moved = FlowedMetric(form, [0.01]).potential(points) - form.potential(points)
    assert np.allclose(moved, 0.01 * (form.log_determinant(points) - np.log(points.omega2)), atol=1e-13)


def test_it_is_one_metric_in_all_charts():
    variety = gv.Dwork("1/2")
    metric, points = FlowedMetric(random_form(variety, 2, 1), [0.01, 0.01]), variety.sample(40, seed=2)
    other = gv.in_patch(points, 0)
    change = gv.transition(points, other)
    expected = change @ metric.at(other) @ np.swapaxes(change.conj(), 1, 2)
    assert np.abs(metric.at(points) - expected).max() < 1e-8 * np.abs(expected).max()
    assert np.allclose(metric.correction(points), metric.correction(other), atol=1e-10)


def test_derivatives_of_the_metric_are_those_of_its_potential():
    """∂_c g_ab̄ from `jets` against differences of g along the variety."""
    variety = gv.Fermat(3)
    metric = FlowedMetric(random_form(variety, 3, 1), [0.01])
    points = variety.sample(30, seed=2)
    _, third, _ = metric.jets(points)
    step = 1e-4
    series = truncation(1, 4).coordinates(points)

    def at(x):
        moved = given_points(variety, sum(series[:, row] * x**row for row in range(5)).T)
        return metric.at(gv.in_patch(moved, points.patch, points.elim))[:, 0, 0]

    real = (at(step) - at(-step)) / (2 * step)
    imaginary = (at(1j * step) - at(-1j * step)) / (2 * step)
    expected = (real - 1j * imaginary) / 2
    assert np.abs(third[:, 0, 0, 0] - expected).max() < 1e-5 * np.abs(expected).max()


def test_each_step_lowers_sigma():
    variety = gv.Fermat(4)
    points, unseen = variety.sample(4000, seed=1), variety.sample(4000, seed=2)
    form = gf.algebraic_metric(variety, 2, points)
    found = [float(gf.sigma(form, unseen))]
    found += [float(gf.sigma(flowed_metric(form, variety.sample(2000, seed=3), steps), unseen)) for steps in (1, 2)]
    assert found[1] < found[0] / 2
    assert found[2] < found[1]


def test_bits_do_not_depend_on_threads():
    variety = gv.Fermat(4)
    form, points = random_form(variety, 2, 1), variety.sample(200, seed=2)
    found = []
    for number in (1, 2):
        with at_most(number):
            metric = flowed_metric(form, points, 2)
            found.append((metric.lengths, metric.at(points)))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])


def test_it_is_saved_and_loaded(tmp_path):
    variety = gv.Fermat(4)
    points = variety.sample(4000, seed=1)
    form = gf.algebraic_metric(variety, 2, points)
    metric = flowed_metric(form, points, 1)
    metric.save(tmp_path / "flowed.npz")
    loaded = gf.load_metric(tmp_path / "flowed.npz")
    assert isinstance(loaded, FlowedMetric)
    assert np.array_equal(loaded.at(points[:50]), metric.at(points[:50]))
    assert loaded.report.parameters == form.report.parameters


@pytest.mark.parametrize("steps", [0, 5, 1.5])
def test_other_numbers_of_steps_are_refused(steps):
    variety = gv.Fermat(3)
    with pytest.raises(InputError, match="steps"):
        flowed_metric(random_form(variety, 1, 1), variety.sample(50, seed=1), steps)


def test_what_is_no_form_is_refused():
    variety = gv.Fermat(3)
    with pytest.raises(InputError, match=r"algebraic_metric"):
        flowed_metric(gv.FubiniStudy(variety), variety.sample(50, seed=1))
    with pytest.raises(InputError, match="lengths"):
        FlowedMetric(random_form(variety, 1, 1), [])


def test_a_form_that_is_no_metric_is_refused():
    variety = gv.Fermat(3)
    with pytest.raises(KahlerConeError, match="not positive at"):
        flowed_metric(random_form(variety, 2, 1, size=5.0), variety.sample(50, seed=1))
