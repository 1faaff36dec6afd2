"""Metrics in real coordinates, and everything that follows from them, exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
import sympy

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.graph import Verdict
from geomflow.core.graph.sympy_bridge import composed, contents
from geomflow.symbolic import show
from geomflow.symbolic.chart import Chart, chart_of, functions_of
from geomflow.symbolic.components import Array, Components, Matrix, images_in, matrix_in, symmetric_in
from geomflow.symbolic.exact import compute, read_array, written
from geomflow.symbolic.given import Functions, Parameters, Symbols, fresh, names_in, parameter_names
from geomflow.symbolic.ring import ExactRing
from geomflow.symbolic.signs import root_of_modulus
from geomflow.symbolic.tensors import RingTensors


@final
@dataclass(frozen=True, init=False, eq=False)
class Metric(Components[RingTensors]):
    """A metric g = g_ij dx^i dx^j of any signature, in the coordinates of a chart.

    Parameters
    ----------
    chart : Chart, Torus or str
        The coordinates, d of them, or their names ("x y") where there is nothing to say of them.
    components : (d, d) matrix or nested sequence
        g_ij: text, numbers or sympy expressions, with unknown functions of any arguments.
    parameters : str, symbols or mapping, optional
        Names besides the coordinates, "a m" or {"m": "positive"}; if they are given, no other symbol may occur.
    functions : str or sympy functions, optional
        Unknown functions that text may call: "f g".

    Notes
    -----
    Symbols are told apart by name: a parameter cannot have the name of a coordinate.
    Results are sympy objects in a factored normal form (or, for large expressions with unknown functions, unexpanded):
    matrices for rank 2, arrays for higher rank. What is zero is decided and printed as 0. Upper indices come first and
    a derivative's index last: `christoffel[k, i, j]` = Γ^k_ij, `riemann[l, k, i, j]` = R^l_kij. Spheres have positive
    curvature, the Laplacian is at most zero. Zero is decided on the ranges of the chart (see `is_zero`); derivatives of
    |u| and sign(u) are taken away from the zeros of u, where curvature has a δ that is dropped.

    Examples
    --------
    >>> from geomflow.symbolic import Chart, Metric
    >>> sphere = Metric(Chart("theta phi"), [["1", "0"], ["0", "sin(theta)^2"]])
    >>> sphere.scalar
    2

    Raises ShapeError, SymmetryError, and InputError for a degenerate metric.
    """

    chart: Chart
    matrix: Matrix

    def __init__(
        self, chart: Chart | Symbols, components: Any, parameters: Parameters = (), functions: Functions = ()
    ) -> None:
        chart = chart_of(chart, Chart)
        names = parameter_names(parameters, chart.names)
        matrix = symmetric_in(chart, components, names, functions)
        object.__setattr__(self, "chart", chart)
        object.__setattr__(self, "matrix", show.ComponentMatrix.on(chart, matrix))
        self._require_regular("metric", "components")

    # tensors

    @cached_property
    def inverse(self) -> Matrix:
        """g^ij."""
        return self._array(lambda t: t.inverse)

    @cached_property
    def christoffel(self) -> Array:
        """`[k, i, j]` = Γ^k_ij = ½ g^{km}(∂_i g_mj + ∂_j g_mi − ∂_m g_ij)."""
        return self._array(lambda t: t.christoffel, named=(r"\Gamma", "^__"))

    @cached_property
    def riemann(self) -> Array:
        """`[l, k, i, j]` = R^l_kij = ∂_i Γ^l_jk − ∂_j Γ^l_ik + Γ^l_im Γ^m_jk − Γ^l_jm Γ^m_ik."""
        return self._array(lambda t: t.riemann, named=("R", "^___"))

    @cached_property
    def riemann_lower(self) -> Array:
        """`[l, k, i, j]` = R_lkij = g_lm R^m_kij."""
        return self._array(lambda t: t.riemann_lower, named=("R", "____"))

    @cached_property
    def ricci(self) -> Matrix:
        """R_kj = R^i_kij."""
        return self._array(lambda t: t.ricci)

    @cached_property
    def scalar(self) -> sympy.Expr:
        """R = g^{kj} R_kj; d(d−1)/r² on a sphere of radius r."""
        return self._scalar(lambda t: t.scalar)

    @cached_property
    def weyl(self) -> Array:
        """`[l, k, i, j]` = W^l_kij, the trace-free part of the curvature; zero below dimension 4."""
        return self._array(lambda t: t.weyl, named=("W", "^___"))

    @cached_property
    def einstein(self) -> Matrix:
        """G_ij = R_ij − ½ R g_ij; its divergence is zero."""
        return self._array(lambda t: t.einstein)

    @cached_property
    def kretschmann(self) -> sympy.Expr:
        """|Rm|² = R_lkij R^lkij."""
        return self._scalar(lambda t: t.riemann_squared)

    @cached_property
    def volume_form(self) -> sympy.Expr:
        """The density √|det g| of the volume form √|det g| dx^1 ∧ ... ∧ dx^d, for any signature.

        Factors stand in moduli unless the ranges of the chart prove their signs.
        """
        return root_of_modulus(self.determinant, self.chart.ranges)

    # what is decided

    @cached_property
    def flatness(self) -> Verdict:
        """Whether Rm = 0 on the ranges of the chart, and how surely that is known; no δ at a kink is counted."""
        return self._vanishing(lambda t: t.riemann_lower)

    @property
    def is_flat(self) -> bool:
        """Whether Rm = 0, proved or probable (`flatness` says which).

        Raises ExpressionError if that is undecided.
        """
        return self.flatness.decided()

    def _vanishing(self, task: Callable[[RingTensors], np.ndarray]) -> Verdict:
        """Whether all components of a tensor vanish, saying where a kink of the metric may hide a δ in curvature."""
        verdict = super()._vanishing(task)
        kinks = sorted({str(e.args[0]) for e in self.matrix.atoms(sympy.Abs, sympy.sign)})
        if not (verdict and kinks):
            return verdict
        return replace(verdict, evidence=f"{verdict.evidence}; this holds away from the zeros of {', '.join(kinks)}, "
                                         "where the metric has a kink and the δ in its curvature is dropped")

    def bianchi(self) -> Matrix:
        """The divergence ∇^i(R_ij − ½ R g_ij), a row of zeros: the contracted Bianchi identity, decided."""
        return Matrix(self._array(lambda t: t.divergence(t.einstein)[None, :]))

    # operators

    def laplacian(self, f: Any) -> sympy.Expr:
        """Δf = g^{ij}(∂_i∂_j f − Γ^k_ij ∂_k f).

        Parameters
        ----------
        f : str, number or sympy expression
            A function in the chart.
        """
        f = self._expression(f)
        return self._scalar(lambda t: t.laplacian(t.ring.read(f)), f)

    def hessian(self, f: Any) -> Matrix:
        """∇_i∇_j f = ∂_i∂_j f − Γ^k_ij ∂_k f.

        Parameters
        ----------
        f : str, number or sympy expression
            A function in the chart.
        """
        f = self._expression(f)
        return self._array(lambda t: t.hessian(t.ring.read(f)), f)

    def gradient(self, f: Any) -> Array:
        """(∇f)^i = g^{ij} ∂_j f.

        Parameters
        ----------
        f : str, number or sympy expression
            A function in the chart.
        """
        f = self._expression(f)
        return self._array(lambda t: t.gradient(t.ring.read(f)), f, named=(r"(\nabla f)", "^"))

    def lie_derivative(self, field: Sequence[Any], tensor: Any = None) -> Matrix:
        """(L_X T)_ij = X^k ∂_k T_ij + T_kj ∂_i X^k + T_ik ∂_j X^k.

        Parameters
        ----------
        field : sequence of d expressions
            X^k: text, numbers or sympy expressions.
        tensor : (d, d) matrix or nested sequence, optional
            T_ij; g itself unless given.
        """
        x = [self._expression(c) for c in field]
        if len(x) != self.dim:
            raise ShapeError(f"a vector field in {self.dim} coordinates has {self.dim} components, not {len(x)}")
        called = functions_of(self.chart, self.matrix)
        rows = self.matrix if tensor is None else matrix_in(self.chart, tensor, self._parameters, called)
        extra = [*x, *rows]
        return self._array(lambda t: t.lie_derivative(read_array(t.ring, x), read_array(t.ring, rows)), *extra)

    def geodesic_equations(self, parameter: str | sympy.Symbol | None = None) -> tuple[sympy.Eq, ...]:
        """ẍ^k + Γ^k_ij ẋ^i ẋ^j = 0 for functions x^k of the affine parameter.

        Parameters
        ----------
        parameter : str or sympy symbol, optional
            The affine parameter, whose name must be free; s (s_1 if s is taken here) unless given.
        """
        taken = {*self.chart.coordinates, *names_in(self.matrix)}
        name = fresh("s", taken) if parameter is None else str(parameter)
        if name in taken:
            raise InputError(f"the parameter of a geodesic cannot be called '{name}': the metric has that name already "
                             f"({', '.join(sorted(taken))})")  # fmt: skip
        s = parameter if isinstance(parameter, sympy.Symbol) else sympy.Symbol(name, real=True)
        unknown = {found.name for found in contents(self.matrix).unknown}
        curves = [sympy.Function(fresh(x.name, unknown))(s) for x in self.chart.symbols]
        table = dict(zip(self.chart.symbols, curves, strict=True))
        gamma = self.christoffel.applyfunc(lambda e: composed(e, table))
        speeds = [c.diff(s) for c in curves]
        return tuple(
            sympy.Eq(
                c.diff(s, 2) + sum(gamma[k, i, j] * u * v for i, u in enumerate(speeds) for j, v in enumerate(speeds)),
                0,
            )
            for k, c in enumerate(curves)
        )

    def pullback(
        self,
        chart: Chart | Symbols,
        mapping: Sequence[Any] | Mapping[Any, Any],
        parameters: Parameters = (),
        functions: Functions = (),
    ) -> Metric:
        """F*g on another chart, also of fewer dimensions (the induced metric of a submanifold).

        A parameter of this metric that has the name of a new coordinate gets a fresh name, x_1 for x.

        Parameters
        ----------
        chart : Chart, Torus or str
            The new coordinates.
        mapping : sequence or mapping by name
            F: each coordinate of this metric as a function of the new ones.
        parameters, functions
            What text of the map may use, as `Metric` takes them.
        """
        chart = chart_of(chart, Chart)
        own = {name: s for name, s in self._parameters.items() if name not in chart.names}
        known = {**parameter_names(parameters, chart.names), **own}
        images = images_in(chart, self.chart, mapping, known, functions)
        taken = {*chart.names, *names_in(self.matrix), *names_in(images)}
        table = dict(zip(self.chart.symbols, images, strict=True))
        for name in self._parameters.keys() - own.keys():
            s = self._parameters[name]
            table[s] = sympy.Symbol(fresh(name, taken), **s.assumptions0)
            taken.add(table[s].name)
        moved = self.matrix.applyfunc(lambda e: composed(e, table))
        jacobian = Matrix([[e.diff(x) for x in chart.symbols] for e in images])

        def task(ring: ExactRing[Any]) -> Any:
            slopes = read_array(ring, jacobian)  # (F*T)_ab = ∂_a F^i ∂_b F^j T_ij
            half = ring.multiply(read_array(ring, moved), slopes)
            return written(ring, ring.symmetric(
                chart.dim, lambda a, b: ring.dot(zip(slopes[:, a], half[:, b], strict=True))))

        return Metric(chart, compute([*moved, *jacobian], chart, task))

    def scaled(self, factor: Any) -> Metric:
        """factor · g.

        Parameters
        ----------
        factor : str, number or sympy expression
            A function in the chart.
        """
        return Metric(self.chart, self._expression(factor) * self.matrix)

    def _over(self, ring: ExactRing[Any], matrix: np.ndarray) -> RingTensors:
        return RingTensors(ring, matrix)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Metric, (self.chart, self.matrix))

    def __str__(self) -> str:
        line = show.line_element(self.matrix, self.chart.symbols)
        return show.shortened(f"the metric ds^2 = {line} on {self.chart}")

    __repr__ = __str__

    def _latex(self, printer: Any = None) -> str:
        return f"\\mathrm{{d}}s^2 = {show.line_element_latex(self.matrix, self.chart.symbols)}"
