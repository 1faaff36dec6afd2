"""Errors of the variety floor."""

from __future__ import annotations

from geomflow.core.errors import InputError


class HomogeneityError(InputError):
    """A polynomial is not homogeneous in each factor's coordinates."""


class DegreeError(InputError):
    """A hypersurface has non-vanishing first Chern class."""


class SingularError(InputError):
    """A hypersurface has singular points."""


class OffVarietyError(InputError):
    """Points do not satisfy Q = 0."""


class UnderdeterminedError(InputError):
    """A fit has fewer points than parameters."""


class KahlerConeError(InputError):
    """A metric is not positive: a fit or a form left the Kähler cone."""


class UnreliableSampleWarning(UserWarning):
    """A few points carry most of a sample, or some are missing: its averages may be off by more than their errors."""


class VolumeWarning(UserWarning):
    """A metric does not have the volume of its class on the points, by far more than the error there."""
