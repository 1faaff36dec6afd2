"""Pictures of varieties draw the right numbers, and slices are where they say."""

from __future__ import annotations

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow import plot
from geomflow.core.errors import InputError, ShapeError, UnknownNameError
from geomflow.core.report import FitReport
from geomflow.plot.convergence import fit_power


@pytest.fixture(scope="module")
def cubic():
    return gv.Dwork("1/2", 3)


@pytest.fixture(scope="module")
def points(cubic):
    return cubic.sample(1500, seed=1)


@pytest.fixture(scope="module")
def metric(cubic, points):
    return gf.fits.algebraic_metric(cubic, 2, points)


def test_sigma_draws_the_numbers_and_states_the_law_that_made_them():
    k = np.array([1, 2, 4, 6])
    sigma = 0.3 * np.exp(-0.78 * k)
    sigma[0] = 5.0  # no part of the law
    axes = plot.sigma(k, sigma, [1, 2, 5, 10])
    dots, law = axes[0].lines
    np.testing.assert_array_equal(dots.get_ydata(), sigma)
    np.testing.assert_allclose(law.get_ydata(), 0.3 * np.exp(-0.78 * law.get_xdata()), rtol=1e-10)
    assert axes[0].get_legend().texts[0].get_text() == r"$0.3\,e^{-0.78k}$"
    np.testing.assert_array_equal(axes[1].lines[0].get_xdata(), [1, 2, 5, 10])


def test_each_series_of_sigma_has_its_law():
    k = [2, 3, 4, 5]
    series = {
        "balanced": [3.5 / j**2 - 5.4 / j**3 for j in k],
        "power": [2.0 * j**-3 for j in k],
        "short": [0.1, 0.01, np.nan, np.nan],
    }
    (ax,) = plot.sigma(k, series, law={"balanced": "inverse squares", "power": "power"})
    told = [text.get_text() for text in ax.get_legend().texts]
    assert told == ["balanced", "$3.50/k^2 -5.40/k^3$", "power", r"$2\,k^{-3.00}$", "short"]


def test_a_power_law_is_fitted():
    c, p = fit_power([1, 2, 4], [3, 0.75, 0.1875])
    assert (c, p) == (pytest.approx(3), pytest.approx(2))


@pytest.mark.parametrize(
    "arguments, options, error, word",
    [
        (([1, 2], [0.1]), {}, ShapeError, "2 degrees"),
        (([1, 2], {"balanced": [0.1]}), {}, ShapeError, "'balanced'"),
        (([1, 2], [0.1, 0.0]), {}, InputError, "positive"),
        (([2, 3, 4], [0.1, 0.2, 0.3]), {"law": "exponental"}, UnknownNameError, "'exponential'"),
    ],
)
def test_sigma_refuses(arguments, options, error, word):
    with pytest.raises(error, match=word):
        plot.sigma(*arguments, **options)


def test_fits_follow_each_other(cubic, points, metric):
    third = gf.fits.algebraic_metric(cubic, 3, points, start=metric)
    ax = plot.fit([metric.report, third.report])
    first, second = ax.lines
    np.testing.assert_array_equal(first.get_ydata(), metric.report["sigma"])
    np.testing.assert_array_equal(second.get_ydata(), third.report["sigma"])
    assert second.get_xdata()[0] == first.get_xdata()[-1] + 1
    assert [text.get_text() for text in ax.texts] == ["$k=2$", "$k=3$"]
    ended, columns = metric.report.outcome, ("step", "sigma")
    empty = FitReport(ended, "", "", 1, 10, 0, 0.1, columns, np.array([[0, 0.1]]), {"degree": (1,)})
    with pytest.raises(InputError, match="none took a step"):
        plot.fit(empty)


def test_histograms_hold_all_of_the_measure_but_the_tails(metric, points):
    axes = plot.histograms(metric, points)
    assert axes.shape == (2, 2)
    for ax in axes[:, 1]:
        heights, edges, _ = ax.patches[0].get_data()
        assert heights @ np.diff(edges) == pytest.approx(1, abs=0.02)
    assert "magnified" in axes[0, 1].get_title(loc="right")
    with pytest.raises(UnknownNameError, match="quantity"):
        plot.histograms(metric, points, ["w"])


def test_a_slice_is_where_its_caption_says():
    quintic = gv.Dwork("1/3", 5)
    plane = plot.plane_slice(quintic, m=9, extent=1.2, fixed={"z3": 0.25}, branch=2)
    z = plane.points.coordinates / plane.points.coordinates[:, :1]
    x, y = np.meshgrid(plane.axis, plane.axis, indexing="ij")
    np.testing.assert_allclose(z[:, 1], x.ravel(), atol=1e-9)
    np.testing.assert_allclose(z[:, 2], y.ravel(), atol=1e-9)
    np.testing.assert_allclose(z[:, 3], 0.25, atol=1e-9)
    assert plane.points.residual < 1e-13
    assert plane.caption == "slice $(1, x, y, 0.25, z_{4})$ with $x, y$ real and $z_{4}$ on branch 2"


def test_a_branch_is_followed_without_jumps():
    """On z_1 + z_2-like slices of the quartic away from branch points the root is a continuous function."""
    plane = plot.plane_slice(gv.Fermat(4), m=33, extent=0.6)
    w = (plane.points.coordinates[:, 3] / plane.points.coordinates[:, 0]).reshape(33, 33)
    steps = np.concatenate([np.abs(np.diff(w, axis=0)).ravel(), np.abs(np.diff(w, axis=1)).ravel()])
    assert steps.max() < 0.1
    others = [plot.plane_slice(gv.Fermat(4), m=3, extent=0.6, branch=b) for b in range(4)]
    centres = np.array([s.points.coordinates[4, 3] / s.points.coordinates[4, 0] for s in others])
    np.testing.assert_allclose(np.sort_complex(centres**4), -1, atol=1e-12)
    assert len({complex(np.round(c, 6)) for c in centres}) == 4


def test_curves_and_products_have_slices(cubic):
    curve = plot.plane_slice(cubic, m=5)
    assert "x+iy" in curve.caption
    product = plot.plane_slice(gv.Tetraquadric(), m=5)
    assert product.points.residual < 1e-12
    assert "$(1, x; 1, y; 1, 0.5; 1, d_{1})$" in product.caption


def test_slices_refuse(cubic):
    with pytest.raises(InputError, match="numbered from 0; 3 was given"):
        plot.plane_slice(cubic, m=3, branch=3)
    with pytest.raises(UnknownNameError, match="coordinate to fix 'z9'"):
        plot.plane_slice(gv.Fermat(5), m=3, fixed={"z9": 0})


def test_slices_are_centred_on_zero_and_named(metric, points, cubic):
    plane = plot.plane_slice(cubic, m=7)
    axes = plot.slices(metric, points, plane=plane)
    for ax, symbol in zip(axes, ("$v - 1$, up to", "$R$, up to")):
        mesh = ax.collections[0]
        assert mesh.norm.vmin == -mesh.norm.vmax
        assert ax.get_title(loc="left").startswith(symbol)
    drawn = np.asarray(axes[1].collections[0].get_array()).reshape(7, 7)
    np.testing.assert_allclose(drawn.T.ravel(), gv.scalar_curvature(metric, plane.points))
    assert axes[0].figure._supxlabel.get_text() == plane.caption
