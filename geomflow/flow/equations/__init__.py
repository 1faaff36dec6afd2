"""The equations, one idea a file, and `Flow`, what they all are."""

from geomflow.flow.equations.calabi import CalabiFlow
from geomflow.flow.equations.conformal import ConformalRicciFlow
from geomflow.flow.equations.conjugate_heat import ConjugateHeatFlow
from geomflow.flow.equations.derived import Descent
from geomflow.flow.equations.expression import ExpressionFlow
from geomflow.flow.equations.kahler_ricci import KahlerRicciFlow
from geomflow.flow.equations.perelman_form import PerelmanForm, perelman_form
from geomflow.flow.equations.perelman_rates import index_structures
from geomflow.flow.equations.ricci import RicciFlow
from geomflow.flow.flow import Flow

__all__ = [
    "CalabiFlow", "ConformalRicciFlow", "ConjugateHeatFlow", "Descent", "ExpressionFlow", "Flow",
    "KahlerRicciFlow", "PerelmanForm", "RicciFlow", "index_structures", "perelman_form",
]
