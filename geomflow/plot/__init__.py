"""Pictures of states and runs; each function takes a solution or a state and returns its Axes.

matplotlib loads on the first picture, and its settings are left as they were.
"""

from geomflow.plot.convergence import convergence, fitted_order
from geomflow.plot.film import film
from geomflow.plot.heatmap import heatmap
from geomflow.plot.monitors import monitors
from geomflow.plot.quantities import quantity_names
from geomflow.plot.snapshots import snapshots

__all__ = ["convergence", "film", "fitted_order", "heatmap", "monitors", "quantity_names", "snapshots"]
