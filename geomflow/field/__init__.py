"""Numbers on grids: tori, stencil and spectral derivatives, metric, potential and scalar fields.

>>> from geomflow.field import ComplexTorus
>>> phi = ComplexTorus(dim=1).grid(32, scheme="spectral").potential("cos(2*pi*x)/100")
>>> abs(phi.total_curvature()) < 1e-10
True
"""

import geomflow.field.functional_value  # noqa: F401  (how functionals are evaluated at fields)
from geomflow.field.fields import Fields
from geomflow.field.forms import FormField
from geomflow.field.grid import Grid
from geomflow.field.tori import ComplexTorus, Torus
from geomflow.field.hermitian import HermitianField
from geomflow.field.interpolate import Interpolation, interpolate, resample
from geomflow.field.lattice import FlatTorus
from geomflow.field.metric import MetricField
from geomflow.field.operators import Operator, discretise, pointwise
from geomflow.field.potential import PotentialField
from geomflow.field.spectra import laplacian_spectrum
from geomflow.field.state import Field, ScalarField
from geomflow.field.tensor import TensorField
from geomflow.field.symmetric import SymmetricField

__all__ = [
    "ComplexTorus", "Field", "Fields", "FlatTorus", "FormField", "Grid", "HermitianField", "Interpolation",
    "MetricField", "Operator", "PotentialField", "ScalarField", "SymmetricField", "TensorField", "Torus", "discretise",
    "interpolate", "laplacian_spectrum", "pointwise", "resample",
]  # fmt: skip
