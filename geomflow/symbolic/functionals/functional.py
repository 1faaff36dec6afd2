"""The noun `Functional`: an integral over a geometry that can be varied exactly."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from typing import TYPE_CHECKING, Any, ClassVar

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, UnknownNameError
from geomflow.core.graph.node import exact
from geomflow.core.numbers import finite_number, fraction_of
from geomflow.symbolic.show import InLatex

if TYPE_CHECKING:
    import sympy

    from geomflow.symbolic.functionals.derived import DerivedFlow
    from geomflow.symbolic.functionals.linear import Linearisation
    from geomflow.symbolic.variation.staged import Staged


@dataclass(frozen=True)
class Certificate:
    """What was decided exactly: a statement, and whether it holds."""

    statement: str
    holds: bool

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        verdict = "decided zero" if self.holds else "decided not zero"
        return f"{self.statement}: {verdict} at random jets modulo a 61-bit prime"


class Functional(InLatex):
    """E[u] = ∫ L over a geometry: of a real metric, or of a Kähler potential.

    Sums and rational multiples of functionals of the same kind are functionals. `gradient_flow` descends
    `loss` * E: loss is 1 except where the literature ascends (Perelman) or runs at another speed.
    """

    latex_style: ClassVar[str] = "\\displaystyle "

    name: ClassVar[str] = ""
    definition: ClassVar[str] = ""
    source: ClassVar[str] = ""
    metrics: ClassVar[tuple[str, ...]] = ()

    geometry: Any
    """The torus or chart over which is integrated."""

    @property
    def loss(self) -> Fraction | int:
        """The factor of E in what gradient flow decreases."""
        return 1

    @property
    def parameters(self) -> Mapping[str, gr.Node]:
        """Values of the parameters of the definition, where they have one on a torus."""
        return {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know before running a gradient flow."""
        return ()

    @property
    @abstractmethod
    def density(self) -> Staged:
        """L with E = ∫ L d^dx, on its stages over real coordinates."""

    @property
    @abstractmethod
    def differential(self) -> Staged:
        """The density of δE by d^dx, linear in the fields δφ = psi, or δg_ij = h_xx, h_xy, ... and δf = h_f."""

    @abstractmethod
    def first_variation(self) -> Any:
        """δE by structure, as scalars (and tensors) that the variation is integrated against."""

    @abstractmethod
    def gradient(self, metric: str | None = None) -> Any:
        """The gradient with respect to a metric on the space of fields, by name.

        Raises UnknownNameError for an unknown metric, InputError where the gradient is not local in it.
        """

    @abstractmethod
    def gradient_flow(self, metric: str | None = None) -> DerivedFlow:
        """The descent of `loss` * E in the metric."""

    @abstractmethod
    def second_variation_at(self, background: Any = "flat", metric: str | None = None) -> Linearisation:
        """The linearised gradient flow at a constant metric: exact decay rates of plane waves.

        `background` is "flat", the unit metric, or a matrix of exact numbers.
        """

    @abstractmethod
    def certify(self) -> Certificate:
        """Whether the Euler operator on jets and the variation by structure agree, decided at random jets."""

    @abstractmethod
    def plus(self, terms: tuple[tuple[Fraction | int, Any], ...]) -> Functional:
        """The sum of multiples c * E over the pairs (c, E), all of the kind of this one."""

    @abstractmethod
    def explain(self) -> str:
        """The steps of the derivation, as text."""

    @property
    def equation(self) -> sympy.Eq:
        """The gradient flow's equation in the usual notation."""
        return self.gradient_flow().equation

    def __call__(self, state: Any, parameters: Mapping[str, Any] | None = None, measure: Any = None) -> float:
        """E at a state, such as grid.potential(...) or grid.metric(...), or a model's state on a grid.

        `parameters` are numbers for what the functional leaves open (the τ of Perelman's W), `measure` the reference
        measure dm/dx in f = log(dV/dm), anything positive that ``grid.scalar`` takes: dx itself unless given, also
        where f is an unknown of its own. Monitors along a flow record `loss` times this.

        Raises InputError for a state of another kind or on another torus, a parameter without a value, and a measure
        where there is none to give; PositivityError for a metric that is not positive.
        """
        return value_at(getattr(state, "field", lambda: state)(), self, parameters or {}, measure)

    def terms(self) -> tuple[tuple[Fraction | int, Any], ...]:
        """This functional as a sum of multiples."""
        return ((1, self),)

    def __add__(self, other: Functional) -> Functional:
        if not isinstance(other, Functional):
            return NotImplemented
        return self.plus((*self.terms(), *other.terms()))

    def __mul__(self, factor: int | float | Fraction) -> Functional:
        if isinstance(factor, bool) or not isinstance(factor, int | float | Fraction):
            return NotImplemented
        finite_number(factor, "the factor of a functional")
        number = exact(fraction_of(factor) if isinstance(factor, float) else factor)
        return self.plus(tuple((c * number, e) for c, e in self.terms()))

    __rmul__ = __mul__

    def __truediv__(self, divisor: int | Fraction) -> Functional:
        return self * (Fraction(1) / Fraction(divisor))

    def __neg__(self) -> Functional:
        return self * -1

    def __sub__(self, other: Functional) -> Functional:
        return self + (-other)

    def __str__(self) -> str:
        return f"{self.name}: {self.definition}"

    def _latex(self, printer: Any = None) -> str:
        import sympy

        return str(sympy.latex(self.equation))

    def checked_metric(self, metric: str | None) -> str:
        """The metric's name, the first one offered by default."""
        if metric is None:
            return self.metrics[0]
        if metric not in self.metrics:
            raise UnknownNameError.among(f"metric for the gradient of {self.name}", str(metric), self.metrics)
        return metric

    @staticmethod
    def from_density(geometry: Any, density: Any, **options: Any) -> Functional:
        """A user's own functional ∫ density dV; see `geomflow.symbolic.functionals.density`."""
        from geomflow.symbolic.functionals.density import from_density

        return from_density(geometry, density, **options)


