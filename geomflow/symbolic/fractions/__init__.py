"""Fields of fractions over FLINT polynomials, with algebraic and transcendental generators adjoined.

An expression of coordinates, parameters, unknown functions, sines and cosines, exponentials, logarithms and roots
becomes a quotient of integer polynomials in normal form, so that zero is decided and not searched for.
`field_of(expressions, coordinates)` builds the smallest field that holds the expressions.
"""

from geomflow.symbolic.fractions.element import Element
from geomflow.symbolic.fractions.field import MOST_TERMS, Field, field_of
from geomflow.symbolic.fractions.survey import OutsideField

__all__ = ["MOST_TERMS", "Element", "Field", "OutsideField", "field_of"]
