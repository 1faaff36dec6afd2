"""Studies: the claims about metric flows of networks, each put to the test by runs, with data, a figure and a page.

>>> sorted(STUDIES)
['baseline', 'clustering-cost', 'corrections', 'feature-learning', 'figure2', 'figure3', 'generalisation',
 'local-limit', 'locality', 'mixing', 'scaling', 'table1', 'width']
"""

from geomflow.study.baseline import Baseline
from geomflow.study.clustering_cost import ClusteringCost
from geomflow.study.corrections import Corrections
from geomflow.study.feature_learning import FeatureLearning
from geomflow.study.figure2 import Figure2
from geomflow.study.figure3 import Figure3
from geomflow.study.study import Findings
from geomflow.study.generalisation import Generalisation
from geomflow.study.local_limit import LocalLimit
from geomflow.study.locality import Locality
from geomflow.study.mixing import Mixing
from geomflow.study.study import run_study
from geomflow.study.scaling import Scaling
from geomflow.study.study import Study
from geomflow.study.table1 import Table1
from geomflow.study.width import Width

STUDIES: dict[str, type[Study]] = {kind.name: kind for kind in (
    LocalLimit, Width, Locality, Mixing, Corrections, Figure2, Figure3, Table1, Scaling, ClusteringCost,
    Baseline, FeatureLearning, Generalisation,
)}  # fmt: skip

__all__ = [
    "STUDIES", "Baseline", "ClusteringCost", "Corrections", "FeatureLearning", "Figure2", "Figure3", "Findings",
    "Generalisation", "LocalLimit", "Locality", "Mixing", "Scaling", "Study", "Table1", "Width", "run_study",
]  # fmt: skip
