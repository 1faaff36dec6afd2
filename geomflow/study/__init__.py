"""Studies: the claims about metric flows of networks, each put to the test by runs, with data, a figure and a page.

>>> sorted(STUDIES)
['corrections', 'local-limit', 'locality', 'mixing', 'width']
"""

from geomflow.study.corrections import Corrections
from geomflow.study.findings import Findings
from geomflow.study.local_limit import LocalLimit
from geomflow.study.locality import Locality
from geomflow.study.mixing import Mixing
from geomflow.study.running import run_study
from geomflow.study.study import Study
from geomflow.study.width import Width

STUDIES: dict[str, type[Study]] = {kind.name: kind for kind in (LocalLimit, Width, Locality, Mixing, Corrections)}

__all__ = [
    "STUDIES", "Corrections", "Findings", "LocalLimit", "Locality", "Mixing", "Study", "Width", "run_study",
]  # fmt: skip
