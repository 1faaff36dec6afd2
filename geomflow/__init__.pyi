from . import (
    fits as fits, kernels as kernels, networks as networks, plot as plot, study as study, tangent as tangent,
    testing as testing, variety as variety,
)
from .codegen import compile as compile
from .core import conventions as conventions
from .core.errors import GeomflowError as GeomflowError
from .core.outcome import Outcome as Outcome, OutcomeKind as OutcomeKind
from .distribute import local_workers as local_workers
from .field import ComplexTorus as ComplexTorus, Torus as Torus
from .fits import (
    FormFlow as FormFlow, algebraic_metric as algebraic_metric, balanced_metric as balanced_metric,
    flowed_metric as flowed_metric, form_family as form_family, load_metric as load_metric, phi_metric as phi_metric,
)
from .flow import (
    Contraction as Contraction, CurvatureBlowUp as CurvatureBlowUp, CurvatureGrowth as CurvatureGrowth,
    ErrorControl as ErrorControl, Event as Event, FixedStep as FixedStep, NeckRadius as NeckRadius,
    ClassBoundary as ClassBoundary, PositivityLoss as PositivityLoss, ResolutionLoss as ResolutionLoss,
    RK23 as RK23, RK4 as RK4, RK45 as RK45, RKC as RKC, ROS2 as ROS2,
    ROS34PW2 as ROS34PW2, Rosenbrock as Rosenbrock, ScipyStiff as ScipyStiff, SemiImplicit as SemiImplicit,
    Solution as Solution, SteadyState as SteadyState, Surgery as Surgery, fate as fate, load as load, solve as solve,
    steady as steady, threshold as threshold,
)
from .io import export as export
from .flow.equations import (
    CalabiFlow as CalabiFlow, ConformalRicciFlow as ConformalRicciFlow, ConjugateHeatFlow as ConjugateHeatFlow,
    Descent as Descent, Flow as Flow, KahlerRicciFlow as KahlerRicciFlow, RicciFlow as RicciFlow,
    perelman_form as perelman_form,
)
from .kernels import (
    DeltaKernel as DeltaKernel, GaussianKernel as GaussianKernel, InfiniteEnsemble as InfiniteEnsemble,
    MetricEnsemble as MetricEnsemble, NetworkKernel as NetworkKernel, PotentialEnsemble as PotentialEnsemble,
)
from .symbolic import (
    Ansatz as Ansatz, Chart as Chart, Circle as Circle, ComplexChart as ComplexChart, Interval as Interval,
    KahlerMetric as KahlerMetric, Metric as Metric, Span as Span, Toric as Toric, catalogue as catalogue,
    functionals as functionals,
)
from .tangent import (
    GradientFlow as GradientFlow, KernelFlow as KernelFlow, LinearisedFlow as LinearisedFlow, Training as Training,
)
from .variety import (
    Dwork as Dwork, Fermat as Fermat, FubiniStudy as FubiniStudy, Hypersurface as Hypersurface, Points as Points,
    function_space as function_space, load_points as load_points, quadrature as quadrature, sigma as sigma,
    spectrum as spectrum,
)

__version__: str
