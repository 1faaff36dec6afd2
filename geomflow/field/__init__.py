"""Numbers on grids: tori, stencil and spectral derivatives, metric, potential and scalar fields."""

from geomflow.field.torus import ComplexTorus, Torus

__all__ = ["ComplexTorus", "Torus"]
