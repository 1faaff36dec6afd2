"""Kernels of two points, scalar and with tensor indices, and the operators they are."""

from geomflow.learn.kernels.algebra import ProductKernel, SumKernel
from geomflow.learn.kernels.coordinates import CoordinateKernel
from geomflow.learn.kernels.cutoff import CutOffKernel, Neighbours
from geomflow.learn.kernels.delta import DeltaKernel
from geomflow.learn.kernels.distance import (
    DistanceKernel,
    FunctionKernel,
    GramCheck,
    euclidean_distance,
    torus_distance,
)
from geomflow.learn.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel
from geomflow.learn.kernels.fubini_study import (
    FubiniStudyGaussian,
    FubiniStudyGeodesicGaussian,
    IndefiniteKernelWarning,
    chordal_distance,
    geodesic_distance,
)
from geomflow.learn.kernels.gaussian import GaussianKernel
from geomflow.learn.kernels.kernel import Kernel, UnderResolvedWarning
from geomflow.learn.kernels.monte_carlo import KernelEstimate, monte_carlo
from geomflow.learn.kernels.nearest import NearestKernel
from geomflow.learn.kernels.network import NetworkCovariance, NetworkKernel
from geomflow.learn.kernels.operators import BlockOperator, FourierOperator, IdentityOperator, KernelOperator
from geomflow.learn.kernels.potential import PotentialKernel
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
from geomflow.learn.kernels.structures import Covariant, Kronecker, Symmetrised
from geomflow.learn.kernels.tangent import TangentKernel, drift
from geomflow.learn.kernels.wrapped import WrappedGaussianKernel

__all__ = [
    "BlockOperator",
    "CoordinateKernel",
    "Covariant",
    "CutOffKernel",
    "DeltaKernel",
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
    "chordal_distance",
    "drift",
    "effective_dimension",
    "eigenvalues",
    "euclidean_distance",
    "geodesic_distance",
    "kernel_alignment",
    "monte_carlo",
    "operator_alignment",
    "operator_eigenvalues",
    "participation_ratio",
    "reference_rescaled",
    "smallest_eigenvalue",
    "torus_distance",
]
