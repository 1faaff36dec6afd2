"""Exact geometry: charts, metrics, Kähler potentials, their curvature, and a catalogue of what is known."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
