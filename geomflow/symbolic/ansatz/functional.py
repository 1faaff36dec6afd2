"""Functionals of the metric on an ansatz: exact densities over the coordinates of unknowns, and their gradients there.

A metric of the ansatz that is critical among those of the ansatz is critical among all, where the symmetry is that of a
compact group, or of a unimodular one that acts simply transitively (R. Palais, Comm. Math. Phys. 69, 1979): the whole
gradient is tangent to the ansatz, and is the gradient of the reduced functional.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import sympy

from geomflow.symbolic.ansatz.measure import normal
from geomflow.symbolic.ansatz.reduction import Reduction
from geomflow.symbolic.ansatz.shown import integrals, integrals_in_latex
from geomflow.symbolic.exact import all_zero
from geomflow.symbolic.show import InLatex

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


@final
@dataclass(frozen=True)
class ReducedFunctional(InLatex):
    """E = ∫ s dV on an ansatz. Made by `ansatz.functional(text)`.

    Parameters
    ----------
    ansatz : Ansatz
        Whose metrics it is of.
    density : sympy expression
        E is its integral over the coordinates of unknowns, the volume of orbits included; E itself where there are
        none.
    """

    ansatz: Ansatz
    density: sympy.Expr

    @cached_property
    def variation(self) -> tuple[sympy.Expr, ...]:
        """δE/δu of each unknown: dE = ∫ Σ δE/δu du dx, by the Euler operator."""
        return tuple(normal(_euler(self.density, u.value), self.ansatz.metric.chart) for u in self.ansatz.unknowns)

    @cached_property
    def products(self) -> sympy.ImmutableMatrix:
        """G_kl = g^{ia} g^{jb} ∂g_ij/∂u_k ∂g_ab/∂u_l √det g, the inner product ∫ h_ij h^ij dV in the unknowns."""
        ansatz = self.ansatz
        metric, measure = ansatz.metric, ansatz.measure
        moved = [metric.inverse * metric.matrix.diff(u.value) for u in ansatz.unknowns]
        weight = measure.density * measure.volume
        return sympy.ImmutableMatrix(len(moved), len(moved), lambda k, l: normal(
            weight * ansatz.constant_on_orbits((moved[k] * moved[l]).trace()), metric.chart))

    def gradient_flow(self) -> Reduction:
        """∂_t u = −grad E in the inner product ∫ h_ij h^ij dV of metrics (Ebin's): `reduce` of the whole gradient flow.
        """
        chart = self.ansatz.metric.chart
        found = self.products.LUsolve(-sympy.Matrix(self.variation), iszerofunc=lambda e: bool(all_zero([e], chart)))
        return Reduction(self.ansatz.unknowns, tuple(normal(rate, chart) for rate in found))

    def __exact__(self) -> sympy.Expr:
        return self.density

    def _latex(self, printer: Any = None) -> str:
        return f"E = {integrals_in_latex(self.density, None, self.ansatz.unknowns)}"

    def __str__(self) -> str:
        return f"E = {integrals(self.density, None, self.ansatz.unknowns)}"

    __repr__ = __str__


def _euler(density: sympy.Expr, value: sympy.Expr) -> sympy.Expr:
    """Σ_α (−∂)^α ∂density/∂(∂_α u)."""
    found = density.diff(value)
    for slope in sorted((d for d in density.atoms(sympy.Derivative) if d.expr == value), key=str):
        found += (-1) ** len(slope.variables) * density.diff(slope).diff(*slope.variables)
    return found
