"""Any model times a given function of position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.networks.models.closed import ClosedForm, closed_scalar
from geomflow.networks.models.model import Model
from geomflow.networks.models.series import Index, Jet, leibniz, leibniz_adjoint
from geomflow.networks.models.wrapped import WrappedModel, checked_model


@final
@dataclass(frozen=True, eq=False, repr=False)
class Rescaled(WrappedModel):
    """f̃(x) = α(x) f(x) for the values f of `model`: the rescaling trick of Halverson and Ruehle, eq. (2.15).

    Its tangent kernel is Θ̃(x, x') = α(x) α(x') Θ(x, x'), eq. (2.16). `alpha` is text, a number, a sympy expression or a
    callable of the coordinates (values only: input derivatives need text). The reference form of a potential model is
    not scaled, the reference of a `Correction` is; scale the corrected model instead where that is not meant.
    """

    model: Model
    alpha: Any

    def __post_init__(self) -> None:
        checked_model(self.model)
        self.factor  # noqa: B018  reads α, which raises where it cannot be used

    @cached_property
    def factor(self) -> ClosedForm:
        """α as a closed form."""
        return closed_scalar(self.torus, self.alpha, "the scale factor")

    def _at(self, x: np.ndarray, trailing: int) -> np.ndarray:
        return self.factor.values(self.checked_points(x)).reshape(-1, *(1,) * trailing)

    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """α f."""
        return self._at(x, len(self.shape)) * self.model.values(parameters, x)

    def jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """α times the inner one."""
        return self._at(x, len(self.shape)) * self.model.jvp(parameters, x, direction)

    def vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """The inner one at α D."""
        return self.model.vjp(parameters, x, self._at(x, len(self.shape)) * cotangent)

    def jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """α times the inner one."""
        result = self.model.jacobian(parameters, x)
        result *= self._at(x, len(self.shape) + 1)
        return result

    def tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """α(x) α(y) Θ(x, y), eq. (2.16)."""
        result = self.model.tangent_kernel(parameters, x, y)
        axes = 2 * len(self.shape)
        result *= self._at(x, 1 + axes)
        result *= self._at(x if y is None else y, axes)[None]
        return result

    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """Leibniz' rule for α f."""
        inner = self.model.jets(parameters, x, order)
        return leibniz(self.factor.jets(self.checked_points(x), order), inner, _times, inner)

    def jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, order: int) -> Jet:
        """Leibniz' rule for α δf."""
        inner = self.model.jets_jvp(parameters, x, direction, order)
        return leibniz(self.factor.jets(self.checked_points(x), order), inner, _times, inner)

    def jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: Mapping[Index, np.ndarray]) -> np.ndarray:
        """The adjoint of Leibniz' rule, then the inner one."""
        order = max((sum(index) for index in cotangents), default=0)
        alpha = self.factor.jets(self.checked_points(x), order)
        return self.model.jets_vjp(parameters, x, leibniz_adjoint(alpha, cotangents, _times))

    def __repr__(self) -> str:
        return f"{self.alpha if isinstance(self.alpha, str | int | float) else 'α'} times {self.model!r}"


def _times(alpha: np.ndarray, value: np.ndarray) -> np.ndarray:
    return alpha.reshape(-1, *(1,) * (value.ndim - 1)) * value
