from .covariance import check_covariance as check_covariance
from .draw.exact import (
    charts as charts, complex_charts as complex_charts, functions as functions, metrics as metrics,
    potentials as potentials,
)
from .draw.kernels import (
    clouds as clouds, cosines as cosines, kernels as kernels, networks as networks, perceptrons as perceptrons,
)
from .draw.states import (
    amplitudes as amplitudes, automorphisms as automorphisms, complex_tori as complex_tori, grids as grids,
    metric_states as metric_states, potential_states as potential_states, scalar_states as scalar_states,
    seeds as seeds, tori as tori,
)
from .draw.varieties import forms as forms, points as points, varieties as varieties
from .energy import check_energy as check_energy
from .gradient import check_gradient as check_gradient
from .kernel import check_kernel as check_kernel
from .law import LawError as LawError
from .metric import check_metric as check_metric
from .order import check_order as check_order
from .spelling import spelled as spelled
