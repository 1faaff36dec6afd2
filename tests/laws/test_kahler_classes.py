"""Kähler classes: whatever class is asked for, a metric is in it, and as good as symmetries that keep it allow."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow.core.errors import InputError, StoreError
from geomflow.fits import (
    InvariantKernel,
    Isometries,
    OrbitKernel,
    OverlapKernel,
    PhiTraining,
    Power,
    RidgeFit,
    kernel_metric,
    phi_metric,
)
from geomflow.variety.measures import VolumeWarning, checked_volume
from geomflow.variety.sections import Places, halved, line_bundle, monomials
from geomflow.variety.symmetry import Symmetry

#: Symmetric under the swap of the factors (with their coordinates), and not.
VARIETIES = {
    "bicubic": gv.Bicubic(),
    "tetraquadric": gv.Tetraquadric(),
    "lopsided": gv.Bicubic("x0^3*(2*y0^3+y1^3-y2^3) + x1^3*(y0^3-3*y1^3+y2^3) + x2^3*(y0^3+y1^3+4*y2^3)"
                           " + x0*x1*x2*y0^2*y1"),
    "P1xP3": gv.Hypersurface("x0^2*(y0^4+y1^4+y2^4+y3^4) + x1^2*(y0^4+2*y1^4+3*y2^4+5*y3^4)", ambient=(1, 3)),
    "P2xP1": gv.Hypersurface("y0^2*(x0^3+x1^3+x2^3) + y1^2*(x0^3+2*x1^3+4*x2^3)", ambient=(2, 1),
                             coordinates=("x0", "x1", "x2", "y0", "y1")),
}
CASES = [("bicubic", (1, 2)), ("bicubic", (2, 1)), ("lopsided", (1, 2)), ("tetraquadric", (1, 1, 2, 1)),
         ("P1xP3", (1, 2)), ("P2xP1", (2, 1))]


@cache
def points(name: str, seed: int = 1) -> gv.Points:
    return VARIETIES[name].sample(4000, seed=seed)


@cache
def optimal(name: str, degree: tuple[int, ...]) -> gv.HermitianForm:
    return gf.fits.algebraic_metric(VARIETIES[name], degree, points(name))


@pytest.mark.parametrize(("name", "degree"), CASES)
def test_optimal_metrics_are_in_their_class_and_better_than_fubini_study(name, degree):
    metric, unseen = optimal(name, degree), points(name, 2)
    assert metric.kahler_class == degree
    assert gv.volume(metric, unseen).within(gv.class_volume(metric), 4)
    assert gv.sigma(metric, unseen) < 0.8 * gv.sigma(gv.FubiniStudy(VARIETIES[name], degree), unseen)


@pytest.mark.parametrize("degree", [(1, 2), (2, 1)])
def test_the_bicubic(degree):
    """Four forms without the swap of the factors; ∫(H₁ + 2H₂)³ = 54 gives the volume 9π³."""
    metric, unseen = optimal("bicubic", degree), points("bicubic", 2)
    assert metric.report.parameters == 4
    assert gv.class_volume(metric) == pytest.approx(9 * np.pi**3)
    assert gv.sigma(metric, unseen).within(0.192, 4)
    assert gv.sigma(gv.FubiniStudy(gv.Bicubic(), degree), unseen).within(0.324, 4)


@pytest.mark.parametrize(("name", "degree"), [("bicubic", (2, 1)), ("P1xP3", (1, 2)), ("tetraquadric", (1, 1, 2, 2))])
def test_balanced_metrics_are_in_their_class(name, degree):
    metric = gf.fits.balanced_metric(VARIETIES[name], degree, points(name))
    assert metric.kahler_class == degree
    assert gv.volume(metric, points(name, 2)).within(gv.class_volume(metric), 4)
    assert gv.sigma(metric, points(name, 2)) < gv.sigma(gv.FubiniStudy(VARIETIES[name], degree), points(name, 2))


@pytest.mark.parametrize("fit", [gf.fits.algebraic_metric, gf.fits.balanced_metric], ids=["algebraic", "balanced"])
@pytest.mark.parametrize("name", ["bicubic", "P2xP1"])
def test_swapped_factors_swap_the_class(name, fit):
    """The metric (1, 2) of X is the metric (2, 1) of X with its factors exchanged."""
    source, ambient = VARIETIES[name].polynomial, VARIETIES[name].ambient
    swap = np.roll(np.arange(ambient.size), -ambient.blocks[1].start)
    names = [source.names[i] for i in swap]
    swapped = gv.Hypersurface(source.expression, ambient=ambient.dims[::-1], coordinates=names)
    here = VARIETIES[name].points(points(name).coordinates[:1000])
    there = swapped.points(here.coordinates[:, swap])
    first, second = fit(VARIETIES[name], (1, 2), here), fit(swapped, (2, 1), there)
    assert second.report.sigma == pytest.approx(first.report.sigma, rel=1e-8)
    np.testing.assert_allclose(second.log_determinant(there) - np.log(there.omega2),
                               first.log_determinant(here) - np.log(here.omega2), rtol=0, atol=1e-6)


def test_higher_degrees_keep_the_class_and_classes_scale_the_volume():
    small, unseen = optimal("bicubic", (1, 2)), points("bicubic", 2)
    large = gf.fits.algebraic_metric(VARIETIES["bicubic"], (2, 4), points("bicubic")[:1500])
    assert large.kahler_class == small.kahler_class == (1, 2)
    assert gv.sigma(large, unseen) < gv.sigma(small, unseen) / 3
    for kahler_class, degree in (((0.5, 1), 2), ((0.5, 1), (1, 2))):
        half = gf.fits.algebraic_metric(VARIETIES["bicubic"], degree, points("bicubic"), kahler_class=kahler_class)
        assert half.kahler_class == kahler_class
        np.testing.assert_allclose(half.at(unseen), small.at(unseen) / 2, rtol=1e-10, atol=1e-12)
        assert gv.class_volume(half) == pytest.approx(gv.class_volume(small) / 2**3)


@pytest.mark.parametrize(("name", "kahler_class", "order"), [
    ("bicubic", (1, 1), 12), ("bicubic", (2, 1), 6), ("bicubic", (0.5, 0.5), 12), ("bicubic", (0.5, 0.7), 6),
    ("tetraquadric", (1, 1, 1, 1), 24), ("tetraquadric", (1, 1, 2, 1), 6), ("tetraquadric", (1, 2, 1, 2), 4),
    ("tetraquadric", (1, 2, 3, 4), 1), ("P1xP3", (1, 2), 1),
])
def test_symmetries_that_keep_the_class_take_factors_to_factors_of_equal_t(name, kahler_class, order):
    ambient, whole = VARIETIES[name].ambient, VARIETIES[name].symmetry
    kept, t = whole.keeping(ambient, kahler_class), np.array(kahler_class)[ambient.factor_of]
    assert len(kept.permutations) == order
    assert all(np.array_equal(t[p], t) for p in kept.permutations)
    assert len(set(kahler_class)) > 1 or kept is whole


def test_permutations_that_mix_factors_are_refused():
    shift = Symmetry(np.array([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]]), np.zeros((0, 6), np.int64), False)
    with pytest.raises(InputError, match="mixes coordinates of different factors"):
        gf.fits.algebraic_metric(VARIETIES["bicubic"], 1, points("bicubic"), symmetry=shift)


def test_monomials_that_are_not_there_are_a_defect():
    places = Places(monomials(3, 4))
    np.testing.assert_array_equal(places(monomials(3, 4)[::-1]), np.arange(15)[::-1])
    for wrong in ([5, 0, 0], [0, 0, 5], [2, 1, 0], [-1, 5, 0]):
        with pytest.raises(AssertionError, match="1 monomials are not among the 15"):
            places(np.array([[4, 0, 0], wrong]))


def test_starts_are_on_the_ray():
    for degrees in ((1, 2), (2, 4), (3, 6), (5, 10, 15), (7, 7), (4, 6)):
        half, k = halved(degrees), np.gcd.reduce(degrees)
        assert half == tuple(d // k * -(-k // 2) for d in degrees)


@pytest.mark.parametrize(("degree", "kahler_class", "said"), [
    (1, (1, 1.5), "no line bundle"),
    ((2, 3), (1, 2), "no whole multiple"),
    ((1, 2), (2, 4), "no line bundle"),
    (1, (1, 2, 3), "one positive number for each factor"),
    (1, (1, -1), "one positive number for each factor"),
])
def test_bundles_that_do_not_exist(degree, kahler_class, said):
    with pytest.raises(InputError, match=said):
        line_bundle(VARIETIES["bicubic"], degree, kahler_class)


def test_a_metric_without_the_volume_of_its_class_is_told_of():
    class Liar(gv.PolarisedMetric):
        """Fubini–Study in another class than it says."""

        def __init__(self, inner):
            self.inner, self.variety = inner, inner.variety

        kahler_class = (1.0, 1.0)

        def potential(self, points):
            return self.inner.potential(points)

        def at(self, points):
            return self.inner.at(points)

        def jets(self, points):
            return self.inner.jets(points)

    variety, here = VARIETIES["bicubic"], points("bicubic")
    assert checked_volume(gv.FubiniStudy(variety), here) == pytest.approx(3 * np.pi**3)
    with pytest.warns(VolumeWarning, match="none of its class"):
        checked_volume(Liar(gv.FubiniStudy(variety, (1, 1.2))), here)


@cache
def few(name: str, seed: int = 1) -> gv.Points:
    return points(name, seed)[:600]


KERNELS = [OverlapKernel(Power(1)), InvariantKernel(2, Power(1)),
           OrbitKernel(Power(2), Isometries.permuting(VARIETIES["bicubic"]), 60)]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: type(kernel).__name__)
def test_metrics_of_kernels_have_any_class(kernel, tmp_path):
    kahler_class, variety, here, unseen = (0.7, 1.3), VARIETIES["bicubic"], few("bicubic"), few("bicubic", 2)
    metric = kernel_metric(here, kernel, RidgeFit(1e-2), kahler_class=kahler_class)
    assert metric.kahler_class == kahler_class
    assert gv.volume(metric, unseen).within(gv.class_volume(metric), 4)
    assert gv.sigma(metric, unseen) < gv.sigma(gv.FubiniStudy(variety, kahler_class), unseen)
    metric.save(tmp_path / "metric.npz")
    np.testing.assert_array_equal(gf.load_metric(tmp_path / "metric.npz").at(unseen[:5]), metric.at(unseen[:5]))
    with pytest.raises(InputError, match="make it for that class"):
        kernel_metric(here, metric.span, kahler_class=(1, 1))


@pytest.mark.parametrize("kernel", KERNELS[1:], ids=lambda kernel: type(kernel).__name__)
def test_kernels_share_only_symmetries_that_keep_the_class(kernel):
    """The swap of the factors, a symmetry of the bicubic, leaves φ alone in the class (1, 1) and not in (1, 2)."""
    here, variety = few("bicubic"), VARIETIES["bicubic"]
    swapped = variety.points(here.coordinates[:100, [3, 4, 5, 0, 1, 2]])
    for kahler_class, same in (((1, 1), True), ((1, 2), False)):
        metric = kernel_metric(here, kernel, RidgeFit(1e-4), kahler_class=kahler_class)
        change = np.abs(metric.correction(swapped) - metric.correction(here[:100])).max()
        assert (change < 1e-9) == same


def test_drawn_symmetries_keep_the_class_that_is_asked_for():
    variety, factor = VARIETIES["bicubic"], VARIETIES["bicubic"].ambient.factor_of
    drawn = Isometries.sample(variety, 40, 0, (1, 2))
    assert np.all(factor[drawn.permutations] == factor)
    assert len(Isometries.sample(variety, 40, 0).keeping((1, 2))) < 40
    swap = Isometries(variety.ambient, np.array([[3, 4, 5, 0, 1, 2]]), np.ones((1, 6), complex), np.zeros(1, bool))
    with pytest.raises(InputError, match="none of 1 symmetries keeps the Kähler class"):
        OrbitKernel(Power(1), swap).span(few("bicubic"), (1, 2))


def test_networks_have_any_class(tmp_path):
    variety, unseen, options = VARIETIES["P2xP1"], points("P2xP1", 2), {"hidden": (8,), "kahler_class": (1.5, 0.7)}
    metric = phi_metric(variety, few("P2xP1"), steps=(0, 12), **options)
    assert metric.kahler_class == (1.5, 0.7)
    assert gv.volume(metric, unseen).within(gv.class_volume(metric), 4)
    assert gv.sigma(metric, unseen) < 0.9 * gv.sigma(metric.reference, unseen)
    first, other = (PhiTraining(variety, few("P2xP1"), steps=(2, 0), **given) for given in (options, {"hidden": (8,)}))
    gf.solve(first, first.start(), 1, store=tmp_path / "fit")
    with pytest.raises(StoreError, match=r"flow\.class"):
        gf.solve(other, other.start(), 2, store=tmp_path / "fit", resume=True)


def test_flows_of_forms_stay_in_their_class():
    family = gf.fits.form_family(VARIETIES["P2xP1"], (2, 1), few("P2xP1"))
    state = family.state()
    assert family.kahler_class == state.metric.kahler_class == (2, 1)
    np.testing.assert_allclose(state.positivity, 1, rtol=1e-10)
    solution = gf.solve(gf.KahlerRicciFlow(), state, t1=0.1)
    assert solution["sigma"][-1] < 0.9 * solution["sigma"][0]
    assert gv.checked_volume(solution.last.metric, points("P2xP1", 2)) > 0
    assert gf.fits.form_family(VARIETIES["P2xP1"], 1, few("P2xP1"), kahler_class=(2, 1)).count == family.count
