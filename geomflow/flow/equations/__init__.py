"""The equations, one idea a file, and `Flow`, what they all are."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
