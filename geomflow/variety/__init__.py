"""Numbers on point clouds: Calabi–Yau hypersurfaces, their points, measures and metrics."""

from geomflow.variety.ambient import Ambient
from geomflow.variety.chern import chern_densities, chern_number, euler_number, intersection_number
from geomflow.variety.jets import Curvature
from geomflow.variety.store import export_cymetric, import_cymetric
from geomflow.variety.distance import distance, nearest
from geomflow.variety.errors import VolumeWarning
from geomflow.variety.estimate import Estimate
from geomflow.variety.families import Bicubic, Dwork, Fermat, Tetraquadric
from geomflow.variety.flat import FlatCurve
from geomflow.variety.frames import in_patch, transition
from geomflow.variety.fubini_study import FubiniStudy
from geomflow.variety.hermitian_form import HermitianForm
from geomflow.variety.hypersurface import Hypersurface
from geomflow.variety.measures import (
    Measures,
    Quality,
    checked_volume,
    class_volume,
    density_ratio,
    gain,
    kappa,
    measure,
    quality,
    ricci_measure,
    scalar_curvature,
    sigma,
    smallest_eigenvalue,
    transition_loss,
    volume,
)
from geomflow.variety.metric import HermitianMetric, PolarisedMetric
from geomflow.variety.store import load_points
from geomflow.variety.sample import noised
from geomflow.variety.points import Points, concatenate
from geomflow.variety.polynomial import Polynomial
from geomflow.variety.sample import sample_patch
from geomflow.variety.sections import Sections
from geomflow.variety.symmetry import Symmetry, trivial_symmetry

__all__ = [
    "Ambient",
    "Bicubic",
    "Curvature",
    "Dwork",
    "Estimate",
    "Fermat",
    "FlatCurve",
    "FubiniStudy",
    "HermitianForm",
    "HermitianMetric",
    "Hypersurface",
    "Measures",
    "Points",
    "PolarisedMetric",
    "Polynomial",
    "Quality",
    "Sections",
    "Symmetry",
    "Tetraquadric",
    "VolumeWarning",
    "checked_volume",
    "chern_densities",
    "chern_number",
    "class_volume",
    "concatenate",
    "density_ratio",
    "distance",
    "euler_number",
    "export_cymetric",
    "gain",
    "import_cymetric",
    "in_patch",
    "intersection_number",
    "kappa",
    "load_points",
    "measure",
    "nearest",
    "noised",
    "quality",
    "ricci_measure",
    "sample_patch",
    "scalar_curvature",
    "sigma",
    "smallest_eigenvalue",
    "transition",
    "transition_loss",
    "trivial_symmetry",
    "volume",
]
