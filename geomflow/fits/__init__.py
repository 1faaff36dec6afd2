"""Metrics on varieties: algebraic, balanced, of networks, of kernels, and flows within families."""

from geomflow.fits.algebraic import FitReport, algebraic_metric
from geomflow.fits.balanced import balanced_metric
from geomflow.fits.clouds.flow import ComponentFlow
from geomflow.fits.clouds.metric import ComponentMetric
from geomflow.fits.clouds.rates import ConstantRate, FallingRate, PointwiseRate, Rate
from geomflow.fits.clouds.report import CloudReport
from geomflow.fits.convergence import Convergence, convergence
from geomflow.fits.family import FormFamily, FormState, form_family
from geomflow.fits.features.component_training import ComponentTraining, component_network
from geomflow.fits.features.components import ComponentNetwork, ComponentReport
from geomflow.fits.fit import Fit, FitState
from geomflow.fits.folder import MetricFolder
from geomflow.fits.form_flow import FormFlow, decay_rate
from geomflow.fits.invariant_kernel import InvariantFeatures, InvariantKernel
from geomflow.fits.kernel_descent import DescentMethod, KernelDescent, NaturalDescent, RidgeFit
from geomflow.fits.kernel_fit import FrozenReport, KernelReport, frozen_fit, kernel_metric, tuned_metric
from geomflow.fits.ladder import Climbed, DegreeFit, DegreeLadder, climb, degrees_to
from geomflow.fits.learned import KernelNumbers, KernelWatch, feature_network, feature_training, learned_kernel
from geomflow.fits.orbit_kernel import Isometries, OrbitKernel
from geomflow.fits.overlap_kernel import OverlapKernel
from geomflow.fits.phi.inputs import ProjectiveInputs
from geomflow.fits.phi.metric import PhiNetwork
from geomflow.fits.phi.report import PhiReport
from geomflow.fits.phi.steps import AdamStep, GaussNewton
from geomflow.fits.phi.training import PhiTraining, Recipe, phi_metric
from geomflow.fits.potential_span import KahlerKernel, KernelMetric, PotentialSpan
from geomflow.fits.profiles import ArcCosine, Exponential, Power, Profile
from geomflow.fits.span import LinearSpan
from geomflow.fits.tangent_features import ComponentTangent, FrozenComponents, PotentialTangent, tangent_span
from geomflow.fits.trials import LinearRange, LogRange, Range, Score, Space, Trial, Tuning
from geomflow.fits.tuning import RaisedScoreWarning, tune
from geomflow.variety.store import load_metric

__all__ = [
    "AdamStep",
    "ArcCosine",
    "Climbed",
    "CloudReport",
    "ComponentFlow",
    "ComponentMetric",
    "ComponentNetwork",
    "ComponentReport",
    "ComponentTangent",
    "ComponentTraining",
    "ConstantRate",
    "Convergence",
    "DegreeFit",
    "DegreeLadder",
    "DescentMethod",
    "Exponential",
    "FallingRate",
    "Fit",
    "FitReport",
    "FitState",
    "FormFamily",
    "FormFlow",
    "FormState",
    "FrozenComponents",
    "FrozenReport",
    "GaussNewton",
    "InvariantFeatures",
    "InvariantKernel",
    "Isometries",
    "KahlerKernel",
    "KernelDescent",
    "KernelMetric",
    "KernelNumbers",
    "KernelReport",
    "KernelWatch",
    "LinearRange",
    "LinearSpan",
    "LogRange",
    "MetricFolder",
    "NaturalDescent",
    "OrbitKernel",
    "OverlapKernel",
    "PhiNetwork",
    "PhiReport",
    "PhiTraining",
    "PointwiseRate",
    "PotentialSpan",
    "PotentialTangent",
    "Power",
    "Profile",
    "ProjectiveInputs",
    "RaisedScoreWarning",
    "Range",
    "Rate",
    "Recipe",
    "RidgeFit",
    "Score",
    "Space",
    "Trial",
    "Tuning",
    "algebraic_metric",
    "balanced_metric",
    "climb",
    "component_network",
    "convergence",
    "decay_rate",
    "degrees_to",
    "feature_network",
    "feature_training",
    "form_family",
    "frozen_fit",
    "kernel_metric",
    "learned_kernel",
    "load_metric",
    "phi_metric",
    "tangent_span",
    "tune",
    "tuned_metric",
]
