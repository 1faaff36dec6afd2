"""Models made from another model: plus a reference metric, times a function, or linearised in the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.monomials import Index
from geomflow.field.lattice import FlatTorus
from geomflow.networks.jets import Jet, leibniz, leibniz_adjoint
from geomflow.networks.model import Model
from geomflow.networks.network import Layout
from geomflow.networks.target import ClosedForm, Target, closed_matrix, closed_scalar


class WrappedModel(Model):
    """A model with the torus, parameters and kind of values of another, `model`, whose every method it has.

    Subclasses say what differs: `_inner` at which parameters the inner model is taken, or the methods themselves.
    """

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

    def _inner(self, parameters: np.ndarray) -> np.ndarray:
        """The parameters at which the inner model is differentiated."""
        return parameters

    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Those of the inner model."""
        return self.model.values(self._inner(parameters), x)

    def jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """That of the inner model."""
        return self.model.jvp(self._inner(parameters), x, direction)

    def vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """That of the inner model."""
        return self.model.vjp(self._inner(parameters), x, cotangent)

    def jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """That of the inner model."""
        return self.model.jacobian(self._inner(parameters), x)

    def tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """That of the inner model."""
        return self.model.tangent_kernel(self._inner(parameters), x, y)

    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """Those of the inner model."""
        return self.model.jets(self._inner(parameters), x, order)

    def jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, order: int) -> Jet:
        """Those of the inner model."""
        return self.model.jets_jvp(self._inner(parameters), x, direction, order)

    def jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: Mapping[Index, np.ndarray]) -> np.ndarray:
        """That of the inner model."""
        return self.model.jets_vjp(self._inner(parameters), x, cotangents)


def checked_model(model: Any) -> Model:
    """The model itself, or InputError."""
    if not isinstance(model, Model):
        raise InputError(f"a model is needed here, and {model!r} was given: use IndependentComponents(torus, network), "
                         "PotentialModel(torus, network) or another model.")
    return model


@final
@dataclass(frozen=True, eq=False, repr=False)
class Correction(WrappedModel):
    """g = g_ref + (the metric of `model`).

    The reference is evaluated anywhere, with its derivatives unless it is a callable. Raises InputError for a metric
    field (known on its grid only), and for a potential model (it has its own reference).

    Parameters
    ----------
    reference : (d, d) text or sympy, Metric, (d, d) array, callable of the coordinates, or None
        g_ref; None is the flat metric δ.
    model : Model
        A model of real metrics.
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

    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """The sum of both jets."""
        x = self.checked_points(x)
        known = self.form.jets(x, order)
        return {index: known[index] + value for index, value in self.model.jets(parameters, x, order).items()}

    def __repr__(self) -> str:
        what = "the flat metric" if self.reference is None else "a reference metric"
        return f"{what} plus {self.model!r}"


@final
@dataclass(frozen=True, eq=False, repr=False)
class Rescaled(WrappedModel):
    """f̃(x) = α(x) f(x) for the values f of `model`: the rescaling trick of Halverson and Ruehle, eq. (2.15).

    Its tangent kernel is Θ̃(x, x') = α(x) α(x') Θ(x, x'), eq. (2.16). The reference form of a potential model is not
    scaled, the reference of a `Correction` is; scale the corrected model instead where that is not meant.

    Parameters
    ----------
    model : Model
        f.
    alpha : str, float, sympy.Expr or callable of the coordinates
        α; a callable has values only, where input derivatives need text.
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

    def _at(self, x: np.ndarray, more: int = 0) -> np.ndarray:
        """α at the points, (p, 1, ...): as many axes as the values have, and `more`."""
        return self.factor.values(self.checked_points(x)).reshape(-1, *(1,) * (len(self.shape) + more))

    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """α f."""
        return self._at(x) * self.model.values(parameters, x)

    def jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """α times the inner one."""
        return self._at(x) * self.model.jvp(parameters, x, direction)

    def vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """The inner one at α D."""
        return self.model.vjp(parameters, x, self._at(x) * cotangent)

    def jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """α times the inner one."""
        result = self.model.jacobian(parameters, x)
        result *= self._at(x, 1)
        return result

    def tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """α(x) α(y) Θ(x, y), eq. (2.16)."""
        result = self.model.tangent_kernel(parameters, x, y)
        axes = len(self.shape)
        result *= self._at(x, axes + 1)
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


@final
@dataclass(frozen=True, eq=False, repr=False)
class Linearised(WrappedModel):
    """g^L(x) = g(x)|_{θ_0} + (θ_I − θ_{0,I}) ∂g(x)/∂θ_I|_{θ_0}: Halverson and Ruehle, eq. (2.10).

    Its tangent kernel is that of `model` at θ_0 for all parameters, eq. (2.11). Raises ShapeError or NotFiniteError for
    parameters that are not the model's.

    Parameters
    ----------
    model : Model
        g.
    at : (size,) array
        θ_0.
    """

    model: Model
    at: np.ndarray

    def __post_init__(self) -> None:
        start = np.array(checked_model(self.model).checked_parameters(self.at))
        start.flags.writeable = False
        object.__setattr__(self, "at", start)

    def _inner(self, parameters: np.ndarray) -> np.ndarray:
        return self.at

    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """g(θ_0) + ∂g/∂θ (θ − θ_0)."""
        return self.model.values(self.at, x) + self.model.jvp(self.at, x, np.subtract(parameters, self.at))

    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """The jets at θ_0 plus their rates along θ − θ_0."""
        rates = self.model.jets_jvp(self.at, x, np.subtract(parameters, self.at), order)
        return {index: value + rates[index] for index, value in self.model.jets(self.at, x, order).items()}

    def __repr__(self) -> str:
        return f"{self.model!r}, linearised"
