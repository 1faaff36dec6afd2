from .activations import LeakyRelu as LeakyRelu
from .architectures import CosineNetKernel as CosineNetKernel, GaussNetKernel as GaussNetKernel
from .clustering import (
    Dendrogram as Dendrogram, batched_labels as batched_labels, cohesion as cohesion, dropped_mass as dropped_mass,
    euclidean_linkage as euclidean_linkage, projective_linkage as projective_linkage,
)
from .cutoff import CutOffKernel as CutOffKernel, Neighbours as Neighbours
from .distance import (
    DistanceKernel as DistanceKernel, FunctionKernel as FunctionKernel, euclidean_distance as euclidean_distance,
    torus_distance as torus_distance,
)
from .empirical import EmpiricalKernel as EmpiricalKernel, EmpiricalPotentialKernel as EmpiricalPotentialKernel
from .ensemble import InfiniteEnsemble as InfiniteEnsemble, Regression as Regression
from .expansions import Polynomial as Polynomial, Quadrature as Quadrature
from .gaussian import (
    DeltaKernel as DeltaKernel, GaussianKernel as GaussianKernel, WrappedGaussianKernel as WrappedGaussianKernel,
)
from .kernel import Kernel as Kernel, RescaledKernel as RescaledKernel, reference_rescaled as reference_rescaled
from .left_out import LeftOut as LeftOut
from .metric_ensemble import MetricEnsemble as MetricEnsemble
from .network import NetworkCovariance as NetworkCovariance, NetworkKernel as NetworkKernel
from .network_sampling import KernelEstimate as KernelEstimate, monte_carlo as monte_carlo
from .normalised import NormalisedCovariance as NormalisedCovariance, NormalisedKernel as NormalisedKernel
from .operators import KernelOperator as KernelOperator, UnderResolvedWarning as UnderResolvedWarning
from .positivity import Probability as Probability, positive_probability as positive_probability
from .potential import PotentialKernel as PotentialKernel
from .potential_ensemble import Bars as Bars, PotentialEnsemble as PotentialEnsemble
from .process import GaussianProcess as GaussianProcess
from .projective import (
    CoordinateKernel as CoordinateKernel, FubiniStudyGaussian as FubiniStudyGaussian,
    FubiniStudyGeodesicGaussian as FubiniStudyGeodesicGaussian, IndefiniteKernelWarning as IndefiniteKernelWarning,
    NearestKernel as NearestKernel, chordal_distance as chordal_distance, geodesic_distance as geodesic_distance,
)
from .residual import ResidualCovariance as ResidualCovariance, ResidualKernel as ResidualKernel
from .series_kernel import SeriesKernel as SeriesKernel
from .spectrum import (
    alignment as alignment, effective_dimension as effective_dimension, eigenvalues as eigenvalues,
    kernel_alignment as kernel_alignment, operator_alignment as operator_alignment,
    operator_eigenvalues as operator_eigenvalues, participation_ratio as participation_ratio,
    smallest_eigenvalue as smallest_eigenvalue,
)
from .tangent import (
    Covariant as Covariant, Kronecker as Kronecker, Symmetrised as Symmetrised, TangentKernel as TangentKernel,
    drift as drift,
)
from .waves import Waves as Waves
from .zonal import zonal_series as zonal_series
