from .architectures import Architectures as Architectures
from .baseline import Baseline as Baseline
from .clustering_cost import ClusteringCost as ClusteringCost
from .corrections import Corrections as Corrections
from .ensemble import Ensemble as Ensemble
from .feature_learning import FeatureLearning as FeatureLearning
from .figure2 import Figure2 as Figure2
from .figure3 import Figure3 as Figure3
from .generalisation import Generalisation as Generalisation
from .lazy_to_rich import LazyToRich as LazyToRich
from .local_limit import LocalLimit as LocalLimit
from .locality import Locality as Locality
from .mixing import Mixing as Mixing
from .scaling import Scaling as Scaling
from .study import Findings as Findings, Study as Study, run_study as run_study
from .table1 import Table1 as Table1
from .width import Width as Width
from .studies import STUDIES as STUDIES
