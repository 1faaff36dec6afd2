"""Kernels, tangent kernels of networks, and clustering by kernels."""

from geomflow.kernels.clustering import (
    Dendrogram,
    batched_labels,
    cohesion,
    dropped_mass,
    euclidean_linkage,
    projective_linkage,
)
from geomflow.kernels.cutoff import CutOffKernel, Neighbours
from geomflow.kernels.distance import DistanceKernel, FunctionKernel, euclidean_distance, torus_distance
from geomflow.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel
from geomflow.kernels.gaussian import DeltaKernel, GaussianKernel, WrappedGaussianKernel
from geomflow.kernels.kernel import Kernel, RescaledKernel, reference_rescaled
from geomflow.kernels.network import KernelEstimate, NetworkCovariance, NetworkKernel, monte_carlo
from geomflow.kernels.operators import KernelOperator, UnderResolvedWarning
from geomflow.kernels.potential import PotentialKernel
from geomflow.kernels.projective import (
    CoordinateKernel,
    FubiniStudyGaussian,
    FubiniStudyGeodesicGaussian,
    IndefiniteKernelWarning,
    NearestKernel,
    chordal_distance,
    geodesic_distance,
)
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
from geomflow.kernels.tangent import Covariant, Kronecker, Symmetrised, TangentKernel, drift

__all__ = [
    "CoordinateKernel",
    "Covariant",
    "CutOffKernel",
    "DeltaKernel",
    "Dendrogram",
    "DistanceKernel",
    "EmpiricalKernel",
    "EmpiricalPotentialKernel",
    "FubiniStudyGaussian",
    "FubiniStudyGeodesicGaussian",
    "FunctionKernel",
    "GaussianKernel",
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
    "RescaledKernel",
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
