"""Diffeomorphisms of a torus that are homotopic to the identity: maps, their integration, pull-back."""

from geomflow.flow.diffeomorphism.integrate import integrated_maps
from geomflow.flow.diffeomorphism.torus_map import FoldedMapError, TorusMap

__all__ = ["FoldedMapError", "TorusMap", "integrated_maps"]
