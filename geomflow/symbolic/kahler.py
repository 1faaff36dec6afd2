"""Kähler metrics in holomorphic coordinates, from their potentials, exactly.

Conventions: g_{ab̄} = ∂_a∂_b̄ φ, ds² = 2 g_{ab̄} dz^a dz̄^b, ω = i g_{ab̄} dz^a∧dz̄^b, R_{ab̄} = −∂_a∂_b̄ log det g,
R = 2 g^{ab̄}R_{ab̄}, Δ_R = 2 Δ_∂.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import sympy

from geomflow.core.errors import InputError, SymmetryError
from geomflow.symbolic import show
from geomflow.symbolic.chart import ComplexChart, chart_of
from geomflow.symbolic.components import Components, Matrix, RealForm, entries_in
from geomflow.symbolic.exact import all_zero, compute, written
from geomflow.symbolic.given import Functions, Parameters, Symbols
from geomflow.symbolic.kahler_tensors import KahlerTensors, complex_hessian
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.ring import ExactRing


@final
@dataclass(frozen=True)
class HermitianForm(show.InLatex):
    """The real (1, 1)-form i T_{ab̄} dz^a∧dz̄^b of a Hermitian matrix T.

    Parameters
    ----------
    chart : ComplexChart
        The coordinates, n of them.
    matrix : (n, n) sympy matrix
        T, the first index holomorphic.
    """

    chart: ComplexChart
    matrix: Matrix

    def __str__(self) -> str:
        terms = show.hermitian_form(self.matrix, self.chart.symbols).replace(" dconj", " ∧ dconj")
        return show.shortened(f"the (1, 1)-form i ({terms})")

    __repr__ = __str__

    def __exact__(self) -> Matrix:
        return self.matrix

    def _latex(self, printer: Any = None) -> str:
        names, matrix = self.chart.latex_names, self.matrix
        terms = [
            rf"\left({show.latex(matrix[a, b], names)}\right)\mathrm{{d}}{show.latex(z)}\wedge\mathrm{{d}}{names[w]}"
            for a, z in enumerate(self.chart.symbols)
            for b, w in enumerate(self.chart.conjugates)
            if matrix[a, b] != 0
        ]
        return f"i\\left[{' + '.join(terms) or '0'}\\right]"


@final
@dataclass(frozen=True, init=False, eq=False)
class KahlerMetric(Components[KahlerTensors[ExactRing[Any]]]):
    """A Kähler metric g_{ab̄} on a complex chart; usually made by `KahlerMetric.from_potential`.

    `matrix[a, b]` = g_{ab̄} (first index holomorphic); z and z̄ are independent symbols of the chart. Results are sympy
    objects in factored normal form; what is zero is decided and printed as 0.

    Parameters
    ----------
    chart : ComplexChart, ComplexTorus or str
        The coordinates, n of them, or their names where there is nothing to say of them.
    components : (n, n) matrix or nested sequence
        g_{ab̄}: text, numbers or sympy expressions.
    parameters : str, symbols or mapping, optional
        Names that text may use besides the coordinates: "a m", which are real, or {"t": "complex"}.
    functions : str or sympy functions, optional
        Unknown functions that text may call, real where their arguments are.

    Examples
    --------
    >>> from geomflow.symbolic import ComplexChart, KahlerMetric
    >>> plane = KahlerMetric.from_potential(ComplexChart("z1 z2"), "log(1 + abs(z1)^2 + abs(z2)^2)")
    >>> plane.scalar, plane.riemann_squared
    (12, 48)

    Raises ShapeError, SymmetryError if the matrix is not Hermitian, InputError if it is degenerate or not closed.
    """

    chart: ComplexChart
    matrix: Matrix
    potential: sympy.Expr | None

    def __init__(
        self, chart: ComplexChart | Symbols, components: Any, parameters: Parameters = (), functions: Functions = ()
    ) -> None:
        chart = chart_of(chart, ComplexChart)
        chart, entries = chart.read(entries_in(chart, components), parameters, functions)
        matrix = Matrix(chart.dim, chart.dim, entries)
        _check_hermitian(chart, matrix)
        _check_closed(chart, matrix)
        self._set(chart, matrix, None)

    def _set(self, chart: ComplexChart, matrix: Matrix, potential: sympy.Expr | None) -> None:
        object.__setattr__(self, "chart", chart)
        object.__setattr__(self, "matrix", show.ComponentMatrix.on(chart, matrix))
        object.__setattr__(self, "potential", potential)
        self._require_regular("form", "potential")

    @classmethod
    def from_potential(
        cls, chart: ComplexChart | Symbols, phi: Any, parameters: Parameters = (), functions: Functions = ()
    ) -> KahlerMetric:
        """The metric g_{ab̄} = ∂_a∂_b̄ φ of a real potential.

        Parameters
        ----------
        chart : ComplexChart, ComplexTorus or str
            The coordinates, or their names.
        phi : str, number or sympy expression
            The potential φ.
        parameters, functions
            As `KahlerMetric` takes them.

        Notes
        -----
        Raises SymmetryError if φ is not real up to the real part of a holomorphic function.
        """
        chart, (potential,) = chart_of(chart, ComplexChart).read([phi], parameters, functions)

        def task(ring: ExactRing[Any]) -> Matrix:
            return written(ring, complex_hessian(ring, ring.read(potential), chart.dim))

        matrix = compute([potential], chart, task)
        _check_hermitian(chart, matrix)
        metric = object.__new__(cls)
        metric._set(chart, matrix, potential)
        return metric

    # tensors

    @cached_property
    def inverse(self) -> Matrix:
        """The inverse of `matrix`: g^{ab̄} = `inverse[b, a]`."""
        return self._array(lambda t: t.inverse)

    @cached_property
    def ricci(self) -> Matrix:
        """`[a, b]` = R_{ab̄} = −∂_a∂_b̄ log det g."""
        return self._array(lambda t: t.ricci)

    @cached_property
    def scalar(self) -> sympy.Expr:
        """R = 2 g^{ab̄} R_{ab̄}, the scalar curvature of the real metric."""
        return self._scalar(lambda t: t.scalar)

    @cached_property
    def riemann(self) -> sympy.ImmutableDenseNDimArray:
        """`[a, b, c, d]` = R_{ab̄cd̄} = −∂_c∂_d̄ g_{ab̄} + g^{ef̄} ∂_c g_{af̄} ∂_d̄ g_{eb̄}."""
        return self._array(lambda t: t.riemann, named=("R", "_-_-"))

    @cached_property
    def riemann_squared(self) -> sympy.Expr:
        """|Rm|² of the real metric, = 4 R_{ab̄cd̄} R^{ab̄cd̄}."""
        return self._scalar(lambda t: t.riemann_squared)

    @property
    def kahler_form(self) -> HermitianForm:
        """ω = i g_{ab̄} dz^a∧dz̄^b."""
        return HermitianForm(self.chart, self.matrix)

    @property
    def ricci_form(self) -> HermitianForm:
        """ρ = i R_{ab̄} dz^a∧dz̄^b."""
        return HermitianForm(self.chart, self.ricci)

    @property
    def volume_form(self) -> sympy.Expr:
        """The density 2^n det g of ωⁿ/n! against Lebesgue measure dx^1 dy^1 ... dx^n dy^n."""
        return 2**self.dim * self.determinant

    @property
    def holomorphic_volume(self) -> sympy.Expr:
        """|Ω|² of the holomorphic volume form Ω = dz^1∧...∧dz^n of this chart, in these coordinates: 1."""
        return sympy.Integer(1)

    def density_ratio(self, omega_squared: Any = 1, kappa: Any = 1) -> sympy.Expr:
        """v = det g / (κ |Ω|²): constant exactly where the metric is Ricci-flat.

        Parameters
        ----------
        omega_squared : str, number or sympy expression
            |Ω|² in these coordinates.
        kappa : str, number or sympy expression
            κ, the ratio of total masses ∫det g / ∫|Ω|².
        """
        below = [self._expression(e) for e in (omega_squared, kappa)]
        return self._scalar(lambda t: t.determinant / (t.ring.read(below[0]) * t.ring.read(below[1])), *below)

    # operators

    def laplacian(self, f: Any) -> sympy.Expr:
        """The complex Laplacian Δ_∂ f = g^{ab̄} ∂_a∂_b̄ f, half of `real_laplacian`.

        Parameters
        ----------
        f : str, number or sympy expression
            A function in the chart.
        """
        f = self._expression(f)
        return self._scalar(lambda t: t.laplacian(t.ring.read(f)), f)

    def real_laplacian(self, f: Any) -> sympy.Expr:
        """The Laplacian of the real metric, Δ_R f = 2 Δ_∂ f.

        Parameters
        ----------
        f : str, number or sympy expression
            A function in the chart.
        """
        f = self._expression(f)
        return self._scalar(lambda t: t.ring.number(2) * t.laplacian(t.ring.read(f)), f)

    # real form

    @cached_property
    def positivity(self) -> sympy.Basic:
        """The domain where g > 0: conditions on leading minors in real coordinates; true if it is everything."""
        minors = self._run(lambda t: t.ring.write(t.leading_minors))
        conditions = [_without_squares(c) for c in self._real_form.values(minors)]
        return sympy.And(*[sympy.true if c.is_positive else sympy.Gt(c, 0) for c in conditions])

    def realify(self) -> Metric:
        """The real metric 2 g_{ab̄} dz^a dz̄^b in z^a = x^a + i y^a: with g = A + iB, blocks 2[[A, B], [−B, A]].

        A complex parameter t becomes t_re + i t_im. Where a parameter is called x, the coordinate is x_1, and so on.
        """
        return Metric(self._real_form.chart, self._real_form.matrix(self.matrix))

    @cached_property
    def _real_form(self) -> RealForm:
        return RealForm.under(self.chart, self.matrix)

    # how it is done

    def _over(self, ring: ExactRing[Any], matrix: np.ndarray) -> KahlerTensors[ExactRing[Any]]:
        return KahlerTensors(ring, matrix)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.potential is None:
            return (KahlerMetric, (self.chart, self.matrix))
        return (KahlerMetric.from_potential, (self.chart, self.potential))

    def __str__(self) -> str:
        source = f" of the potential {self.potential}" if self.potential is not None else ""
        line = show.hermitian_form(2 * self.matrix, self.chart.symbols)
        return show.shortened(f"the Kähler metric{source} on {self.chart}: ds^2 = {line}")

    __repr__ = __str__

    def _latex(self, printer: Any = None) -> str:
        return f"g_{{a\\bar b}} = {show.latex(self.matrix, self.chart.latex_names)}"


def _without_squares(value: sympy.Expr) -> sympy.Expr:
    """A real expression without its even powers, which do not change its sign."""
    factors = [f for f in sympy.Mul.make_args(value) if not f.as_base_exp()[1].is_even]
    return sympy.Mul(*factors)


def _check_hermitian(chart: ComplexChart, matrix: Matrix) -> None:
    for a in range(chart.dim):
        for b in range(a, chart.dim):
            mirrored = chart.conjugation.of(matrix[b, a])
            if mirrored != matrix[a, b] and not all_zero([matrix[a, b] - mirrored], chart).decided():
                raise SymmetryError(
                    f"a Kähler metric must be Hermitian, but g[{a}, {b}] = {matrix[a, b]} and the conjugate "
                    f"of g[{b}, {a}] is {mirrored}; is the potential real?"
                )


def _check_closed(chart: ComplexChart, matrix: Matrix) -> None:
    """dω = 0: ∂_c g_{ab̄} is symmetric in a and c."""
    n, z = chart.dim, chart.symbols
    triples = [(a, b, c) for a in range(n) for c in range(a) for b in range(n)]
    for a, b, c in triples:
        curl = matrix[a, b].diff(z[c]) - matrix[c, b].diff(z[a])
        if not all_zero([curl], chart).decided():
            raise InputError(
                f"the form is not closed: the derivative of g[{a}, {b}] along {z[c]} minus that of "
                f"g[{c}, {b}] along {z[a]} is {curl}; a Kähler metric comes from a potential"
            )
