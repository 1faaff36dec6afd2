"""Every study by its name."""

from __future__ import annotations

from geomflow.study.architectures import Architectures
from geomflow.study.baseline import Baseline
from geomflow.study.clustering_cost import ClusteringCost
from geomflow.study.corrections import Corrections
from geomflow.study.ensemble import Ensemble
from geomflow.study.feature_learning import FeatureLearning
from geomflow.study.figure2 import Figure2
from geomflow.study.figure3 import Figure3
from geomflow.study.generalisation import Generalisation
from geomflow.study.lazy_to_rich import LazyToRich
from geomflow.study.local_limit import LocalLimit
from geomflow.study.locality import Locality
from geomflow.study.mixing import Mixing
from geomflow.study.scaling import Scaling
from geomflow.study.study import Study
from geomflow.study.table1 import Table1
from geomflow.study.width import Width

STUDIES: dict[str, type[Study]] = {kind.name: kind for kind in (
    LocalLimit, Width, Ensemble, Locality, Mixing, Corrections, Figure2, Figure3, Table1, Scaling, ClusteringCost,
    Baseline, FeatureLearning, LazyToRich, Generalisation, Architectures,
)}  # fmt: skip
