"""Spaces of constant curvature and their products, left-invariant metrics on Nil and SU(2), and black holes."""

from __future__ import annotations

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.catalogue.geometry import TIME, Geometry, Known, constant, einstein_known
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric

RADIUS = sympy.Symbol("r0", positive=True)
MASS, SPIN = sympy.symbols("m a", positive=True)
A, B, C = sympy.symbols("A B C", positive=True)


def flat_torus(dim: int = 2) -> Geometry:
    """The torus R^d/Z^d with dx_1² + ... + dx_d²."""
    names = ["x", "y", "z", "w"][:dim] if dim <= 4 else [f"x{k + 1}" for k in range(dim)]
    metric = Metric(Chart(names, periods=dict.fromkeys(names, 1)), sympy.eye(dim))
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
    chart = Chart(names, ranges={"y": (0, sympy.oo)})
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
    chart = Chart(
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


def _at_least(what: str, dim: int, least: int) -> None:
    if dim < least:
        raise InputError(f"{what} needs dimension {least} or more, not {dim}")


def nil() -> Geometry:
    """Heisenberg's group, dσ¹ = 2σ²∧σ³: σ¹ = dz + 2x dy, σ² = dx, σ³ = dy.

    With D = 12t + BC/A: A(t) = A^{2/3}(BC)^{1/3} D^{−1/3}, B(t) = A^{1/3}B^{2/3}C^{−1/3} D^{1/3}, and C likewise.
    """
    chart = Chart("x y z")
    x = chart.symbols[0]
    forms = sympy.Matrix([[0, 2 * x, 1], [1, 0, 0], [0, 1, 0]])
    third = sympy.Rational(1, 3)
    d = 12 * TIME + B * C / A
    moving = (
        A ** (2 * third) * (B * C) ** third * d**-third,
        A**third * B ** (2 * third) * C**-third * d**third,
        A**third * C ** (2 * third) * B**-third * d**third,
    )
    known = Known(
        scalar=-2 * A / (B * C),
        rates={A: -4 * A**2 / (B * C), B: 4 * A / C, C: 4 * A / B},
        flow=_left_invariant(forms, *moving),
    )
    metric = Metric(chart, _left_invariant(forms, A, B, C))
    return Geometry(
        "nil", "the left-invariant metrics of Nil", metric, known, "J. Isenberg, M. Jackson, J. Diff. Geom. 35 (1992)"
    )


def su2() -> Geometry:
    """SU(2) = S³ in Euler angles, dσ¹ = 2σ²∧σ³ cyclic (the unit sphere is A = B = C = 1).

    Ricci flow becomes A' = −8 + 4(B² + C² − A²)/(BC), and cyclic.
    """
    chart = Chart("psi theta phi", ranges={"theta": (0, sympy.pi)}, periods={"psi": 4 * sympy.pi, "phi": 2 * sympy.pi})
    psi, theta, _ = chart.symbols
    sin, cos = sympy.sin, sympy.cos
    forms = (
        sympy.Matrix(
            [
                [0, -sin(psi), cos(psi) * sin(theta)],
                [0, cos(psi), sin(psi) * sin(theta)],
                [1, 0, cos(theta)],
            ]
        )
        / 2
    )
    known = Known(
        rates={p: -8 + 4 * (q**2 + r**2 - p**2) / (q * r) for p, q, r in ((A, B, C), (B, C, A), (C, A, B))},
        scalar=4 / A + 4 / B + 4 / C - 2 * (A**2 + B**2 + C**2) / (A * B * C),
    )
    metric = Metric(chart, _left_invariant(forms, A, B, C))
    return Geometry("su2", "the left-invariant metrics of SU(2)", metric, known, "J. Milnor, Adv. Math. 21 (1976)")


def _left_invariant(forms: sympy.Matrix, *weights: sympy.Expr) -> sympy.Matrix:
    return forms.T * sympy.diag(*weights) * forms


def schwarzschild(mass: sympy.Expr = MASS) -> Geometry:
    """−(1 − 2m/r) dt² + dr²/(1 − 2m/r) + r²(dθ² + sin²θ dφ²): Ricci-flat, |Rm|² = 48m²/r⁶."""
    chart = _spherical()
    _, r, theta, _ = chart.symbols
    mass = constant("mass", mass, chart)
    f = 1 - 2 * mass / r
    metric = Metric(chart, sympy.diag(-f, 1 / f, r**2, r**2 * sympy.sin(theta) ** 2))
    known = Known(ricci_flat=True, scalar=sympy.Integer(0), riemann_squared=48 * mass**2 / r**6)
    return Geometry("schwarzschild", "the Schwarzschild metric", metric, known, "K. Schwarzschild (1916)")


def kerr(mass: sympy.Expr = MASS, spin: sympy.Expr = SPIN) -> Geometry:
    """Kerr's metric in Boyer–Lindquist coordinates, Σ = r² + a²cos²θ: Ricci-flat, det g = −Σ² sin²θ."""
    chart = _spherical()
    _, r, theta, _ = chart.symbols
    mass, spin = constant("mass", mass, chart), constant("spin", spin, chart)
    s = sympy.sin(theta) ** 2
    sigma, delta = r**2 + spin**2 * sympy.cos(theta) ** 2, r**2 - 2 * mass * r + spin**2
    drag = -2 * mass * r * spin * s / sigma
    around = (r**2 + spin**2 + 2 * mass * r * spin**2 * s / sigma) * s
    rows = [[-(1 - 2 * mass * r / sigma), 0, 0, drag], [0, sigma / delta, 0, 0], [0, 0, sigma, 0], [drag, 0, 0, around]]
    x = spin * sympy.cos(theta)
    norm = 48 * mass**2 * (r**2 - x**2) * (sigma**2 - 16 * r**2 * x**2) / sigma**6
    known = Known(ricci_flat=True, scalar=sympy.Integer(0), riemann_squared=norm, determinant=-(sigma**2) * s)
    return Geometry("kerr", "the Kerr metric", Metric(chart, rows), known, "R. Kerr, Phys. Rev. Lett. 11 (1963)")


def _spherical() -> Chart:
    return Chart(
        "t r theta phi",
        ranges={"r": (0, sympy.oo), "theta": (0, sympy.pi)},
        periods={"phi": 2 * sympy.pi},
    )
