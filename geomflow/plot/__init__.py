"""Pictures of states, runs and varieties; each function returns its Axes.

matplotlib loads on the first picture, and its settings are left as they were.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
