"""The entries: constant curvature, Nil and SU(2), black holes, solitons and ancient solutions, Kähler geometries.

Bryant's steady soliton is dr² + w(r)² g_{S^{n−1}}; no closed form is known. With a potential f, Ric + ∇²f = 0 becomes
f'' = (n−1) w''/w and w w'' = (n−2)(1 − w'²) + w w' f'; smooth at the centre, w = r + a r³ + ...,
f' = 6a(n−1) r + ..., and R + |∇f|² = R(0) = −6n(n−1)a everywhere. Positive curvature is a < 0.
"""

from __future__ import annotations

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.catalogue import frames
from geomflow.symbolic.catalogue.frames import left_invariant, sphere_factors
from geomflow.symbolic.catalogue.geometry import TIME, Geometry, Known, constant, einstein_known
from geomflow.symbolic.chart import Chart, ComplexChart
from geomflow.symbolic.kahler import KahlerMetric
from geomflow.symbolic.metric import Metric

RADIUS = sympy.Symbol("r0", positive=True)
MASS, SPIN = sympy.symbols("m a", positive=True)
A, B, C = sympy.symbols("A B C", positive=True)
SHAPE = sympy.Symbol("a", negative=True)
BOLT = sympy.Symbol("a", positive=True)
"""The size of the zero section."""


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
    metric = Metric(chart, radius**2 * sympy.diag(*sphere_factors(chart.symbols)))
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
    factors = sphere_factors(chart.symbols[:sphere_dim])
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


def _at_least(what: str, dim: int, least: int) -> None:
    if dim < least:
        raise InputError(f"{what} needs dimension {least} or more, not {dim}")


def nil() -> Geometry:
    """Heisenberg's group, dσ¹ = 2σ²∧σ³: σ¹ = dz + 2x dy, σ² = dx, σ³ = dy.

    With D = 12t + BC/A: A(t) = A^{2/3}(BC)^{1/3} D^{−1/3}, B(t) = A^{1/3}B^{2/3}C^{−1/3} D^{1/3}, and C likewise.
    """
    chart, forms = frames.nil()
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
        flow=left_invariant(forms, moving),
    )
    metric = Metric(chart, left_invariant(forms, (A, B, C)))
    return Geometry(
        "nil", "the left-invariant metrics of Nil", metric, known, "J. Isenberg, M. Jackson, J. Diff. Geom. 35 (1992)"
    )


def su2() -> Geometry:
    """SU(2) = S³ in Euler angles, dσ¹ = 2σ²∧σ³ cyclic (the unit sphere is A = B = C = 1).

    Ricci flow becomes A' = −8 + 4(B² + C² − A²)/(BC), and cyclic.
    """
    chart, forms = frames.su2()
    known = Known(
        rates={p: -8 + 4 * (q**2 + r**2 - p**2) / (q * r) for p, q, r in ((A, B, C), (B, C, A), (C, A, B))},
        scalar=4 / A + 4 / B + 4 / C - 2 * (A**2 + B**2 + C**2) / (A * B * C),
    )
    metric = Metric(chart, left_invariant(forms, (A, B, C)))
    return Geometry("su2", "the left-invariant metrics of SU(2)", metric, known, "J. Milnor, Adv. Math. 21 (1976)")


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


def cigar() -> Geometry:
    """Hamilton's cigar (dx² + dy²)/(1 + x² + y²): steady; u(t) = 1/(e^{4t} + x² + y²), R = 4/(1 + x² + y²)."""
    chart = Chart("x y")
    x, y = chart.symbols
    flow = sympy.eye(2) / (sympy.exp(4 * TIME) + x**2 + y**2)
    known = Known(
        scalar=4 / (1 + x**2 + y**2),
        flow=flow,
        soliton=((-2 * x, -2 * y), sympy.Integer(0)),
    )
    return Geometry(
        "cigar", "Hamilton's cigar", Metric(chart, flow.subs(TIME, 0)), known, "R. Hamilton, Contemp. Math. 71 (1988)"
    )


