from .calabi import CalabiFlow as CalabiFlow
from .conformal import ConformalRicciFlow as ConformalRicciFlow
from .conjugate_heat import ConjugateHeatFlow as ConjugateHeatFlow
from .derived import Descent as Descent
from .expression import ExpressionFlow as ExpressionFlow, Flow as Flow
from .kahler_ricci import KahlerRicciFlow as KahlerRicciFlow
from .perelman import PerelmanForm as PerelmanForm, perelman_form as perelman_form
from .perelman_rates import index_structures as index_structures
from .ricci import RicciFlow as RicciFlow
