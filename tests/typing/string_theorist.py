"""What a string theorist writes: a Calabi–Yau metric, how good it is, and its invariants."""

from __future__ import annotations

import geomflow as gf
import geomflow.variety as gv


def quintic(count: int = 2000) -> tuple[float, float]:
    """An algebraic metric on the Fermat quintic, and σ on other points."""
    variety = gf.Fermat(5)
    points = variety.sample(count, seed=1)
    euler = points.euler_number()
    metric = gf.algebraic_metric(variety, degree=2, points=points)
    sigma = gf.sigma(metric, variety.sample(500, seed=2))
    print(euler, euler.error, sigma)
    return float(euler), float(sigma)


def balanced() -> float:
    """A balanced metric on a quartic of moduli, and its volume beside that of its class."""
    variety = gf.Hypersurface("z0^4 + z1^4 + z2^4 + z3^4 + z0*z1*z2*z3")
    points = variety.sample(1000, seed=3)
    metric = gf.balanced_metric(variety, 2, points)
    g = metric.at(points)
    curvature = metric.curvature(points[:10])
    print(curvature.ricci.shape, curvature.scalar.mean())
    return float(gv.volume(metric, points)) / gv.class_volume(metric) + float(g.real.mean())


def measures() -> str:
    """Fubini–Study on a bicubic, before and after."""
    variety = gv.Bicubic()
    points = variety.sample(200, seed=1)
    quality = gv.quality(gf.FubiniStudy(variety, (1.0, 2.0)), points)
    return f"{quality.gain:.3f}, {quality.before.error:.2g}, {quality}"


if __name__ == "__main__":
    print(quintic(), balanced(), measures())
