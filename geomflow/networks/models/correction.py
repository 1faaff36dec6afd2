"""A reference metric plus a network's correction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.networks.models.closed import ClosedForm, closed_matrix
from geomflow.networks.models.model import Model
from geomflow.networks.models.series import Index, Jet
from geomflow.networks.models.wrapped import WrappedModel, checked_model


@final
@dataclass(frozen=True, eq=False, repr=False)
class Correction(WrappedModel):
    """g = g_ref + (the metric of `model`).

    `reference` is d×d closed forms (text or sympy), an exact `Metric`, a constant matrix or a callable of the
    coordinates; None is the flat metric δ. It is evaluated anywhere, with its derivatives unless it is a callable.
    Raises InputError for a metric field (known on its grid only), and for a potential model (it has its own reference).
    """

    reference: Any
    model: Model

    def __post_init__(self) -> None:
        if not checked_model(self.model).shape:
            raise InputError("a potential model has a reference form of its own: PotentialModel(torus, network, "
                             "reference=...).")
        self.form  # noqa: B018  reads the reference, which raises where it cannot be used

    @cached_property
    def form(self) -> ClosedForm:
        """The reference metric as a closed form."""
        size = self.torus.real_dim
        given = np.eye(size) if self.reference is None else self.reference
        return closed_matrix(self.torus, given, size, float, "the reference metric")

    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """g_ref + correction."""
        return self.form.values(self.checked_points(x)) + self.model.values(parameters, x)

    def jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """That of the correction."""
        return self.model.jvp(parameters, x, direction)

    def vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """That of the correction."""
        return self.model.vjp(parameters, x, cotangent)

    def jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """That of the correction."""
        return self.model.jacobian(parameters, x)

    def tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """That of the correction."""
        return self.model.tangent_kernel(parameters, x, y)

    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """The sum of both jets."""
        x = self.checked_points(x)
        known = self.form.jets(x, order)
        return {index: known[index] + value for index, value in self.model.jets(parameters, x, order).items()}

    def jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, order: int) -> Jet:
        """Those of the correction."""
        return self.model.jets_jvp(parameters, x, direction, order)

    def jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: Mapping[Index, np.ndarray]) -> np.ndarray:
        """That of the correction."""
        return self.model.jets_vjp(parameters, x, cotangents)

    def __repr__(self) -> str:
        what = "the flat metric" if self.reference is None else "a reference metric"
        return f"{what} plus {self.model!r}"
