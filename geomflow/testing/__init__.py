"""Laws to put one's own things to the test by, and hypothesis strategies to draw what they are tested on.

A law takes one thing, or a strategy that draws things and shrinks them to small ones where the law fails.

>>> import geomflow as gf
>>> from geomflow import testing
>>> testing.check_kernel(gf.GaussianKernel(0.3))
>>> T = gf.Torus(dim=2)
>>> testing.check_gradient(gf.functionals.Volume(T), T.grid(8, scheme="spectral").metric())
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
