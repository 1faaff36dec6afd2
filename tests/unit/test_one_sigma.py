"""One σ: every way to it says the same on a metric that failed, and the package writes its formula down once."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import geomflow as gf
import geomflow.variety as gv
from geomflow.core.hermitian import pack
from geomflow.fits.component_flow import ComponentObjective
from geomflow.fits.objective import SigmaLoss
from geomflow.fits.points import WeightedPoints
from geomflow.fits.projective import ProjectiveInputs
from geomflow.variety.errors import KahlerConeError
from geomflow.variety.measures import normalised, sigma_of

X = gf.Fermat(4)
POINTS = gv.sample_patch(X, 200, seed=1, patch=0, elim=1)


class Shifted(gv.HermitianMetric):
    """g_FS − s·1 in local coordinates: positive for s = 0, at fewer and fewer points for larger s."""

    def __init__(self, s):
        self.variety, self.s = X, s

    def at(self, points):
        return gv.FubiniStudy(X).at(points) - self.s * np.eye(X.dim)


def routes(metric):
    """σ of a metric, from each part of the package that knows one."""
    g, reference = metric.at(POINTS), gv.FubiniStudy(X).at(POINTS)
    ratio = np.linalg.det(g).real / POINTS.omega2
    lower = ProjectiveInputs.of(POINTS, (1.0,)).lower
    inside = np.linalg.solve(lower, np.swapaxes(np.linalg.solve(lower, g - reference).conj(), 1, 2))
    return {
        "formula": normalised(ratio, POINTS.weights)[2],
        "points": float(sigma_of(ratio, POINTS)),
        "quality": float(gv.quality(metric, POINTS).after),
        "potentials": WeightedPoints.in_frames(POINTS, (1.0,)).quality(pack(np.swapaxes(inside.conj(), 1, 2)))[1],
        "components": WeightedPoints.in_patch(POINTS).quality(pack(g - reference))[1],
        "clouds": ComponentObjective.of(POINTS, SigmaLoss()).evaluate(pack(g)).sigma,
    }


@pytest.mark.parametrize("s", [0.0, 0.2, 0.5])
def test_every_way_to_sigma_says_the_same(s):
    found, v = routes(Shifted(s)), np.linalg.det(Shifted(s).at(POINTS)).real / POINTS.omega2
    v = v / np.average(v, weights=POINTS.weights)
    expected = np.average(np.abs(1 - v), weights=POINTS.weights)
    lost = gv.quality(Shifted(s), POINTS).not_positive
    assert (lost == 0) == (s == 0)
    assert list(found.values()) == pytest.approx([expected] * len(found), rel=1e-10)
    before = gv.sigma(gv.FubiniStudy(X), POINTS)
    assert gv.gain(Shifted(s), POINTS) == pytest.approx(before / expected, rel=1e-10)


def test_a_metric_without_volume_has_infinite_sigma_and_no_gain():
    class Gone(Shifted):
        """diag(1, −1), whose volume is negative."""

        def at(self, points):
            return np.broadcast_to(np.diag([1.0, -1.0]) + 0j, (len(points), 2, 2))

    found = routes(Gone(0))
    assert list(found.values()) == [np.inf] * len(found)
    assert gv.gain(Gone(0), POINTS) == 0
    assert gv.quality(Gone(0), POINTS).not_positive == len(POINTS)


def test_what_promises_a_positive_metric_raises():
    for measure in (gf.sigma, gv.kappa, gv.density_ratio):
        with pytest.raises(KahlerConeError, match="not positive at"):
            measure(Shifted(0.5), POINTS)
    assert gf.sigma(Shifted(0), POINTS) == pytest.approx(gf.sigma(gv.FubiniStudy(X), POINTS), rel=1e-12)


#: Where |v − 1| stands: σ itself, its Monte-Carlo error, and F of the σ-loss.
HOMES = {("core/conventions.py", "sigma"), ("variety/measures.py", "sigma_of")}


def _off_one(node):
    """Whether an expression is abs(x − 1) or abs(1 − x)."""
    if not (isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.BinOp)):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    inner = node.args[0]
    ones = [isinstance(side, ast.Constant) and side.value == 1 for side in (inner.left, inner.right)]
    return name in ("abs", "absolute", "fabs") and isinstance(inner.op, ast.Sub) and any(ones)


def _means(function):
    """Whether a function sums weights times |x − 1|: a product that holds one, or a mean or sum of one."""
    for node in ast.walk(function):
        parts = [node.left, node.right] if isinstance(node, ast.BinOp) else []
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("sum", "mean", "average", "dot"):
            parts = [*node.args, node.func.value]
        if any(_off_one(part) for part in parts):
            return True
    return False


def test_the_package_writes_the_formula_of_sigma_down_once():
    root = Path(gf.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and _means(node):
                found.add((path.relative_to(root).as_posix(), node.name))
    assert found == HOMES