def king_rosenau() -> Geometry:
    """The King–Rosenau solution on S², t < 0: u = sinh(−t)/(cosh x + cosh t) on R × R/4πZ, area −8πt."""
    time = TIME
    chart = Chart("x y", periods={"y": 4 * sympy.pi})
    x, _ = chart.symbols
    flow = sympy.sinh(-time) / (sympy.cosh(x) + sympy.cosh(time)) * sympy.eye(2)
    scalar = (sympy.cosh(time) * sympy.cosh(x) + 1) / (sympy.sinh(-time) * (sympy.cosh(x) + sympy.cosh(time)))
    known = Known(scalar=scalar, flow=flow, extinction=sympy.Integer(0))
    facts = (
        "The metric depends on the time t < 0 itself; it becomes round as t rises to 0 and two cigars as t falls.",
    )
    return Geometry(
        "king-rosenau",
        "the King-Rosenau solution",
        Metric(chart, flow),
        known,
        "J. King (1993), P. Rosenau (1995)",
        facts,
    )


def bryant(dim: int = 3) -> Geometry:
    """The soliton with its profile as the unknown function w(r); `bryant_series` gives its Taylor polynomial."""
    _at_least("Bryant's soliton", dim, 3)
    angles = [f"theta{k + 1}" for k in range(dim - 1)]
    chart = Chart(["r", *angles], ranges={"r": (0, sympy.oo)} | dict.fromkeys(angles[:-1], (0, sympy.pi)))
    r = chart.symbols[0]
    w = sympy.Function("w", positive=True)(r)
    factors = [w**2 * factor for factor in sphere_factors(chart.symbols[1:])]
    n = sympy.Integer(dim)
    slope = w.diff(r)
    known = Known(scalar=(n - 1) * ((n - 2) * (1 - slope**2) / w**2 - 2 * w.diff(r, 2) / w))
    facts = ("Steady soliton: f'' = (n-1) w''/w and w w'' = (n-2)(1 - w'^2) + w w' f'.",
             "R + |grad f|^2 is constant, equal to -6 n (n-1) a with w = r + a r^3 + ...")  # fmt: skip
    title = f"Bryant's soliton of dimension {dim}"
    return Geometry("bryant", title, Metric(chart, sympy.diag(1, *factors)), known, "R. Bryant (2005)", facts)


def bryant_equations(w: sympy.Expr, slope: sympy.Expr, r: sympy.Symbol, dim: int = 3) -> tuple[sympy.Expr, sympy.Expr]:
    """The residuals w f'' − (n−1) w'' and w w'' − (n−2)(1 − w'²) − w w' f' for a profile w and `slope` = f'."""
    first = w * slope.diff(r) - (dim - 1) * w.diff(r, 2)
    second = w * w.diff(r, 2) - (dim - 2) * (1 - w.diff(r) ** 2) - w * w.diff(r) * slope
    return first, second


def bryant_series(
    terms: int, r: sympy.Symbol, dim: int = 3, shape: sympy.Expr = SHAPE
) -> tuple[sympy.Expr, sympy.Expr]:
    """Exact Taylor polynomials of w and f': `terms` coefficients each, rational in the shape parameter a.

    Each step solves two linear equations for the next coefficients.
    """
    w, slope = r + shape * r**3, 6 * shape * (dim - 1) * r
    for k in range(2, terms):
        next_w, next_f = sympy.symbols("next_w next_f", cls=sympy.Dummy)
        trial = bryant_equations(w + next_w * r ** (2 * k + 1), slope + next_f * r ** (2 * k - 1), r, dim)
        wanted = [_coefficient(e, r, p) for e, p in zip(trial, (2 * k - 1, 2 * k), strict=True)]
        (solution,) = sympy.linsolve(wanted, [next_w, next_f])
        w, slope = (
            w + sympy.factor(solution[0]) * r ** (2 * k + 1),
            slope + sympy.factor(solution[1]) * r ** (2 * k - 1),
        )
    return w, slope


def _coefficient(expression: sympy.Expr, r: sympy.Symbol, power: int) -> sympy.Expr:
    return sympy.Poly(sympy.expand(expression), r).coeff_monomial(r**power)


