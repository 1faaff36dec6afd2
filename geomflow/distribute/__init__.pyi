from .connect import (
    ClusterError as ClusterError, SchedulerNotFoundError as SchedulerNotFoundError,
    VersionMismatchError as VersionMismatchError, WorkersLostError as WorkersLostError,
)
from .dask_workers import DaskWorkers as DaskWorkers, as_workers as as_workers, local_workers as local_workers
from .workers import Here as Here, IN_SEQUENCE as IN_SEQUENCE, ON_THREADS as ON_THREADS, Workers as Workers
