"""Metrics on varieties: algebraic, balanced, of networks, of kernels, and flows within families."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
