"""Kernels, tangent kernels of networks, and clustering by kernels."""

from geomflow.kernels.kernel import ProductKernel, SumKernel
from geomflow.kernels.clustering import batched_labels, cohesion
from geomflow.kernels.clustering import Dendrogram
from geomflow.kernels.clustering import dropped_mass
from geomflow.kernels.clustering import euclidean_linkage, projective_linkage
from geomflow.kernels.projective import CoordinateKernel
from geomflow.kernels.cutoff import CutOffKernel, Neighbours
from geomflow.kernels.gaussian import DeltaKernel
from geomflow.kernels.distance import (
    DistanceKernel,
    FunctionKernel,
    GramCheck,
    euclidean_distance,
    torus_distance,
)
from geomflow.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel
from geomflow.kernels.projective import (
    FubiniStudyGaussian,
    FubiniStudyGeodesicGaussian,
    IndefiniteKernelWarning,
    chordal_distance,
    geodesic_distance,
)
from geomflow.kernels.gaussian import GaussianKernel
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.operators import UnderResolvedWarning
from geomflow.kernels.network import KernelEstimate, monte_carlo
from geomflow.kernels.projective import NearestKernel
from geomflow.kernels.network import NetworkCovariance, NetworkKernel
from geomflow.kernels.operators import BlockOperator, FourierOperator, IdentityOperator, KernelOperator
from geomflow.kernels.potential import PotentialKernel
from geomflow.kernels.kernel import RescaledKernel, reference_rescaled
from geomflow.kernels.operators import RescaledOperator
from geomflow.kernels.spectrum import (
    alignment,
    effective_dimension,
    eigenvalues,
    kernel_alignment,
    operator_alignment,
    operator_eigenvalues,
    participation_ratio,
    smallest_eigenvalue,
)
from geomflow.kernels.tangent import Covariant, Kronecker, Symmetrised
from geomflow.kernels.tangent import TangentKernel, drift
from geomflow.kernels.gaussian import WrappedGaussianKernel

__all__ = [
    "BlockOperator",
    "CoordinateKernel",
    "Covariant",
    "CutOffKernel",
    "DeltaKernel",
    "Dendrogram",
    "DistanceKernel",
    "EmpiricalKernel",
    "EmpiricalPotentialKernel",
    "FourierOperator",
    "FubiniStudyGaussian",
    "FubiniStudyGeodesicGaussian",
    "FunctionKernel",
    "GaussianKernel",
    "GramCheck",
    "IdentityOperator",
    "IndefiniteKernelWarning",
    "Kernel",
    "KernelEstimate",
    "KernelOperator",
    "Kronecker",
    "NearestKernel",
    "Neighbours",
    "NetworkCovariance",
    "NetworkKernel",
    "PotentialKernel",
    "ProductKernel",
    "RescaledKernel",
    "RescaledOperator",
    "SumKernel",
    "Symmetrised",
    "TangentKernel",
    "UnderResolvedWarning",
    "WrappedGaussianKernel",
    "alignment",
    "batched_labels",
    "chordal_distance",
    "cohesion",
    "drift",
    "dropped_mass",
    "effective_dimension",
    "eigenvalues",
    "euclidean_distance",
    "euclidean_linkage",
    "geodesic_distance",
    "kernel_alignment",
    "monte_carlo",
    "operator_alignment",
    "operator_eigenvalues",
    "participation_ratio",
    "projective_linkage",
    "reference_rescaled",
    "smallest_eigenvalue",
    "torus_distance",
]
