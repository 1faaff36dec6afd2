"""What can go wrong with a cluster."""

from __future__ import annotations

from geomflow.core.errors import GeomflowError


class ClusterError(GeomflowError, ConnectionError):
    """A cluster cannot be reached or used."""


class SchedulerNotFoundError(ClusterError):
    """There is no scheduler at an address."""


class VersionMismatchError(ClusterError):
    """Workers run other versions than this process, so that their numbers may differ or their messages not be read."""


class WorkersLostError(ClusterError):
    """Nobody is left to do the tasks."""
