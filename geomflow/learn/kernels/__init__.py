"""Kernels of two points, scalar and with tensor indices, and the operators they are."""

from geomflow.learn.kernels.delta import DeltaKernel
from geomflow.learn.kernels.distance import DistanceKernel, GramCheck, euclidean_distance, torus_distance
from geomflow.learn.kernels.fubini_study import (
    FubiniStudyGaussian,
    FubiniStudyGeodesicGaussian,
    IndefiniteKernelWarning,
    chordal_distance,
    geodesic_distance,
)
from geomflow.learn.kernels.gaussian import GaussianKernel
from geomflow.learn.kernels.kernel import Kernel, UnderResolvedWarning
from geomflow.learn.kernels.operators import BlockOperator, FourierOperator, IdentityOperator, KernelOperator
from geomflow.learn.kernels.rescaled import RescaledKernel, RescaledOperator, reference_rescaled
from geomflow.learn.kernels.spectrum import (
    alignment,
    effective_dimension,
    eigenvalues,
    kernel_alignment,
    operator_alignment,
    operator_eigenvalues,
    participation_ratio,
    smallest_eigenvalue,
)
from geomflow.learn.kernels.wrapped import WrappedGaussianKernel

__all__ = [
    "BlockOperator",
    "DeltaKernel",
    "DistanceKernel",
    "FourierOperator",
    "FubiniStudyGaussian",
    "FubiniStudyGeodesicGaussian",
    "GaussianKernel",
    "GramCheck",
    "IdentityOperator",
    "IndefiniteKernelWarning",
    "Kernel",
    "KernelOperator",
    "RescaledKernel",
    "RescaledOperator",
    "UnderResolvedWarning",
    "WrappedGaussianKernel",
    "alignment",
    "chordal_distance",
    "effective_dimension",
    "eigenvalues",
    "euclidean_distance",
    "geodesic_distance",
    "kernel_alignment",
    "operator_alignment",
    "operator_eigenvalues",
    "participation_ratio",
    "reference_rescaled",
    "smallest_eigenvalue",
    "torus_distance",
]
