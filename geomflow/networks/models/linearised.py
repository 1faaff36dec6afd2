"""A model replaced by its first-order expansion in the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from geomflow.networks.models.model import Model
from geomflow.networks.models.series import Index, Jet
from geomflow.networks.models.wrapped import WrappedModel, checked_model


@final
@dataclass(frozen=True, eq=False, repr=False)
class Linearised(WrappedModel):
    """g^L(x) = g(x)|_{θ_0} + (θ_I − θ_{0,I}) ∂g(x)/∂θ_I|_{θ_0}: Halverson and Ruehle, eq. (2.10).

    `at` is θ_0 (size,). Its tangent kernel is that of `model` at θ_0 for all parameters, eq. (2.11).
    Raises ShapeError or NotFiniteError for parameters that are not the model's.
    """

    model: Model
    at: np.ndarray

    def __post_init__(self) -> None:
        start = np.array(checked_model(self.model).checked_parameters(self.at))
        start.flags.writeable = False
        object.__setattr__(self, "at", start)

    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """g(θ_0) + ∂g/∂θ (θ − θ_0)."""
        return self.model.values(self.at, x) + self.model.jvp(self.at, x, np.subtract(parameters, self.at))

    def jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """That of the model at θ_0."""
        return self.model.jvp(self.at, x, direction)

    def vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """That of the model at θ_0."""
        return self.model.vjp(self.at, x, cotangent)

    def jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """That of the model at θ_0."""
        return self.model.jacobian(self.at, x)

    def tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """That of the model at θ_0, eq. (2.11)."""
        return self.model.tangent_kernel(self.at, x, y)

    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """The jets at θ_0 plus their rates along θ − θ_0."""
        rates = self.model.jets_jvp(self.at, x, np.subtract(parameters, self.at), order)
        return {index: value + rates[index] for index, value in self.model.jets(self.at, x, order).items()}

    def jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, order: int) -> Jet:
        """Those of the model at θ_0."""
        return self.model.jets_jvp(self.at, x, direction, order)

    def jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: Mapping[Index, np.ndarray]) -> np.ndarray:
        """That of the model at θ_0."""
        return self.model.jets_vjp(self.at, x, cotangents)

    def __repr__(self) -> str:
        return f"{self.model!r}, linearised"
