"""The noun `Functional`: an integral over a geometry that can be varied exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import sympy

from geomflow.core.errors import InputError
from geomflow.core.exact_numbers import fraction_of
from geomflow.core.graph.node import exact
from geomflow.core.notebook import Facts, InNotebook
from geomflow.core.numbers import finite_number
from geomflow.core.progress import waiting
from geomflow.symbolic.functionals.at_states import gradient_at, hessian_at, value_at
from geomflow.symbolic.functionals.derived import DerivedFlow
from geomflow.symbolic.functionals.geometries import is_complex
from geomflow.symbolic.functionals.varied import Varied
from geomflow.symbolic.show import InLatex, mathml

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator

Measure = Literal["dV", "dm", "dmu", "omega"]
"""What a user's own density is integrated against: the first two on real geometries, the others on complex ones."""


@dataclass(frozen=True)
class Functional(Varied, InNotebook, InLatex):
    """E[u] = ∫ L over a geometry: of a real metric, or of a Kähler potential.

    Sums and rational multiples of functionals of the same kind are functionals. `gradient_flow` descends
    `factor` * E: that is E itself except where the literature ascends (Perelman) or runs at another speed.

    Parameters
    ----------
    geometry : Torus, ComplexTorus, Chart or ComplexChart
        Over which is integrated.
    """

    latex_style: ClassVar[str] = "\\displaystyle "

    @waiting("deriving")
    def gradient_flow(self, metric: str | None = None) -> DerivedFlow:
        """The descent of `factor` * E in the metric.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; the first unless given.
        """
        gradient = self.gradient_in(metric)
        return DerivedFlow(self, gradient.metric, gradient.equation, gradient.system, gradient.linearised_at)

    @property
    def equation(self) -> sympy.Eq:
        """The gradient flow's equation in the usual notation."""
        return self.gradient_flow().equation

    def __call__(self, state: Any, parameters: Mapping[str, Any] | None = None, measure: Any = None) -> float:
        """E at a state, such as grid.potential(...) or grid.metric(...), or a model's state on a grid.

        Monitors along a flow record `factor` times this.

        Raises InputError for a state of another kind or on another torus, a parameter without a value, and a measure
        where there is none to give; PositivityError for a metric that is not positive.

        Parameters
        ----------
        state : PotentialField, MetricField or model state
            On the torus of the functional.
        parameters : mapping of str to number, optional
            Numbers for what the functional leaves open: the τ of Perelman's W.
        measure : optional
            The reference measure dm/dx in f = log(dV/dm), anything positive that ``grid.scalar`` takes: dx itself
            unless given, also where f is an unknown of its own.
        """
        return value_at(_field(state), self, parameters or {}, measure)

    def gradient(self, state: Any = None, metric: Any = None, parameters: Mapping[str, Any] | None = None,
                 measure: Any = None, **choice: Any) -> Any:
        """The gradient of E: exactly, as `Gradient`, by the name of a metric alone; at a state, its values there.

        At a state it is a field with the components of the state, dE(h) = ⟨grad E, h⟩ in the metric: a symmetric
        tensor for a metric, a function for a potential. It is what `gradient_flow(metric)` descends, without `factor`.

        Raises UnknownNameError for an unknown metric, InputError where the gradient is not local in it or is a
        distribution, and for states, parameters and measures as calling E does.

        Parameters
        ----------
        state : PotentialField, MetricField, Fields or model state, or str
            On the torus of the functional; or the name of a metric, for the exact gradient.
        metric : str or mapping, optional
            One of `metrics`, or one for each of several fields; the first unless given.
        parameters : mapping of str to number, optional
            Numbers for what the functional leaves open.
        measure : optional
            The reference measure dm/dx, also that of the metric "L2" on metrics; dx itself unless given.
        **choice
            With several fields: `of`, those that it is taken along, and `keep`, as in `gradient_flow`.

        Examples
        --------
        >>> import geomflow as gf
        >>> E, g = gf.functionals.Volume(gf.Torus(dim=2)), gf.Torus(dim=2).grid(8).metric()
        >>> print(E.gradient("ebin").expression)
        g_ij/2
        >>> print(E.gradient(g).values[0, 0])
        [[0.5 0. ]
         [0.  0.5]]
        """
        return gradient_at(_field(state), self, metric, parameters or {}, measure, choice)

    def hessian(self, state: Any, parameters: Mapping[str, Any] | None = None, measure: Any = None) -> LinearOperator:
        """The second variation at a state: D²E(h, k) = ∫ k·Hh dx, H a linear operator on flat packed fields.

        It is the covector of dE by d^dx, E_u(L) for each component u, linearised along h, and no gradient: so H is
        symmetric at every state, not only at critical points. On grids dE is the exact gradient of the sum that stands
        for E, and H is symmetric to rounding. Where a field is solved for, as the ground state of Perelman's λ, the
        covector is found again at each of four moved states: then h·Hk and k·Hh differ by the error of the
        discretisation, and by some 1e-8 of H.

        Packed components stand as in `state.pack()`: g_xy, which is two entries of the metric, once. Where the flat
        torus is critical, `factor` H beside the inner product of a metric on fields has the decay rates of
        `second_variation_at` there.

        Raises InputError where E has a corner, and for states, parameters and measures as calling E does.

        Parameters
        ----------
        state : PotentialField, MetricField, Fields or model state
            On the torus of the functional.
        parameters : mapping of str to number, optional
            Numbers for what the functional leaves open.
        measure : optional
            The reference measure dm/dx in f = log(dV/dm), as for calling E.

        Examples
        --------
        >>> import geomflow as gf
        >>> T = gf.ComplexTorus(dim=1)
        >>> grid = T.grid(8, scheme="spectral")
        >>> H = gf.functionals.KEnergy(T).hessian(grid.potential("0"))
        >>> wave = grid.scalar("cos(2*pi*x)").values.ravel()
        >>> print((wave @ (H @ wave) / (wave @ wave) / (2 * 3.141592653589793) ** 4).round(12))
        0.5
        """
        return hessian_at(_field(state), self, parameters or {}, measure)

    def terms(self) -> Terms:
        """This functional as a sum of multiples."""
        return ((1, self),)

    def __add__(self, other: Functional) -> Functional:
        if not isinstance(other, Functional):
            return NotImplemented
        return summed(self, (*self.terms(), *other.terms()))

    def __mul__(self, factor: int | float | Fraction) -> Functional:
        if isinstance(factor, bool) or not isinstance(factor, int | float | Fraction):
            return NotImplemented
        finite_number(factor, "the factor of a functional")
        number = exact(fraction_of(factor) if isinstance(factor, float) else factor)
        return summed(self, tuple((c * number, e) for c, e in self.terms()))

    __rmul__ = __mul__

    def __truediv__(self, divisor: int | Fraction) -> Functional:
        return self * (Fraction(1) / Fraction(divisor))

    def __neg__(self) -> Functional:
        return self * -1

    def __sub__(self, other: Functional) -> Functional:
        return self + (-other)

    def __facts__(self) -> Facts:
        yield "functional", str(self)
        yield "over", self.geometry
        yield "of", self.unknowns
        yield "gradients", self.metrics
        if self.source:
            yield "source", self.source
        yield "gradient flow", mathml(self.latex_style + self.latex())

    def __str__(self) -> str:
        return f"{self.name}: {self.definition}"

    def __exact__(self) -> sympy.Eq:
        return self.equation

    def _latex(self, printer: Any = None) -> str:
        return str(sympy.latex(self.equation))

    @staticmethod
    def from_density(geometry: Any, density: Any, *, measure: Measure | None = None, name: str = "density",
                     fields: str | Mapping[str, str] | None = None, parameters: Mapping[str, Any] | None = None,
                     where: Mapping[str, str] | None = None) -> Functional:
        """∫ density over a geometry, varied like the functionals that come with the package.

        On a real geometry the density is written in R, Ric2 (= |Ric|²), f, `laplacian(s)` and `dot(s, t)`
        (= ⟨∇s, ∇t⟩). On a complex geometry it is written in R, Ric2, phi, v (= dμ_J/dμ_Ω), `laplacian` and `dot`
        (Riemannian: Δ = 2Δ_∂, ⟨∇s,∇t⟩ = 2⟨∂s,∂t⟩). Components of the metric (g_xx, ...), coordinates and partial
        derivatives `d(s, x)` are read too: every density is put to the test of a random change of coordinates.

        With `fields` the functional is one of all these: the density is a scalar in the language of tensors that rates
        are written in (`Flow.from_expression`), of a real geometry of any dimension, integrated against dV, and
        `gradient_flow` moves them all. Without a metric among them derivatives are flat.

        Raises InputError for a density that is complex or not covariant, and for fields that it has not;
        ExpressionError for one that cannot be read or is no scalar.

        Parameters
        ----------
        geometry : Torus, ComplexTorus, Chart or ComplexChart
            Over which is integrated.
        density : str, sympy.Expr or callable
            In these words, as symbols where it is sympy's, or a function of the algebra that returns a node.
        measure : str, optional
            "dV", where an f is an unknown beside g, or "dm", fixed, with f = log(dV/dm); on a complex geometry "dmu",
            dμ_J, or "omega", dμ_Ω, fixed. The first unless given.
        name : str
            The functional's.
        fields : str or mapping, optional
            The fields that it is of, "g f A:form" or {"g": "metric", "f": "scalar", "A": "1-form"}: one called g is a
            metric unless it is said otherwise, every other a scalar; kinds are scalar, metric, vector, symmetric and
            forms.
        parameters : mapping of str to number, optional
            Numbers that the density names; with `fields`.
        where : mapping of str to str, optional
            Definitions that the density may use, and definitions after them; with `fields`.

        Examples
        --------
        >>> import geomflow as gf
        >>> E = gf.functionals.from_density(gf.Torus(dim=2), "R^2 + 1")
        >>> print(E.equation.rhs)
        2*R*R_ij + g_ij*(-R**2/2 + 2*Laplacian(R) - 1/2) - 2*Hessian(R)
        >>> E = gf.functionals.from_density(gf.Torus(dim=3), "R - dot(d(f), d(f))/2", fields="g f")
        >>> bool(E.certify_gradient({"g": "-Ric + R*g/2 + d(f)*d(f)/2 - dot(d(f), d(f))*g/4", "f": "laplacian(f)"}))
        True
        """
        if fields is not None:
            if measure not in (None, "dV"):
                raise InputError(f"a functional of several fields is integrated against dV, not {measure!r}: write the "
                                 "weight in the density, as in exp(-f)*(R + dot(d(f), d(f))).")
            return SEVERAL[0](geometry, density, fields, name, parameters or {}, where or {})
        if parameters or where:
            raise InputError("parameters and definitions belong to densities of several fields: name these, as in "
                             "fields='g f'.")
        known, kind = DENSITIES[is_complex(geometry)]
        chosen = measure or known[0]
        if chosen not in known:
            raise InputError(f"measure must be {known[0]!r} or {known[1]!r} on this geometry; it is {measure!r}.")
        return kind(geometry, density, chosen, name)


DENSITIES: dict[bool, tuple[tuple[str, ...], Callable[..., Functional]]] = {}
"""By whether the geometry is complex: the measures, and the functionals of users' own densities against them."""

SEVERAL: list[Callable[..., Functional]] = []
"""What makes a functional of several fields."""

Terms = tuple[tuple[Fraction | int, Any], ...]
"""Pairs (c, E) of a sum Σ c E."""


@singledispatch
def summed(functional: Functional, terms: Terms) -> Functional:
    """Σ c E over the terms, all of the kind of the functional. What knows a kind of functional registers how."""
    raise InputError(f"{functional.name} is of no kind that is added.")


def _field(state: Any) -> Any:
    """A model's state on a grid as a field; all else as it is."""
    return getattr(state, "field", lambda: state)()