def fubini_study(dim: int = 1) -> Geometry:
    """CP^n with the potential log(1 + |z|²): R_{ab̄} = (n+1) g_{ab̄}, R = 2n(n+1), |Rm|² = 8n(n+1)."""
    chart, square = _affine(dim)
    metric = KahlerMetric.from_potential(chart, sympy.log(1 + square))
    norm = sympy.Integer(8 * dim * (dim + 1))
    known = einstein_known(metric, dim + 1, riemann_squared=norm, determinant=(1 + square) ** (-dim - 1))
    return Geometry(
        "fubini-study", f"the Fubini-Study metric of CP^{dim}", metric, known, "G. Fubini (1904), E. Study (1905)"
    )


def eguchi_hanson(size: sympy.Expr = BOLT) -> Geometry:
    """The Ricci-flat metric of T*CP¹: K = √(ρ⁴+a⁴) + a² log(ρ²/(√(ρ⁴+a⁴)+a²)), det g = 1."""
    chart, square = _affine(2)
    size = constant("size", size, chart)
    root = sympy.sqrt(square**2 + size**4)
    metric = KahlerMetric.from_potential(chart, root + size**2 * sympy.log(square / (root + size**2)))
    norm = 96 * size**8 / (square**2 + size**4) ** 3
    known = Known(ricci_flat=True, scalar=sympy.Integer(0), determinant=sympy.Integer(1), riemann_squared=norm)
    return Geometry(
        "eguchi-hanson", "the Eguchi-Hanson metric", metric, known, "T. Eguchi, A. Hanson, Phys. Lett. B 74 (1978)"
    )


def calabi(dim: int = 3, size: sympy.Expr = BOLT) -> Geometry:
    """Calabi's Ricci-flat metric on the line bundle O(−n) over CP^(n−1): y^n = |z|^{2n} + a^n, det g = 1.

    In U(n)-invariant form K = P(s), s = log|z|², y = P', P'' = y − a^n/y^(n−1). The potential is written down for
    n = 2, 3, 4, the metric itself for every n >= 2.
    """
    if dim < 2:
        raise InputError(f"Calabi's metric on O(-n) needs n >= 2, not {dim}")
    chart, square = _affine(dim)
    size = constant("size", size, chart)
    y = (square**dim + size**dim) ** sympy.Rational(1, dim)
    metric = (
        KahlerMetric.from_potential(chart, y + _POTENTIALS[dim](y, size))
        if dim in _POTENTIALS
        else KahlerMetric(chart, _invariant(chart, square, y, y - size**dim / y ** (dim - 1)))
    )
    known = Known(ricci_flat=True, scalar=sympy.Integer(0), determinant=sympy.Integer(1))
    return Geometry(
        "calabi", f"Calabi's Ricci-flat metric on O(-{dim})", metric, known, "E. Calabi, Ann. Sci. ENS 12 (1979)"
    )


_POTENTIALS = {
    2: lambda y, a: a / 2 * sympy.log((y - a) / (y + a)),
    3: lambda y, a: a / 3 * (
        sympy.log(y - a)
        - sympy.log(y**2 + a * y + a**2) / 2
        - sympy.sqrt(3) * sympy.atan((2 * y + a) / (sympy.sqrt(3) * a))
    ),
    4: lambda y, a: a / 4 * sympy.log((y - a) / (y + a)) - a / 2 * sympy.atan(y / a),
}  # fmt: skip
"""a^n ∫ dy/(y^n − a^n), so that K = y + this has dK/ds = y."""


def _affine(dim: int) -> tuple[ComplexChart, sympy.Expr]:
    """The affine chart and |z|²."""
    if dim < 1:
        raise InputError(f"the complex dimension must be 1 or more, not {dim}")
    chart = ComplexChart("z" if dim == 1 else [f"z{k + 1}" for k in range(dim)])
    return chart, sympy.Add(*[z * w for z, w in zip(chart.symbols, chart.conjugates, strict=True)])


def _invariant(chart: ComplexChart, square: sympy.Expr, slope: sympy.Expr, bend: sympy.Expr) -> sympy.Matrix:
    """g_{ab̄} = P' ∂_a∂_b̄ s + P'' ∂_a s ∂_b̄ s."""
    z, w = chart.symbols, chart.conjugates
    n = chart.dim
    return sympy.Matrix(
        n, n, lambda a, b: slope * (int(a == b) / square - w[a] * z[b] / square**2) + bend * w[a] * z[b] / square**2
    )
