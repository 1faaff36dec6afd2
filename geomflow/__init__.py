"""geomflow: from an exact geometry to a running flow.

The public names, which `__init__.pyi` lists, load their module on first touch, and so do those of the floors: importing
the package is immediate, and sympy, numba and matplotlib are imported only by what needs them.
"""

from pathlib import Path

import lazy_loader

from geomflow.core.files import keep_compiled_functions
from geomflow.core.notebook import VERBS

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

keep_compiled_functions(Path(__file__).parent)
VERBS.update(plot="plot.things:plot", thumbnail="plot.things:thumbnail", ansatz_grid="field.reduced.grid:make_grid",
             ansatz_steady="flow.solitons:ansatz_steady", ansatz_soliton="flow.solitons:ansatz_soliton",
             ansatz_complete_soliton="flow.solitons:ansatz_complete_soliton",
             toric_grid="field.toric.grid:make_grid", toric_einstein="flow.toric.steady:einstein",
             toric_soliton="flow.toric.steady:soliton", toric_extremal="flow.toric.steady:extremal")
