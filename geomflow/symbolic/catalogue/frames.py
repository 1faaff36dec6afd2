"""Left-invariant coframes of groups of dimension three, and angles of round spheres: what entries are made of.

A unimodular group has a coframe with dσ^i = 2λ_i σ^j∧σ^k for (i, j, k) = (1, 2, 3) and its cyclic permutations
(J. Milnor, Adv. Math. 21, 1976). In the coordinates here, σ¹∧σ²∧σ³ depends on none of infinite range.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from geomflow.symbolic.chart import Chart

ANGLE = (0, sympy.pi)


def su2() -> tuple[Chart, sympy.Matrix]:
    """SU(2) = S³ in Euler angles, λ = (1, 1, 1): σ³ = ½(dψ + cos θ dφ)."""
    chart = Chart("psi theta phi", ranges={"theta": ANGLE}, periods={"psi": 4 * sympy.pi, "phi": 2 * sympy.pi})
    psi, theta, _ = chart.symbols
    sin, cos = sympy.sin, sympy.cos
    rows = [[0, -sin(psi), cos(psi) * sin(theta)], [0, cos(psi), sin(psi) * sin(theta)], [1, 0, cos(theta)]]
    return chart, sympy.Matrix(rows) / 2


def sl2r() -> tuple[Chart, sympy.Matrix]:
    """SL(2, R) as frames of the hyperbolic plane y² dx² + dy²/y², λ = (1, 1, −1): σ³ = ½(dψ + y dx)."""
    chart = Chart("x y psi", ranges={"y": (0, sympy.oo)}, periods={"psi": 4 * sympy.pi})
    _, y, psi = chart.symbols
    sin, cos = sympy.sin(psi), sympy.cos(psi)
    return chart, sympy.Matrix([[y * cos, -sin / y, 0], [y * sin, cos / y, 0], [y, 0, 1]]) / 2


def nil() -> tuple[Chart, sympy.Matrix]:
    """Heisenberg's group, λ = (1, 0, 0): σ¹ = dz + 2x dy, σ² = dx, σ³ = dy."""
    chart = Chart("x y z")
    return chart, sympy.Matrix([[0, 2 * chart.symbols[0], 1], [1, 0, 0], [0, 1, 0]])


def sol() -> tuple[Chart, sympy.Matrix]:
    """Sol, the motions of the Minkowski plane, λ = (1, 0, −1): σ¹ = cosh 2z dx + sinh 2z dy, σ² = dz."""
    chart = Chart("x y z")
    sinh, cosh = (f(2 * chart.symbols[2]) for f in (sympy.sinh, sympy.cosh))
    return chart, sympy.Matrix([[cosh, sinh, 0], [0, 0, 1], [sinh, cosh, 0]])


def e2() -> tuple[Chart, sympy.Matrix]:
    """E(2), the motions of the plane, λ = (1, 1, 0): σ¹ = cos 2z dx − sin 2z dy, σ³ = dz."""
    chart = Chart("x y z")
    sin, cos = (f(2 * chart.symbols[2]) for f in (sympy.sin, sympy.cos))
    return chart, sympy.Matrix([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def flat() -> tuple[Chart, sympy.Matrix]:
    """R³, λ = (0, 0, 0)."""
    return Chart("x y z"), sympy.eye(3)


def semidirect(growth: sympy.Expr, kind: str) -> tuple[Chart, sympy.Matrix]:
    """R ⋉ R² with σ¹ = dx and (σ², σ³) = e^{ax} E(x) (dy, dz), of class B where the growth a is not 0.

    E = 1 ("scaling"), diag(e^x, e^{−x}) ("boost"), a rotation by x ("rotation"), or [[1, 0], [x, 1]] ("shear").
    """
    chart = Chart("x y z")
    x = chart.symbols[0]
    sin, cos, up = sympy.sin(x), sympy.cos(x), sympy.exp
    if kind == "boost":
        return chart, sympy.diag(1, up((growth + 1) * x), up((growth - 1) * x))
    rows = {"scaling": [[1, 0], [0, 1]], "rotation": [[cos, -sin], [sin, cos]], "shear": [[1, 0], [x, 1]]}[kind]
    return chart, sympy.diag(1, up(growth * x) * sympy.Matrix(rows))


def left_invariant(forms: sympy.Matrix, weights: Sequence[sympy.Expr]) -> sympy.Matrix:
    """Σ_i w_i σ^i σ^i in coordinates."""
    return forms.T * sympy.diag(*weights) * forms


def sphere_factors(angles: Sequence[sympy.Symbol]) -> list[sympy.Expr]:
    """The diagonal of the unit sphere's metric: 1, sin²θ₁, sin²θ₁ sin²θ₂, …."""
    factors = [sympy.Integer(1)]
    for angle in angles[:-1]:
        factors.append(factors[-1] * sympy.sin(angle) ** 2)
    return factors


def hopf(chart: Chart, first: int = 0) -> tuple[sympy.Matrix, sympy.Matrix]:
    """η, a row, and g_{CP^n} of Hopf's fibration of S^{2n+1} in the angles ψ_0, …, ψ_n, r_1, …, r_n of a chart.

    η_0 = dψ_0, η_k = dψ_k + sin²r_k η_{k−1}, g_{CP^k} = dr_k² + sin²r_k cos²r_k η_{k−1}² + sin²r_k g_{CP^{k−1}}.

    Parameters
    ----------
    chart : Chart
        With these coordinates last.
    first : int
        Where they begin.
    """
    n = (chart.dim - first - 1) // 2
    forms = sympy.eye(chart.dim)
    fibre, base = forms[first, :], sympy.zeros(chart.dim)
    for k, r in enumerate(chart.symbols[first + n + 1:], start=1):
        sin, cos = sympy.sin(r), sympy.cos(r)
        base = sin**2 * (base + cos**2 * fibre.T * fibre)
        base[first + n + k, first + n + k] = 1
        fibre = forms[first + k, :] + sin**2 * fibre
    return fibre, base
