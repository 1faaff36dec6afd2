"""Numbers on point clouds: Calabi–Yau hypersurfaces, their points, measures and metrics."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
