"""Kähler geometries: Fubini–Study on CP^n, Eguchi–Hanson, and Calabi's Ricci-flat metrics on O(−n)."""

from __future__ import annotations

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.catalogue.geometry import Geometry, Known, constant, einstein_known
from geomflow.symbolic.chart import ComplexChart
from geomflow.symbolic.kahler import KahlerMetric

BOLT = sympy.Symbol("a", positive=True)
"""The size of the zero section."""


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