@singledispatch
def value_at(state: Any, functional: Functional, parameters: Mapping[str, Any], measure: Any) -> float:
    """E at a state. What knows a kind of state registers how; InputError for others."""
    raise InputError(f"{functional.name} is evaluated at a field on a grid, such as grid.potential(...) or "
                     f"grid.metric(...); a {type(state).__name__} was given.")


def unlike(other: Any, functional: Functional) -> InputError:
    """The error for a sum of functionals of different geometries or fields."""
    return InputError(f"{getattr(other, 'name', other)} cannot be added to {functional.name}: functionals are added "
                      "over one geometry and of one kind of field.")


def is_complex(geometry: Any) -> bool:
    """Whether the geometry has complex coordinates: twice as many real ones as its dimension."""
    return len(geometry.coordinates) == 2 * geometry.dim


def real_coordinates(geometry: Any) -> tuple[str, ...]:
    """The names of the real coordinates of a torus or a chart."""
    chart = getattr(geometry, "real_chart", None)
    return tuple((chart or geometry).coordinates)


def needs(name: str, geometry: Any, complex_geometry: bool, dims: tuple[int, ...]) -> None:
    """Check that a functional can live on the geometry.

    Raises InputError that says what it needs.
    """
    if not (hasattr(geometry, "coordinates") and hasattr(geometry, "dim")):
        raise InputError(f"{name} is integrated over a geometry such as gf.Torus(dim=2), not a "
                         f"{type(geometry).__name__}")
    wanted = "a Kähler potential on a complex geometry, ComplexTorus(dim=...)" if complex_geometry else \
        "a metric on a real geometry, Torus(dim=...)"
    if is_complex(geometry) != complex_geometry:
        kind = "complex" if is_complex(geometry) else "real"
        raise InputError(f"{name} is a functional of {wanted}; the geometry given is {kind}, of dimension "
                         f"{geometry.dim}.")
    if geometry.dim not in dims:
        kind = "complex" if complex_geometry else "real"
        raise InputError(f"{name} is offered in {kind} dimension {', '.join(map(str, dims))}; the geometry has "
                         f"dimension {geometry.dim}.")
