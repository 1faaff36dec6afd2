from .algebraic import algebraic_metric as algebraic_metric
from .balanced import balanced_metric as balanced_metric
from .component_flow import ComponentFlow as ComponentFlow
from .component_metric import ComponentMetric as ComponentMetric
from .rates import (
    ConstantRate as ConstantRate, FallingRate as FallingRate, PointwiseRate as PointwiseRate, Rate as Rate,
)
from .convergence import Convergence as Convergence, convergence as convergence
from .family import FormFamily as FormFamily, FormState as FormState
from .components import ComponentTraining as ComponentTraining, component_network as component_network
from .components import ComponentNetwork as ComponentNetwork
from .fit import Fit as Fit, FitState as FitState
from .flowed_metric import FlowedMetric as FlowedMetric, flowed_metric as flowed_metric
from .folder import MetricFolder as MetricFolder
from .form_flow import FormFlow as FormFlow, decay_rate as decay_rate, form_family as form_family
from .invariant_features import InvariantFeatures as InvariantFeatures
from .invariant_kernel import InvariantKernel as InvariantKernel
from .kernel_descent import (
    DescentMethod as DescentMethod, KernelDescent as KernelDescent, NaturalDescent as NaturalDescent,
    RidgeFit as RidgeFit,
)
from .kernel_fit import (
    frozen_fit as frozen_fit, kernel_metric as kernel_metric, tuned_metric as tuned_metric,
)
from .ladder import (
    Climbed as Climbed, DegreeFit as DegreeFit, DegreeLadder as DegreeLadder, climb as climb, degrees_to as degrees_to,
)
from .learned import (
    KernelNumbers as KernelNumbers, KernelWatch as KernelWatch, feature_network as feature_network,
    feature_training as feature_training, learned_kernel as learned_kernel,
)
from .orbit_kernel import Isometries as Isometries, OrbitKernel as OrbitKernel
from .overlap_kernel import OverlapKernel as OverlapKernel
from .projective import ProjectiveInputs as ProjectiveInputs
from .phi_network import PhiNetwork as PhiNetwork
from .phi_steps import AdamStep as AdamStep, GaussNewton as GaussNewton
from .phi_training import PhiTraining as PhiTraining, Recipe as Recipe, phi_metric as phi_metric
from .potential_span import KahlerKernel as KahlerKernel, KernelMetric as KernelMetric, PotentialSpan as PotentialSpan
from .profiles import (
    ArcCosine as ArcCosine, Exponential as Exponential, Power as Power, PowerSeries as PowerSeries, Profile as Profile,
)
from .span import LinearSpan as LinearSpan
from .span_potentials import SpanPotentials as SpanPotentials
from .tangent_features import (
    ComponentTangent as ComponentTangent, FrozenComponents as FrozenComponents, PotentialTangent as PotentialTangent,
    tangent_span as tangent_span,
)
from .store import load_metric as load_metric
from .trials import (
    LinearRange as LinearRange, LogRange as LogRange, Range as Range, Score as Score, Space as Space, Trial as Trial,
    Tuning as Tuning,
)
from .tuning import RaisedScoreWarning as RaisedScoreWarning, tune as tune
