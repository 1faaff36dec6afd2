"""Networks as functions, and as metrics or potentials on tori, with their jets and derivatives by parameters."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
