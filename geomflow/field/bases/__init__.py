"""Functions of one coordinate by their values at nodes: on circles, between poles or mirrors, between given ends.

A basis holds everything that an equation needs of a domain: nodes, derivative matrices, a projection, weights of
integrals and evaluation elsewhere. Nodes are drawn to given places by analytic maps.

>>> from geomflow.field.bases import Legendre
>>> basis = Legendre(16, 0.0, 2.0)
>>> bool(abs(basis.weights @ basis.points[0] ** 2 - 1) < 1e-14)
True
"""

from geomflow.field.bases.basis import Basis, Point, Product
from geomflow.field.bases.circles import Drawn, Fourier
from geomflow.field.bases.clustering import Clustered
from geomflow.field.bases.polar import Legendre
from geomflow.field.bases.stencils import Periodic, Staggered

__all__ = ["Basis", "Clustered", "Drawn", "Fourier", "Legendre", "Periodic", "Point", "Product", "Staggered"]
