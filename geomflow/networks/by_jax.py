"""A network that is the user's own function, differentiated and compiled by JAX, where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, final

import numpy as np

from geomflow.core.errors import InputError, MissingExtraError
from geomflow.core.numbers import real_array
from geomflow.networks.jets import Series
from geomflow.networks.network import Layout
from geomflow.networks.written import WrittenNetwork

Program = Callable[..., Any]


class Programs(NamedTuple):
    """Compiled: derivatives by the inputs, their rates along θ and the reverse of that."""

    jets: Program
    jvp: Program
    vjp: Program


@final
class JaxNetwork(WrittenNetwork):
    """f(views, x), written with `jax.numpy`: a dictionary of named arrays and points (p, inputs) to (p, outputs).

    Each point must be treated by itself, as for `AutogradNetwork`, which this agrees with to rounding: all is computed
    in double precision, whatever JAX does elsewhere. Functions are compiled once for every number of points. Raises
    MissingExtraError without JAX, ShapeError where the function returns another shape, and InputError where rows are
    mixed or where JAX cannot trace the function, which is looked at when the network is first used.

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
    """

    by = "JAX"

    def __init__(
        self,
        function: Callable[[Mapping[str, Any], Any], Any],
        layout: Layout | Mapping[str, tuple[int, ...]],
        inputs: int,
        outputs: int,
        start: Callable[[np.random.Generator], np.ndarray] | None = None,
    ) -> None:
        _jax()
        super().__init__(function, layout, inputs, outputs, start)
        self._made: dict[Any, Any] = {}

    def _programs(self, series: Series) -> Programs:
        if series not in self._made:
            self._made[series] = _programs(self._call, series)
        made: Programs = self._made[series]
        return made

    def _jets(self, parameters: np.ndarray, x: np.ndarray, series: Series) -> np.ndarray:
        return _run(self._programs(series).jets, parameters, x)

    def _jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, series: Series) -> np.ndarray:
        return _run(self._programs(series).jvp, parameters, x, direction)

    def _jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: np.ndarray, series: Series) -> np.ndarray:
        return _run(self._programs(series).vjp, parameters, x, cotangents)

    def _jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        if "jacobian" not in self._made:
            self._made["jacobian"] = _jacobian(self._call)
        return _run(self._made["jacobian"], parameters, x)

    def __getstate__(self) -> dict[str, Any]:
        """What is compiled stays here."""
        return {**vars(self), "_made": {}}


def _jax() -> Any:
    try:
        import jax
    except ImportError:
        raise MissingExtraError.of("jax", "jax") from None
    return jax


def _run(program: Program, *arrays: np.ndarray) -> np.ndarray:
    """The result in double precision; InputError where the function cannot be traced."""
    jax = _jax()
    try:
        with jax.enable_x64(True):
            found = np.asarray(program(*arrays))
    except (jax.errors.TracerArrayConversionError, jax.errors.ConcretizationTypeError) as error:
        raise InputError("JAX cannot trace the function: write it with jax.numpy in place of numpy, and with jnp.where "
                         f"in place of branches on values. {str(error).splitlines()[0]}") from error
    return real_array(found, "the values of the function")


def _programs(call: Program, series: Series) -> Programs:
    jax = _jax()

    def jets(parameters: Any, x: Any) -> Any:
        """(C, p, outputs)."""
        return jax.numpy.stack([_derivative(call, index)(parameters, x) for index in series.indices])

    def jvp(parameters: Any, x: Any, direction: Any) -> Any:
        return jax.jvp(lambda theta: jets(theta, x), (parameters,), (direction,))[1]

    def vjp(parameters: Any, x: Any, cotangents: Any) -> Any:
        return jax.vjp(lambda theta: jets(theta, x), parameters)[1](cotangents)[0]

    return Programs(*map(jax.jit, (jets, jvp, vjp)))


def _derivative(call: Program, index: tuple[int, ...]) -> Program:
    """θ, x ↦ ∂^α f, (p, outputs), by nested derivatives along the axes."""
    for axis, count in enumerate(index):
        for _ in range(count):
            call = _along(call, axis)
    return call


def _along(call: Program, axis: int) -> Program:
    jax = _jax()

    def rate(parameters: Any, x: Any) -> Any:
        return jax.jvp(lambda at: call(parameters, at), (x,), (jax.numpy.zeros_like(x).at[:, axis].set(1.0),))[1]

    return rate


def _jacobian(call: Program) -> Program:
    """θ, x ↦ ∂f/∂θ, (p, outputs, size), one reverse sweep an output."""
    jax = _jax()

    def at(parameters: Any, point: Any) -> Any:
        return jax.jacrev(lambda theta: call(theta, point[None])[0])(parameters)

    return jax.jit(jax.vmap(at, in_axes=(None, 0)))
