"""What models made from another model share."""

from __future__ import annotations

from typing import Any

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.lattice import FlatTorus
from geomflow.networks.layout import Layout
from geomflow.networks.models.model import Model
from geomflow.networks.models.target import Target


class WrappedModel(Model):
    """A model with the parameters, the torus and the kind of values of another one, `model`."""

    model: Model

    @property
    def torus(self) -> FlatTorus:  # type: ignore[override]
        """The torus of the inner model."""
        return self.model.torus

    @property
    def target(self) -> Target:
        """What the inner model's values are."""
        return self.model.target

    @property
    def kinked(self) -> bool:
        """Whether the inner model is."""
        return self.model.kinked

    @property
    def layout(self) -> Layout:
        """The inner model's parameters."""
        return self.model.layout

    def initial(self, seed: Any) -> np.ndarray:
        """The inner model's random parameters."""
        return self.model.initial(seed)


def checked_model(model: Any) -> Model:
    """The model itself, or InputError."""
    if not isinstance(model, Model):
        raise InputError(f"a model is needed here, and {model!r} was given: use IndependentComponents(torus, network), "
                         "PotentialModel(torus, network) or another model.")
    return model
