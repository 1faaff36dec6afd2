"""Functionals of the metric on an ansatz: exact densities over the coordinates of unknowns, and their gradients there.

A metric of the ansatz that is critical among those of the ansatz is critical among all, where the symmetry is that of a
compact group, or of a unimodular one that acts simply transitively (R. Palais, Comm. Math. Phys. 69, 1979): the whole
gradient is tangent to the ansatz, and is the gradient of the reduced functional.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, singledispatch
from typing import TYPE_CHECKING, Any, final

import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.symbolic.ansatz.functions import functions_of
from geomflow.symbolic.ansatz.measure import normal
from geomflow.symbolic.ansatz.reduction import Reduction, scalar_on
from geomflow.symbolic.ansatz.shown import integrals, integrals_in_latex
from geomflow.symbolic.ansatz.typed import METRIC, Typed
from geomflow.symbolic.ansatz.unknowns import Unknown
from geomflow.symbolic.exact import all_zero
from geomflow.symbolic.show import InLatex

if TYPE_CHECKING:
    from geomflow.symbolic.ansatz.ansatz import Ansatz


@final
@dataclass(frozen=True)
class ReducedFunctional(InLatex):
    """E = ∫ s dV on an ansatz. Made by `ansatz.functional(text)`.

    `E(state)` is its value, `E(state, f="cos(x)")` where it holds functions.

    Parameters
    ----------
    ansatz : Ansatz
        Whose metrics it is of.
    density : sympy expression
        E is its integral over the coordinates of unknowns, the volume of orbits included; E itself where there are
        none.
    functions : tuple of Unknown
        Which functions it is of beside the metric.
    positive : tuple of str
        Which of its parameters are scales, such as the τ of Perelman's W.
    """

    ansatz: Ansatz
    density: sympy.Expr
    functions: tuple[Unknown, ...] = ()
    positive: tuple[str, ...] = ()

    def __call__(self, state: Any, parameters: Mapping[str, float] | None = None, **functions: Any) -> float:
        """E at a state of the ansatz.

        Raises InputError for a state of another ansatz, for functions that are not those of E, for a parameter
        without a value, and for a scale that is not positive.

        Parameters
        ----------
        state : ReducedState
            The metric.
        parameters : mapping of str to number, optional
            Numbers for what E leaves open: the τ of Perelman's W.
        **functions : number, text, expression, function of the coordinates, array, or ReducedFunction
            One for each of E's, as `state.grid.scalar` takes them.
        """
        return float(value_on(state, self, parameters or {}, functions))

    @property
    def fields(self) -> tuple[Unknown, ...]:
        """The unknowns of the ansatz, then the functions."""
        return (*self.ansatz.unknowns, *self.functions)

    @cached_property
    def variation(self) -> tuple[sympy.Expr, ...]:
        """δE/δu of each of `fields`: dE = ∫ Σ δE/δu du dx, by the Euler operator."""
        return tuple(normal(_euler(self.density, u.value), self.ansatz.metric.chart) for u in self.fields)

    @property
    def products(self) -> sympy.ImmutableMatrix:
        """G_kl of the unknowns of the ansatz, ∫ h_ij h^ij dV = ∫ G_kl u̇_k u̇_l dx where h = ∂_t g."""
        return products(self.ansatz)

    def gradient_flow(self) -> Reduction:
        """∂_t u = −grad E in the inner product ∫ h_ij h^ij dV of metrics (Ebin's): `reduce` of the whole gradient flow.

        Functions beside the metric descend in L².
        """
        ansatz = self.ansatz
        chart, count = ansatz.metric.chart, len(ansatz.unknowns)
        along, beside = self.variation[:count], self.variation[count:]
        found = self.products.LUsolve(-sympy.Matrix(along), iszerofunc=lambda e: bool(all_zero([e], chart)))
        weight = ansatz.measure.density * ansatz.measure.volume
        rates = [*found, *(-slope / weight for slope in beside)]
        return Reduction(self.fields, tuple(normal(rate, chart) for rate in rates), (), ansatz, self)

    def __exact__(self) -> sympy.Expr:
        return self.density

    def _latex(self, printer: Any = None) -> str:
        return f"E = {integrals_in_latex(self.density, None, self.fields)}"

    def __str__(self) -> str:
        return f"E = {integrals(self.density, None, self.fields)}"

    __repr__ = __str__


def products(ansatz: Ansatz) -> sympy.ImmutableMatrix:
    """G_kl = g^{ia} g^{jb} ∂g_ij/∂u_k ∂g_ab/∂u_l √det g, the inner product ∫ h_ij h^ij dV in the unknowns."""
    metric = ansatz.metric
    moved = [metric.inverse * metric.matrix.diff(u.value) for u in ansatz.unknowns]
    weight = ansatz.measure.density * ansatz.measure.volume
    return sympy.ImmutableMatrix(len(moved), len(moved), lambda k, l: normal(
        weight * ansatz.constant_on_orbits((moved[k] * moved[l]).trace()), metric.chart))


@singledispatch
def value_on(state: Any, functional: ReducedFunctional, parameters: Mapping[str, Any],
             functions: Mapping[str, Any]) -> float:
    """E at a state. What knows reduced states registers how; InputError for others."""
    raise InputError(f"a functional on an ansatz is evaluated at its states, ansatz.grid(n).state(...), and a "
                     f"{type(state).__name__} was given.")


def functional_on(ansatz: Ansatz, text: str, fields: str = "", meaning: Typed | None = None) -> ReducedFunctional:
    """∫ s dV on an ansatz, of text whose parameters and definitions stand in `meaning`; see `Ansatz.functional`."""
    functions, measure = functions_of(ansatz, fields), ansatz.measure
    scalar = scalar_on(ansatz, text, functions, meaning)
    return ReducedFunctional(ansatz, normal(scalar * measure.density * measure.volume, ansatz.metric.chart), functions)


def perelman_f(ansatz: Ansatz) -> ReducedFunctional:
    """Perelman's F = ∫ (R + |∇f|²) e^{−f} dV (2002, §1)."""
    return functional_on(ansatz, "(R + dot(d(f), d(f)))*exp(-f)", "f")


def perelman_w(ansatz: Ansatz) -> ReducedFunctional:
    """Perelman's W = ∫ [τ(R + |∇f|²) + f − N] (4πτ)^{−N/2} e^{−f} dV in dimension N (2002, §3)."""
    dim, tau = ansatz.metric.dim, gr.symbol("tau")
    weighted = f"(tau*(R + dot(d(f), d(f))) + f - {dim})*(4*pi*tau)^(-{dim}/2)*exp(-f)"
    return replace(functional_on(ansatz, weighted, "f", Typed(METRIC, {"tau": tau})), positive=("tau",))


def _euler(density: sympy.Expr, value: sympy.Expr) -> sympy.Expr:
    """Σ_α (−∂)^α ∂density/∂(∂_α u)."""
    found = density.diff(value)
    for slope in sorted((d for d in density.atoms(sympy.Derivative) if d.expr == value), key=str):
        found += (-1) ** len(slope.variables) * density.diff(slope).diff(*slope.variables)
    return found
