"""The same work spread over a Dask cluster, with the same results, bit for bit on processors of one kind.

>>> with as_workers(None) as workers:  # None: this process; 2: two local ones; "tcp://host:8786": a cluster
...     workers.map(pow, [2, 3], [5, 2])
[32, 9]
"""

from geomflow.distribute.choose import as_workers, local_workers
from geomflow.distribute.connect import (
    ClusterError,
    SchedulerNotFoundError,
    VersionMismatchError,
    WorkersLostError,
)
from geomflow.distribute.dask_workers import DaskWorkers
from geomflow.distribute.workers import IN_SEQUENCE, ON_THREADS, Here, Workers

__all__ = [
    "IN_SEQUENCE", "ON_THREADS", "ClusterError", "DaskWorkers", "Here", "SchedulerNotFoundError",
    "VersionMismatchError", "Workers", "WorkersLostError", "as_workers", "local_workers",
]  # fmt: skip
