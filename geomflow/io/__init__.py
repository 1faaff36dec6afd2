"""Stores of runs, written as a run goes and surviving its death; and what takes runs and mathematics elsewhere."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
