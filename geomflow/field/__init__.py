"""Numbers on grids: tori, stencil and spectral derivatives, metric, potential and scalar fields."""

from geomflow.field.grid import Grid
from geomflow.field.hermitian import HermitianField
from geomflow.field.metric import MetricField
from geomflow.field.potential import PotentialField
from geomflow.field.scalar import ScalarField
from geomflow.field.torus import ComplexTorus, Torus

__all__ = ["ComplexTorus", "Grid", "HermitianField", "MetricField", "PotentialField", "ScalarField", "Torus"]
