from .convergence import (
    convergence as convergence, fit as fit, fitted_order as fitted_order, sigma as sigma, training as training,
)
from .files import save as save
from .heatmap import heatmap as heatmap
from .histograms import histograms as histograms
from .polygons import polygon as polygon
from .profiles import profile as profile
from .quantities import quantity_names as quantity_names
from .revolution import embedding as embedding
from .runs import film as film, monitors as monitors, side_by_side as side_by_side, snapshots as snapshots
from .slices import plane_slice as plane_slice, slices as slices
from .spectra import spectrum as spectrum
from .surface import Surface as Surface, surface as surface
