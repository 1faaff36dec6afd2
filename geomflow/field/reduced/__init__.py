"""Numbers of metrics with symmetry: unknown functions of no, one or two coordinates, at the nodes of a basis.

`Evaluated` computes reduced rates and their exact Jacobians; `Closing` is what vanishes to a given order at a pole.
"""

from geomflow.field.reduced.closing import Closing
from geomflow.field.reduced.evaluate import Evaluated

__all__ = ["Closing", "Evaluated"]
