"""Hypersurfaces with names."""

from __future__ import annotations

import sympy

from geomflow.core.errors import InputError, NotFiniteError
from geomflow.core.numbers import whole
from geomflow.variety.hypersurface import Hypersurface

HIGHEST_DEGREE = 64


def Fermat(degree: int) -> Hypersurface:
    """Σ_{i=1}^N z_i^N = 0 in P^{N−1}: cubic, quartic (K3), quintic, sextic for N = 3, 4, 5, 6.

    >>> Fermat(4)
    Calabi–Yau 2-fold z0^4 + z1^4 + z2^4 + z3^4 = 0 in P^3
    """
    return Dwork(0, degree)


def Dwork(psi: complex | sympy.Expr | str = 0, degree: int = 5) -> Hypersurface:
    """Σ z_i^N − N ψ Π z_i = 0 in P^{N−1}; singular exactly where ψ^N = 1 (the conifold) and at ψ = ∞.

    >>> Dwork("1/2", degree=3)
    Calabi–Yau 1-fold z0^3 - 3/2*z0*z1*z2 + z1^3 + z2^3 = 0 in P^2
    """
    degree = whole(degree, "the degree", 3, ": 3 (curve), 4 (K3), 5 (threefold), ...")
    if degree > HIGHEST_DEGREE:
        raise InputError(f"the degree is {degree}, of a hypersurface in {degree:,} coordinates; the most is "
                         f"{HIGHEST_DEGREE}")
    z = sympy.symbols(f"z0:{degree}")
    parameter = _exact(psi)
    polynomial = sympy.Add(*(x**degree for x in z)) - degree * parameter * sympy.prod(z)
    return Hypersurface(polynomial, coordinates=[str(x) for x in z])


def _exact(number: complex | sympy.Expr | str) -> sympy.Expr:
    from geomflow.symbolic.given import given

    if isinstance(number, str):
        return given(number)
    exact = given(number)
    if not exact.is_finite:
        raise NotFiniteError(f"the parameter is {number}; give a finite number")
    return sympy.nsimplify(exact, rational=True)


def Bicubic(polynomial: str | sympy.Expr | None = None) -> Hypersurface:
    """A (3, 3) hypersurface in P² × P², Euler number −162; by default Σ A_ij x_i³ y_j³ with A = 4·1 − J.

    No minor of A vanishes, which makes it smooth.
    """
    if polynomial is None:
        x, y = sympy.symbols("x0:3"), sympy.symbols("y0:3")
        polynomial = sympy.Add(*(((3 if i == j else -1) * x[i] ** 3 * y[j] ** 3) for i in range(3) for j in range(3)))
    return Hypersurface(polynomial, ambient=(2, 2))


def Tetraquadric(polynomial: str | sympy.Expr | None = None) -> Hypersurface:
    """A (2, 2, 2, 2) hypersurface in P¹ × P¹ × P¹ × P¹, Euler number −128; by default a smooth one of squares."""
    if polynomial is None:
        pairs = [sympy.symbols(f"{letter}0:2") for letter in "abcd"]
        weights = (5, 1, -2, -1, 3)  # by the number of second coordinates; smooth, and far from singular
        terms = []
        for bits in range(16):
            squares = [pair[bits >> i & 1] ** 2 for i, pair in enumerate(pairs)]
            terms.append(weights[bits.bit_count()] * sympy.prod(squares))
        polynomial = sympy.Add(*terms)
    return Hypersurface(polynomial, ambient=(1, 1, 1, 1))
