"""Networks that represent metrics, their tangent kernels, and the flows these drive."""

from __future__ import annotations

from geomflow.learn.clouds import *  # noqa: F403
from geomflow.learn.clouds import __all__ as _clouds
from geomflow.learn.clustering import *  # noqa: F403
from geomflow.learn.clustering import __all__ as _clustering
from geomflow.learn.features import *  # noqa: F403
from geomflow.learn.features import __all__ as _features
from geomflow.learn.flows import *  # noqa: F403
from geomflow.learn.flows import __all__ as _flows
from geomflow.learn.kernels import *  # noqa: F403
from geomflow.learn.kernels import __all__ as _kernels
from geomflow.learn.load import load_metric
from geomflow.learn.models import *  # noqa: F403
from geomflow.learn.models import __all__ as _models
from geomflow.learn.networks import *  # noqa: F403
from geomflow.learn.networks import __all__ as _networks
from geomflow.learn.phi import *  # noqa: F403
from geomflow.learn.phi import __all__ as _phi
from geomflow.learn.potentials import *  # noqa: F403
from geomflow.learn.potentials import __all__ as _potentials
from geomflow.learn.tuning import *  # noqa: F403
from geomflow.learn.tuning import __all__ as _tuning

__all__ = [*_clouds, *_clustering, *_features, *_flows, *_kernels, *_models, *_networks, *_phi, *_potentials, *_tuning,
           "load_metric"]
