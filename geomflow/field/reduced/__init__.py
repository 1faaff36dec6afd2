"""Numbers of metrics with symmetry: unknown functions of no, one or two coordinates, at the nodes of a basis.

A basis holds everything that a reduced equation needs of a domain: nodes, derivative matrices, a projection, weights of
integrals and evaluation elsewhere. `Evaluated` computes reduced rates and their exact Jacobians.

>>> from geomflow.field.reduced import Legendre
>>> basis = Legendre(16, 0.0, 2.0)
>>> bool(abs(basis.weights @ basis.points[0] ** 2 - 1) < 1e-14)
True
"""

from geomflow.field.reduced.basis import Basis, Point, Product
from geomflow.field.reduced.circles import Drawn, Fourier
from geomflow.field.reduced.closing import Closing
from geomflow.field.reduced.clustering import Clustered
from geomflow.field.reduced.evaluate import Evaluated
from geomflow.field.reduced.polar import Legendre
from geomflow.field.reduced.stencils import Periodic, Staggered

__all__ = [
    "Basis", "Closing", "Clustered", "Drawn", "Evaluated", "Fourier", "Legendre", "Periodic", "Point",
    "Product", "Staggered",
]  # fmt: skip
