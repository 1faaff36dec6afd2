"""A network, or a metric, that is the user's own function, differentiated by autograd."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, final

import numpy as np

from geomflow.core.monomials import Index
from geomflow.networks.jets import Series
from geomflow.networks.network_model import LinearHead, MetricModel
from geomflow.networks.written import WrittenNetwork


@final
class AutogradNetwork(WrittenNetwork):
    """f(views, x), written with `autograd.numpy`: a dictionary of named arrays and points (p, inputs) to (p, outputs).

     Each point must be treated by itself: row p of the result depends on row p of x only. What other networks do by
     hand is done by reverse-mode automatic differentiation here, nested for jets: general and slow, for trying a model.
     Raises `ShapeError` where the function returns another shape, and `InputError` where rows are mixed (as by a batch
     norm), which is looked at when the network is first used.

    Parameters
    ----------
    function : callable
        f(views, x) ↦ (p, outputs).
    layout : Layout or mapping
        Names and shapes of the arrays, {"w": (3, 2), ...}.
    inputs, outputs : int
        How many numbers go in and come out at a point.
    start : callable, optional
        Makes the initial parameters (size,) from a Generator; standard normal numbers unless given.

    Examples
    --------
    >>> import autograd.numpy as anp
    >>> arrays = {"w": (3, 2), "c": (3,)}
    >>> bump = lambda views, x: anp.exp(-((anp.dot(x, views["w"].T) - views["c"]) ** 2))
    >>> bumps = AutogradNetwork(bump, arrays, inputs=2, outputs=3)
    >>> bumps.jacobian(bumps.initial(0), np.zeros((4, 2))).shape
    (4, 3, 9)
    """

    by = "autograd"

    def _turned(self, x: np.ndarray, parameters: np.ndarray) -> Any:
        return self._call(parameters, x)

    def _values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.asarray(self._call(parameters, x), dtype=float)

    def _vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        return np.asarray(_pullback(partial(self._turned, x), parameters)(cotangent))

    def _jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return _pushforward(partial(self._turned, x), parameters, direction)

    def _jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        out = np.empty((len(x), self.outputs, self.size))
        for point in range(len(x)):
            pull = _pullback(partial(self._turned, x[point : point + 1]), parameters)
            for output, row in enumerate(np.eye(self.outputs)):
                out[point, output] = pull(row[None])
        return out

    def _derivatives(self, parameters: np.ndarray, x: np.ndarray, series: Series) -> Any:
        """All jets as one traced array (C, p, outputs)."""
        import autograd.numpy as anp

        columns = [
            anp.stack([self._derivative(parameters, index, output)(x) for index in series.indices])
            for output in range(self.outputs)
        ]
        return anp.stack(columns, axis=-1)

    def _derivative(self, parameters: np.ndarray, index: Index, output: int) -> Callable[[np.ndarray], Any]:
        """x ↦ ∂^α f_output(x), (p,), by nested gradients of the sum over points."""
        from autograd import elementwise_grad

        found = lambda x: self._call(parameters, x)[:, output]  # noqa: E731
        for axis, count in enumerate(index):
            for _ in range(count):
                found = _partial(elementwise_grad(found), axis)
        return found

    def _jets(self, parameters: np.ndarray, x: np.ndarray, series: Series) -> np.ndarray:
        return np.asarray(self._derivatives(parameters, x, series))

    def _jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: np.ndarray, series: Series) -> np.ndarray:
        return _pullback(lambda theta: self._derivatives(theta, x, series), parameters)(cotangents)

    def _jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, series: Series) -> np.ndarray:
        return _pushforward(lambda theta: self._derivatives(theta, x, series), parameters, direction)


def _partial(gradient: Callable[[np.ndarray], Any], axis: int) -> Callable[[np.ndarray], Any]:
    return lambda x: gradient(x)[:, axis]


def _pullback(function: Callable[[np.ndarray], Any], at: np.ndarray) -> Callable[[np.ndarray], Any]:
    """c ↦ Jᵀ c."""
    from autograd import make_vjp

    pull: Callable[[np.ndarray], Any] = make_vjp(function)(at)[0]
    return pull


def _pushforward(function: Callable[[np.ndarray], Any], at: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """J v as the transpose of the linear map c ↦ Jᵀ c: two reverse passes, no forward mode needed."""
    from autograd import make_vjp

    pull, value = make_vjp(function)(at)
    return np.asarray(make_vjp(pull)(np.zeros(np.shape(value)))[0](direction))


@final
@dataclass(frozen=True, eq=False, repr=False)
class UserModel(MetricModel):
    """g = ½(f + fᵀ) for a user's f(views, x), written with `autograd.numpy`: named arrays, points (p, d) ↦ (p, d, d).

     General and slow, for trying a model; for a potential, give an `AutogradNetwork` to `PotentialModel`. Raises
     ShapeError where f returns another shape.

    Parameters
    ----------
    torus : FlatTorus
        Where the metric lives, of real dimension d.
    function : callable
        f(views, x): named arrays and points (p, d) ↦ (p, d, d).
    arrays : mapping
        Names and shapes of the parameters, {"w": (3, 2), ...}.
    start : callable, optional
        Makes the initial parameters (size,) from a Generator; standard normal numbers unless given.

    Examples
    --------
    >>> import autograd.numpy as anp
    >>> from geomflow.field import Torus
    >>> wave = lambda views, x: anp.exp(views["a"] * anp.cos(2 * anp.pi * x[:, :1]))[:, :, None] * anp.eye(2)
    >>> model = UserModel(Torus(dim=2), wave, {"a": ()})
    >>> model.tangent_kernel(model.initial(0), np.zeros((3, 2))).shape
    (3, 3, 2, 2, 2, 2)
    """

    function: Callable[[Mapping[str, np.ndarray], np.ndarray], np.ndarray]
    arrays: Mapping[str, tuple[int, ...]]
    start: Callable[[np.random.Generator], np.ndarray] | None = None

    @cached_property
    def joint(self) -> AutogradNetwork:
        """The function as a network of d² outputs."""
        dim = self.torus.real_dim
        return AutogradNetwork(self._flattened, self.arrays, dim, dim * dim, self.start)

    def _flattened(self, views: Mapping[str, np.ndarray], x: Any) -> Any:
        result = self.function(views, x)
        dim = self.torus.real_dim
        return result.reshape(len(x), dim * dim) if result.shape == (len(x), dim, dim) else result

    @cached_property
    def head(self) -> LinearHead:
        """g_ij = ½(u_ij + u_ji)."""
        dim = self.torus.real_dim
        one = np.eye(dim * dim).reshape(dim, dim, dim * dim)
        return LinearHead(0.5 * (one + one.transpose(1, 0, 2)))

    def __repr__(self) -> str:
        return f"a metric by a user's function with {self.size} parameters"
