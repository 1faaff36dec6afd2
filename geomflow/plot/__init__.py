"""Pictures of states, runs and varieties; each function returns its Axes.

matplotlib loads on the first picture, and its settings are left as they were.
"""

from geomflow.plot.convergence import convergence, fitted_order
from geomflow.plot.runs import film
from geomflow.plot.convergence import fit, training
from geomflow.plot.heatmap import heatmap
from geomflow.plot.histograms import histograms
from geomflow.plot.runs import monitors
from geomflow.plot.quantities import quantity_names
from geomflow.plot.convergence import sigma
from geomflow.plot.slices import plane_slice, slices
from geomflow.plot.runs import snapshots

__all__ = [
    "convergence",
    "film",
    "fit",
    "fitted_order",
    "heatmap",
    "histograms",
    "monitors",
    "plane_slice",
    "quantity_names",
    "sigma",
    "slices",
    "snapshots",
    "training",
]
