"""Spaces of constant curvature and their products: tori, spheres, hyperbolic spaces, cylinders."""

from __future__ import annotations

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.catalogue.geometry import TIME, Geometry, Known, constant, einstein_known
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric

RADIUS = sympy.Symbol("r0", positive=True)


def flat_torus(dim: int = 2) -> Geometry:
    """The torus R^d/Z^d with dx_1² + ... + dx_d²."""
    names = ["x", "y", "z", "w"][:dim] if dim <= 4 else [f"x{k + 1}" for k in range(dim)]
    metric = Metric(_chart(names, periods=dict.fromkeys(names, 1)), sympy.eye(dim))
    known = einstein_known(metric, 0, ricci_flat=True, riemann_squared=sympy.Integer(0))
    return Geometry("flat-torus", f"the flat torus of dimension {dim}", metric, known, "elementary")


def round_sphere(dim: int = 2, radius: sympy.Expr = RADIUS) -> Geometry:
    """The sphere S^n of radius r_0: r² = r_0² − 2(n−1)t under Ricci flow, extinct at r_0²/(2(n−1))."""
    _at_least("a sphere in angles", dim, 1)
    angles = ["theta"] if dim == 1 else (["theta", "phi"] if dim == 2 else [f"theta{k + 1}" for k in range(dim)])
    ranges = dict.fromkeys(angles[:-1], (0, sympy.pi)) | {angles[-1]: (0, 2 * sympy.pi)}
    chart = Chart(angles, ranges=ranges, periods={angles[-1]: 2 * sympy.pi})
    radius = constant("radius", radius, chart)
    metric = Metric(chart, radius**2 * sympy.diag(*_sphere_factors(chart.symbols)))
    known = einstein_known(metric, (dim - 1) / radius**2, riemann_squared=2 * dim * (dim - 1) / radius**4)
    return Geometry(
        "round-sphere", f"the round sphere of dimension {dim}", metric, known, "R. Hamilton, J. Diff. Geom. 17 (1982)"
    )


def hyperbolic_space(dim: int = 2, radius: sympy.Expr = RADIUS) -> Geometry:
    """Hyperbolic space in the half-space y > 0: r²(dx² + dy²)/y², r² = r_0² + 2(n−1)t under Ricci flow."""
    _at_least("hyperbolic space", dim, 2)
    names = ["x", "y"] if dim == 2 else [*(f"x{k + 1}" for k in range(dim - 1)), "y"]
    chart = _chart(names, ranges={"y": (0, sympy.oo)})
    radius = constant("radius", radius, chart)
    metric = Metric(chart, radius**2 / chart.symbols[-1] ** 2 * sympy.eye(dim))
    known = einstein_known(metric, -(dim - 1) / radius**2, riemann_squared=2 * dim * (dim - 1) / radius**4)
    return Geometry("hyperbolic-space", f"hyperbolic space of dimension {dim}", metric, known, "elementary")


def cylinder(sphere_dim: int = 2, flat_dim: int = 1, radius: sympy.Expr = RADIUS) -> Geometry:
    """S^k × R^m: under Ricci flow only the sphere shrinks."""
    _at_least("the sphere of a cylinder", sphere_dim, 2)
    _at_least("the flat factor of a cylinder", flat_dim, 1)
    angles = [f"theta{k + 1}" for k in range(sphere_dim)]
    lines = ["x"] if flat_dim == 1 else [f"x{k + 1}" for k in range(flat_dim)]
    chart = _chart(
        [*angles, *lines], ranges=dict.fromkeys(angles[:-1], (0, sympy.pi)), periods={angles[-1]: 2 * sympy.pi}
    )
    radius = constant("radius", radius, chart)
    factors = _sphere_factors(chart.symbols[:sphere_dim])
    k = sphere_dim

    def at(square: sympy.Expr) -> sympy.Matrix:
        return sympy.diag(*[square * f for f in factors], *[1] * flat_dim)

    known = Known(
        scalar=k * (k - 1) / radius**2,
        riemann_squared=2 * k * (k - 1) / radius**4,
        flow=at(radius**2 - 2 * (k - 1) * TIME),
        extinction=radius**2 / (2 * (k - 1)),
    )
    title = f"the cylinder S^{k} x R^{flat_dim}"
    return Geometry("cylinder", title, Metric(chart, at(radius**2)), known, "R. Hamilton, Surveys Diff. Geom. 2 (1995)")


def _sphere_factors(angles: tuple[sympy.Symbol, ...]) -> list[sympy.Expr]:
    factors = [sympy.Integer(1)]
    for angle in angles[:-1]:
        factors.append(factors[-1] * sympy.sin(angle) ** 2)
    return factors


def _chart(names: list[str], **options: object) -> Chart:
    return Chart(names, **options)  # type: ignore[arg-type]


def _at_least(what: str, dim: int, least: int) -> None:
    if dim < least:
        raise InputError(f"{what} needs dimension {least} or more, not {dim}")
