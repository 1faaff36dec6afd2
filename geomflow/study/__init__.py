"""Studies: the claims about metric flows of networks, each put to the test by runs, with data, a figure and a page.

>>> sorted(STUDIES)
['local-limit']
"""

from geomflow.study.findings import Findings
from geomflow.study.local_limit import LocalLimit
from geomflow.study.running import run_study
from geomflow.study.study import Study

STUDIES: dict[str, type[Study]] = {kind.name: kind for kind in (LocalLimit,)}

__all__ = ["STUDIES", "Findings", "LocalLimit", "Study", "run_study"]
