"""geomflow: from an exact geometry to a running flow.

The public names below load their floor on first touch, so that importing the package is immediate;
sympy, numba and matplotlib are imported only by what needs them.
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomflow.core.files import own_folder, user_cache

__version__ = "0.1.0"

# Public name -> module that defines it.
_HOME = {
    "Chart": "geomflow.symbolic",
    "ComplexChart": "geomflow.symbolic",
    "Metric": "geomflow.symbolic",
    "KahlerMetric": "geomflow.symbolic",
    "compile": "geomflow.codegen",
    "Torus": "geomflow.field",
    "ComplexTorus": "geomflow.field",
    "RicciFlow": "geomflow.flow.equations",
    "ConformalRicciFlow": "geomflow.flow.equations",
    "KahlerRicciFlow": "geomflow.flow.equations",
    "CalabiFlow": "geomflow.flow.equations",
    "ConjugateHeatFlow": "geomflow.flow.equations",
    "FormFlow": "geomflow.fits",
    "Descent": "geomflow.flow.equations",
    "perelman_form": "geomflow.flow.equations",
    "Flow": "geomflow.flow.equations",
    "solve": "geomflow.flow",
    "load": "geomflow.flow",
    "Solution": "geomflow.flow",
    "RK4": "geomflow.flow",
    "RK23": "geomflow.flow",
    "RK45": "geomflow.flow",
    "RKC": "geomflow.flow",
    "SemiImplicit": "geomflow.flow",
    "ROS2": "geomflow.flow",
    "ROS34PW2": "geomflow.flow",
    "ScipyStiff": "geomflow.flow",
    "ErrorControl": "geomflow.flow",
    "FixedStep": "geomflow.flow",
    "CurvatureBlowUp": "geomflow.flow",
    "PositivityLoss": "geomflow.flow",
    "SteadyState": "geomflow.flow",
    "Event": "geomflow.flow",
    "Fermat": "geomflow.variety",
    "Dwork": "geomflow.variety",
    "Hypersurface": "geomflow.variety",
    "Points": "geomflow.variety",
    "FubiniStudy": "geomflow.variety",
    "form_family": "geomflow.fits",
    "algebraic_metric": "geomflow.fits",
    "balanced_metric": "geomflow.fits",
    "sigma": "geomflow.variety",
    "NetworkKernel": "geomflow.kernels",
    "GaussianKernel": "geomflow.kernels",
    "DeltaKernel": "geomflow.kernels",
    "KernelFlow": "geomflow.tangent",
    "GradientFlow": "geomflow.tangent",
    "LinearisedFlow": "geomflow.tangent",
    "Training": "geomflow.tangent",
    "phi_metric": "geomflow.fits",
    "load_metric": "geomflow.fits",
    "load_points": "geomflow.variety",
    "local_workers": "geomflow.distribute",
    "GeomflowError": "geomflow.core.errors",
    "Outcome": "geomflow.core.outcome",
    "OutcomeKind": "geomflow.core.outcome",
}

# Modules that are public as they are: gf.plot.monitors, gf.catalogue, ...
_MODULES = {
    "catalogue": "geomflow.symbolic.catalogue",
    "conventions": "geomflow.core.conventions",
    "fits": "geomflow.fits",
    "functionals": "geomflow.symbolic.functionals",
    "kernels": "geomflow.kernels",
    "networks": "geomflow.networks",
    "plot": "geomflow.plot",
    "study": "geomflow.study",
    "tangent": "geomflow.tangent",
    "variety": "geomflow.variety",
}

__all__ = ["__version__", *_HOME, *_MODULES]

if TYPE_CHECKING:
    from geomflow import fits as fits
    from geomflow import kernels as kernels
    from geomflow import networks as networks
    from geomflow import plot as plot
    from geomflow import study as study
    from geomflow import tangent as tangent
    from geomflow import variety as variety
    from geomflow.codegen.points import compile as compile
    from geomflow.core import conventions as conventions
    from geomflow.core.errors import GeomflowError as GeomflowError
    from geomflow.core.outcome import Outcome as Outcome
    from geomflow.core.outcome import OutcomeKind as OutcomeKind
    from geomflow.distribute import local_workers as local_workers
    from geomflow.field import ComplexTorus as ComplexTorus
    from geomflow.field import Torus as Torus
    from geomflow.fits import FormFlow as FormFlow
    from geomflow.fits import algebraic_metric as algebraic_metric
    from geomflow.fits import balanced_metric as balanced_metric
    from geomflow.fits import form_family as form_family
    from geomflow.fits import load_metric as load_metric
    from geomflow.fits import phi_metric as phi_metric
    from geomflow.flow import RK4 as RK4
    from geomflow.flow import RK23 as RK23
    from geomflow.flow import RK45 as RK45
    from geomflow.flow import RKC as RKC
    from geomflow.flow import ROS2 as ROS2
    from geomflow.flow import ROS34PW2 as ROS34PW2
    from geomflow.flow import CurvatureBlowUp as CurvatureBlowUp
    from geomflow.flow import ErrorControl as ErrorControl
    from geomflow.flow import Event as Event
    from geomflow.flow import FixedStep as FixedStep
    from geomflow.flow import PositivityLoss as PositivityLoss
    from geomflow.flow import ScipyStiff as ScipyStiff
    from geomflow.flow import SemiImplicit as SemiImplicit
    from geomflow.flow import Solution as Solution
    from geomflow.flow import SteadyState as SteadyState
    from geomflow.flow import load as load
    from geomflow.flow import solve as solve
    from geomflow.flow.equations import CalabiFlow as CalabiFlow
    from geomflow.flow.equations import ConformalRicciFlow as ConformalRicciFlow
    from geomflow.flow.equations import ConjugateHeatFlow as ConjugateHeatFlow
    from geomflow.flow.equations import Descent as Descent
    from geomflow.flow.equations import Flow as Flow
    from geomflow.flow.equations import KahlerRicciFlow as KahlerRicciFlow
    from geomflow.flow.equations import RicciFlow as RicciFlow
    from geomflow.flow.equations import perelman_form as perelman_form
    from geomflow.kernels import DeltaKernel as DeltaKernel
    from geomflow.kernels import GaussianKernel as GaussianKernel
    from geomflow.kernels import NetworkKernel as NetworkKernel
    from geomflow.symbolic import Chart as Chart
    from geomflow.symbolic import ComplexChart as ComplexChart
    from geomflow.symbolic import KahlerMetric as KahlerMetric
    from geomflow.symbolic import Metric as Metric
    from geomflow.symbolic import catalogue as catalogue
    from geomflow.symbolic import functionals as functionals
    from geomflow.tangent import GradientFlow as GradientFlow
    from geomflow.tangent import KernelFlow as KernelFlow
    from geomflow.tangent import LinearisedFlow as LinearisedFlow
    from geomflow.tangent import Training as Training
    from geomflow.variety import Dwork as Dwork
    from geomflow.variety import Fermat as Fermat
    from geomflow.variety import FubiniStudy as FubiniStudy
    from geomflow.variety import Hypersurface as Hypersurface
    from geomflow.variety import Points as Points
    from geomflow.variety import load_points as load_points
    from geomflow.variety import sigma as sigma


def _keep_compiled_functions() -> None:
    """Where this package cannot be written to, let Numba keep its machine code in the user's own folder for caches.

    By itself Numba would take a folder that others may write to, or "~" in the working folder of one without a home.
    """
    package = Path(__file__).parent
    if os.environ.get("NUMBA_CACHE_DIR") or os.access(package, os.W_OK):
        return
    try:
        folder = str(own_folder(user_cache() / "numba"))
    except OSError:
        folder = tempfile.mkdtemp(prefix="geomflow-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = folder
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = folder


_keep_compiled_functions()


def __getattr__(name: str) -> Any:
    """Load a public name on first touch (PEP 562) and remember it."""
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(_MODULES[name])
    else:
        raise AttributeError(f"module 'geomflow' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Every public name, loaded or not."""
    return sorted(set(globals()) | set(__all__))
