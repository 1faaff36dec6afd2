"""Numbers of toric Kähler surfaces: polynomials on polygons, their quadrature, and metrics as coefficients of them."""

from geomflow.field.toric.grid import ToricGrid
from geomflow.field.toric.jets import Jet
from geomflow.field.toric.polynomials import OrthogonalPolynomials
from geomflow.field.toric.quadrature import Rule
from geomflow.field.toric.state import ToricState

__all__ = ["Jet", "OrthogonalPolynomials", "Rule", "ToricGrid", "ToricState"]
