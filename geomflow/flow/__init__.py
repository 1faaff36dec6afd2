"""Flows: one verb, `solve`; steppers, step controls, events and monitors."""

import lazy_loader

from geomflow.core.outcome import Outcome, OutcomeKind
from geomflow.io.store import Store

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["Outcome", "OutcomeKind", "Store"]
