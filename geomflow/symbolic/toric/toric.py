"""The noun `Toric`: a toric Kähler surface with a Kähler class, given by its moment polygon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, final

import sympy

from geomflow.core.errors import InputError
from geomflow.core.exact_numbers import sympy_rational
from geomflow.core.notebook import VERBS, Facts, InNotebook
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.toric.geometry import X, abreu_equation, guillemin, metric_of, read_function
from geomflow.symbolic.toric.integrals import ONE, extremal_affine, futaki, over_boundary, over_polygon
from geomflow.symbolic.toric.named import named_sides
from geomflow.symbolic.toric.polygon import Edge, Pair, Polygon, checked, polygon_of, rational
from geomflow.symbolic.toric.stability import Stability, stability
from geomflow.symbolic.toric.symmetry import Motion, motions


@final
@dataclass(frozen=True, init=False, repr=False)
class Toric(InNotebook):
    """A toric Kähler surface with a Kähler class: the polygon P = {x : l_a(x) = ⟨n_a, x⟩ + c_a ≥ 0} is its moments.

    Metrics have symplectic potentials u = Σ l_a log l_a + h with h smooth on P; in the coordinates log z_i they are
    g_{ij̄} = u^ij, their volume is (2π)²|P|, and Σ_a c_a D_a is the class (Guillemin 1994). Everything that the polygon
    says by itself is exact: lengths, Futaki's invariant, stability.

    Raises UnknownNameError for an unknown name, InputError for a polygon that is not convex, bounded and Delzant, or
    for constants outside of the Kähler cone: with the side or the corner and its numbers.

    Parameters
    ----------
    polygon : str or sequence
        "CP2", "CP1xCP1", "dP1", "dP2", "dP3" (of class c₁) or "F0", "F1", "F2", ...; or corners (x, y) in their order;
        or sides (n1, n2, c) with inward normals.
    constants : sequence of numbers, optional
        c_a instead of those of the polygon, in the order of `normals`: another class.

    Examples
    --------
    >>> from geomflow.symbolic.toric import Toric
    >>> surface = Toric("dP1")
    >>> surface.area, surface.futaki
    (Fraction(4, 1), (Fraction(1, 3), Fraction(1, 3)))
    >>> print(surface.stability)
    K-stable
    >>> print(Toric([(0, 0), (2, 0), (2, 1), (0, 3)]))
    a toric surface with the polygon x2 >= 0, -x1 + 2 >= 0, -x1 - x2 + 3 >= 0, x1 >= 0
    """

    polygon: Polygon

    def __init__(self, polygon: str | Sequence[Any] | Polygon, constants: Sequence[Any] | None = None) -> None:
        if isinstance(polygon, str):
            found = checked(named_sides(polygon))
        else:
            found = polygon if isinstance(polygon, Polygon) else polygon_of(polygon)
        if constants is not None:
            found = _of_class(found, constants)
        object.__setattr__(self, "polygon", found)

    @property
    def normals(self) -> tuple[tuple[int, int], ...]:
        """The inward normals n_a, primitive, anticlockwise."""
        return self.polygon.normals

    @property
    def constants(self) -> tuple[Fraction, ...]:
        """c_a."""
        return self.polygon.constants

    @property
    def vertices(self) -> tuple[Pair, ...]:
        """The corners, anticlockwise: fixed points of the torus."""
        return self.polygon.vertices

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The sides, anticlockwise: invariant curves, of area 2π times their lengths."""
        return self.polygon.edges

    @property
    def self_intersections(self) -> tuple[int, ...]:
        """D_a² of these curves."""
        return self.polygon.self_intersections

    @cached_property
    def symmetries(self) -> tuple[Motion, ...]:
        """The affine maps of the lattice that keep P, the identity first."""
        return motions(self.polygon)

    @cached_property
    def area(self) -> Fraction:
        """|P|; the volume of the surface is (2π)² times this."""
        return over_polygon(self.polygon, ONE)

    @cached_property
    def boundary(self) -> Fraction:
        """|∂P| = Σ lengths: ∫R dμ is 2(2π)² times this."""
        return over_boundary(self.polygon, ONE)

    @cached_property
    def futaki(self) -> Pair:
        """∫_{∂P} x_i dσ − r̄∫_P x_i, r̄ = |∂P|/|P|: zero where there may be a metric of constant curvature."""
        return futaki(self.polygon)

    @cached_property
    def extremal_curvature(self) -> sympy.Expr:
        """The affine function R = A + B·x that an extremal metric of the class must have as its scalar curvature."""
        found = extremal_affine(self.polygon)
        a, b, c = (sympy_rational(2 * value) for value in (found.a, found.b, found.c))
        return a * X[0] + b * X[1] + c

    @cached_property
    def stability(self) -> Stability:
        """Whether the surface is K-stable relative to its torus, decided exactly; if not, a cut that destabilises."""
        return stability(self.polygon)

    @property
    def einstein_constant(self) -> Fraction | None:
        """λ where the class is c₁/λ, so that Ric = λg may have a solution; None where it is no multiple of c₁."""
        found = self.polygon.equidistant
        return None if found is None else 1 / found[1]

    @property
    def class_end(self) -> Fraction:
        """The time at which ∂_t g = −Ric leaves the Kähler cone: min length/(2 + D²) over the sides with D² > −2.

        A side with D² = −1 that is the only one to vanish is a curve that contracts; two with D² = 0 are the fibres of
        a collapse; where all vanish, the surface becomes extinct.
        """
        return min(edge.length / (2 + number) for edge, number in zip(self.edges, self.self_intersections, strict=True)
                   if number > -2)

    @property
    def vanishing_sides(self) -> tuple[int, ...]:
        """The places of the sides that have no length at `class_end`."""
        return tuple(a for a, (edge, number) in enumerate(zip(self.edges, self.self_intersections, strict=True))
                     if edge.length == self.class_end * (2 + number))

    def metric(self, h: Any = 0) -> Metric:
        """The exact metric ½ u_ij dx_i dx_j + 2 u^ij dθ_i dθ_j of u = Σ l_a log l_a + h.

        Parameters
        ----------
        h : text, number or sympy expression
            A function of x1 and x2.
        """
        return metric_of(guillemin(self.polygon) + read_function(h))

    @property
    def equation(self) -> sympy.Eq:
        """Abreu's equation R = −2 ∂_i∂_j u^ij, derived from the exact metric of an unknown u."""
        return abreu_equation()

    def grid(self, degree: int, symmetric: bool = False) -> Any:
        """Polynomials h of a total degree on P, and the points at which metrics are evaluated.

        Parameters
        ----------
        degree : int
            Of h, at least 2.
        symmetric : bool
            Keep to those that all of `symmetries` leave as they are.
        """
        return VERBS["toric_grid"](self, degree, symmetric)

    def einstein(self, degree: int) -> Any:
        """The Kähler–Einstein metric Ric = λg, by Gauss–Newton on polynomials h of a degree.

        Raises InputError where the class is no multiple of c₁, where Futaki's invariant is not zero, and where the
        degree is too small.

        Parameters
        ----------
        degree : int
            Of h, at least 2.
        """
        return VERBS["toric_einstein"](self, degree)

    def soliton(self, degree: int) -> Any:
        """The Kähler–Ricci soliton Ric = λg + ∂∂̄⟨c, x⟩, which a surface of class c₁/λ always has (Wang and Zhu 2004).

        Raises InputError as `einstein` does, but for Futaki's invariant.

        Parameters
        ----------
        degree : int
            Of h, at least 2.
        """
        return VERBS["toric_soliton"](self, degree)

    def extremal(self, degree: int) -> Any:
        """The extremal metric of the class, R affine in x; of constant curvature where Futaki's invariant vanishes.

        Raises InputError with a destabilising cut where the polygon is not stable.

        Parameters
        ----------
        degree : int
            Of h, at least 2.
        """
        return VERBS["toric_extremal"](self, degree)

    def __str__(self) -> str:
        return f"a toric surface with the polygon {self.polygon}"

    __repr__ = __str__

    def __facts__(self) -> Facts:
        yield "polygon", str(self.polygon)
        yield "self-intersections", ", ".join(map(str, self.self_intersections))
        yield "area", self.area
        yield "Futaki", f"({self.futaki[0]}, {self.futaki[1]})"
        yield "extremal R", self.extremal_curvature
        yield "stability", str(self.stability)


def _of_class(polygon: Polygon, constants: Sequence[Any]) -> Polygon:
    """The polygon with other constants."""
    if isinstance(constants, str) or not isinstance(constants, Iterable):
        raise InputError(f"constants are a sequence of numbers, one for each normal, and {constants!r} was given.")
    found = [rational(value, "a constant of the polygon") for value in constants]
    if len(found) != len(polygon.normals):
        raise InputError(f"the polygon has {len(polygon.normals)} sides, and {len(found)} constants were given: give "
                         "one for each of its normals, " + ", ".join(map(str, polygon.normals)) + ".")
    return checked(zip(polygon.normals, found, strict=True))
