from .ambient import Ambient as Ambient
from .chern import (
    chern_densities as chern_densities, chern_number as chern_number, euler_number as euler_number,
    intersection_number as intersection_number,
)
from .distance import distance as distance, nearest as nearest
from .errors import VolumeWarning as VolumeWarning
from .estimate import Estimate as Estimate
from .flat import FlatCurve as FlatCurve
from .function_space import (
    Character as Character, FunctionJets as FunctionJets, FunctionSpace as FunctionSpace, Sector as Sector,
    function_space as function_space,
)
from .frames import in_patch as in_patch, transition as transition
from .hermitian_form import HermitianForm as HermitianForm
from .hypersurface import (
    Bicubic as Bicubic, Dwork as Dwork, Fermat as Fermat, Hypersurface as Hypersurface, Tetraquadric as Tetraquadric,
)
from .jets import Curvature as Curvature
from .measures import (
    Measures as Measures, Quality as Quality, checked_volume as checked_volume, class_volume as class_volume,
    density_ratio as density_ratio, gain as gain, kappa as kappa, measure as measure, quality as quality,
    ricci_measure as ricci_measure, scalar_curvature as scalar_curvature, sigma as sigma,
    smallest_eigenvalue as smallest_eigenvalue, transition_loss as transition_loss, volume as volume,
)
from .metric import FubiniStudy as FubiniStudy, HermitianMetric as HermitianMetric, PolarisedMetric as PolarisedMetric
from .points import Points as Points, concatenate as concatenate
from .polynomial import Polynomial as Polynomial
from .quadrature import Quadrature as Quadrature, quadrature as quadrature
from .sample import noised as noised, sample_patch as sample_patch
from .sections import Sections as Sections
from .spectrum import Multiplet as Multiplet, Spectrum as Spectrum, spectrum as spectrum
from .store import export_cymetric as export_cymetric, import_cymetric as import_cymetric, load_points as load_points
from .symmetry import Symmetry as Symmetry, trivial_symmetry as trivial_symmetry
