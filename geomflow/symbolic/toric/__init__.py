"""Toric Kähler surfaces, exactly: moment polygons, integrals over them, symmetries, Futaki's invariant, stability."""

from geomflow.symbolic.toric.integrals import Affine
from geomflow.symbolic.toric.polygon import Edge, Polygon
from geomflow.symbolic.toric.stability import Cut, Stability
from geomflow.symbolic.toric.symmetry import Motion
from geomflow.symbolic.toric.toric import Toric

__all__ = ["Affine", "Cut", "Edge", "Motion", "Polygon", "Stability", "Toric"]
