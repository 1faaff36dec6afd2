"""What every network offers: named views of its parameters, values, input jets, derivatives by the parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import final

import numpy as np

from geomflow.core import memory
from geomflow.core.errors import InputError, NotFiniteError, ShapeError, require_known
from geomflow.core.monomials import Index
from geomflow.core.numbers import generator, real_array
from geomflow.core.threads import each, one_thread_products, slices
from geomflow.networks.jets import Jets, Series, checked_order


@final
@dataclass(frozen=True, repr=False)
class Layout:
    """Names and shapes of the arrays that lie one after the other in a flat vector θ of `size` numbers.

    Parameters
    ----------
    entries : tuple of (name, shape)
        The arrays, in order; names differ.

    Examples
    --------
    >>> layout = Layout((("weights", (2, 3)), ("bias", (2,))))
    >>> layout
    8 parameters: weights (2, 3), bias (2,)
    >>> layout.views(np.arange(8.0))["bias"].tolist()
    [6.0, 7.0]
    """

    entries: tuple[tuple[str, tuple[int, ...]], ...]

    def __post_init__(self) -> None:
        names = [name for name, _ in self.entries]
        if len(set(names)) < len(names):
            raise InputError(f"the names of a layout must differ, and they are {', '.join(names)}.")

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array, in order."""
        return {name: tuple(shape) for name, shape in self.entries}

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each array lies in the flat vector."""
        ends = np.cumsum([0] + [prod(shape) for _, shape in self.entries])
        return {name: slice(int(a), int(b)) for (name, _), a, b in zip(self.entries, ends, ends[1:])}

    @cached_property
    def size(self) -> int:
        """The number of parameters."""
        return sum(prod(shape) for _, shape in self.entries)

    def views(self, parameters: np.ndarray) -> dict[str, np.ndarray]:
        """Named views, not copies, of a flat vector (..., size): writing to one writes to the vector.

        Parameters
        ----------
        parameters : (..., size) array
            θ.
        """
        batch = parameters.shape[:-1]
        return {name: parameters[..., part].reshape(batch + self.shapes[name]) for name, part in self.slices.items()}

    def flat(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """The flat vector (size,) of named arrays.

        Raises `UnknownNameError` for a name that is not here, `InputError` where one is missing and `ShapeError`.

        Parameters
        ----------
        arrays : mapping
            The array of each name, of its shape.
        """
        for name in arrays:
            require_known("parameter", name, self.shapes)
        out = np.empty(self.size)
        for name, view in self.views(out).items():
            if name not in arrays:
                raise InputError(f"the parameter '{name}', shape {view.shape}, is missing.")
            if np.shape(arrays[name]) != view.shape:
                raise ShapeError(f"the parameter '{name}' has shape {np.shape(arrays[name])} instead of {view.shape}.")
            view[...] = arrays[name]
        return out

    def checked(self, parameters: np.ndarray, what: str = "parameters") -> np.ndarray:
        """`parameters` as floats (size,): `ShapeError` for another length, `NotFiniteError` with name and place.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        what : str
            What errors call it.
        """
        parameters = real_array(parameters, f"the {what}")
        if parameters.shape != (self.size,):
            raise ShapeError(f"the {what} have shape {parameters.shape}; this layout takes ({self.size},): {self!r}.")
        if not np.isfinite(parameters).all():
            self._complain(parameters, what)
        return parameters

    def _complain(self, parameters: np.ndarray, what: str) -> None:
        bad = np.flatnonzero(~np.isfinite(parameters))
        name = next(name for name, part in self.slices.items() if part.start <= bad[0] < part.stop)
        raise NotFiniteError(
            f"{bad.size} of {self.size} {what} are not finite, the first in '{name}' "
            f"(number {bad[0]} is {parameters[bad[0]]}); take a smaller step or an earlier state."
        )

    def __repr__(self) -> str:
        return f"{self.size} parameters: " + ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())


#: Numbers that one layer holds for a block of points, so that a few layers fit into a second-level cache.
_NUMBERS = 2**16

#: Partial sums held at once.
_GROUP = 64


def point_blocks(points: int, numbers: int) -> list[slice]:
    """Blocks of `points` where each point carries `numbers` numbers a layer."""
    return slices(points, max(16, _NUMBERS // max(numbers, 1)))


def joined(work: Callable[[slice], np.ndarray], blocks: list[slice], out: np.ndarray, axis: int = 0) -> np.ndarray:
    """`out` with the part of each block along `axis` set to work(block)."""
    lead = (slice(None),) * axis

    def fill(block: slice) -> None:
        out[(*lead, block)] = work(block)

    with one_thread_products():
        each(fill, blocks)
    return out


def summed(work: Callable[[slice], np.ndarray], blocks: list[slice], size: int) -> np.ndarray:
    """Σ work(block), (size,): the same number whatever the threads, since it is added up in order."""
    total = np.zeros(size)
    with one_thread_products():
        for start in range(0, len(blocks), _GROUP):
            for part in each(work, blocks[start : start + _GROUP]):
                total += part
    return total


class Network(ABC):
    """A function f_θ: R^inputs → R^outputs with a flat parameter vector θ (size,) and batches of points x (p, inputs).

    Every call checks its arrays: `ShapeError` and `NotFiniteError` say which one and where. Those that grow with
    points × parameters state their bytes first and raise `MemoryLimitError` with the block of points that fits.
    """

    inputs: int
    outputs: int
    layout: Layout

    def _drawn(self, seed: int | np.random.Generator) -> np.ndarray:
        """Standard normal numbers (size,), whose bytes are required first."""
        memory.require(8.0 * self.size, f"the {self.size:,} parameters of {self!r}", "take narrower layers")
        return generator(seed).standard_normal(self.size)

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.layout.size

    @property
    def kinked(self) -> bool:
        """Whether the first input derivative jumps, so that the jets of higher order leave out the jumps."""
        return False

    @abstractmethod
    def initial(self, seed: int | np.random.Generator) -> np.ndarray:
        """Random parameters (size,), a function of the seed alone; MemoryLimitError where they do not fit.

        Parameters
        ----------
        seed : int or numpy.random.Generator
            The stream they are drawn from.
        """

    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """f(x), (p, outputs).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, inputs) array
            Points.
        """
        return self._values(self._parameters(parameters), self._points(x))

    def jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """J v: the rate of f(x) along a direction v of the parameters, (p, outputs).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, inputs) array
            Points.
        direction : (size,) array
            v.
        """
        direction = self.layout.checked(direction, "components of the direction")
        return self._jvp(self._parameters(parameters), self._points(x), direction)

    def vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """Jᵀ c: the gradient by the parameters of Σ_p c_p · f(x_p), (size,).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, inputs) array
            Points.
        cotangent : (p, outputs) array
            c.
        """
        x = self._points(x)
        return self._vjp(self._parameters(parameters), x, self._cotangent(cotangent, len(x)))

    def jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """J = ∂f/∂θ, (p, outputs, size).

        Its bytes are required first: `MemoryLimitError` names the number of points that fits.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, inputs) array
            Points.
        """
        parameters, x = self._parameters(parameters), self._points(x)
        each = 8.0 * self.outputs * self.size
        fits = int(memory.available() / 2 / each)
        advice = f"take blocks of at most {fits:,} points, or products by jvp and vjp" if fits else "use jvp and vjp"
        what = f"the Jacobian of {self.outputs} outputs at {len(x):,} points by {self.size:,} parameters"
        memory.require(1.25 * len(x) * each, what, advice)
        return self._jacobian(parameters, x)

    def tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """Θ(x, y) = J(x) J(y)ᵀ, (p, q, outputs, outputs).

        Halverson and Ruehle, eq. (2.7). Its bytes are required first: `MemoryLimitError` names the block that fits.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, inputs) array
            Points.
        y : (q, inputs) array, optional
            Others; x unless given.
        """
        parameters, x = self._parameters(parameters), self._points(x)
        y = x if y is None else self._points(y)
        each = 8.0 * max(len(y), 1) * self.outputs**2
        fits = int(memory.available() / 3 / each)
        advice = f"take blocks of at most {fits:,} rows" if fits else "take blocks of both arguments"
        memory.require(2 * len(x) * each, f"the tangent kernel between {len(x):,} and {len(y):,} points", advice)
        return self._tangent_kernel(parameters, x, y)

    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jets:
        """All input derivatives: {multi-index: (p, outputs)}.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, inputs) array
            Points.
        order : int
            The highest derivative, 0 to 4.
        """
        series = Series(self.inputs, checked_order(order))
        return Jets(series, self._jets(self._parameters(parameters), self._points(x), series))

    def jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, order: int) -> Jets:
        """The rate of every jet along a direction of the parameters, as `jets` returns them.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, inputs) array
            Points.
        direction : (size,) array
            The direction.
        order : int
            The highest derivative, 0 to 4.
        """
        series = Series(self.inputs, checked_order(order))
        direction = self.layout.checked(direction, "components of the direction")
        return Jets(series, self._jets_jvp(self._parameters(parameters), self._points(x), direction, series))

    def jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: Mapping[Index, np.ndarray]) -> np.ndarray:
        """The gradient by the parameters of Σ_α Σ_p c_α,p · ∂^α f(x_p), (size,).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, inputs) array
            Points.
        cotangents : mapping
            {α: c_α (p, outputs)}, |α| <= 4; those left out are zero.
        """
        parameters, x = self._parameters(parameters), self._points(x)
        series, array = self._jet_cotangents(cotangents, len(x))
        return self._jets_vjp(parameters, x, array, series)

    def _values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        return self._jets(parameters, x, Series(self.inputs, 0))[0]

    def _jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        return self._jets_jvp(parameters, x, direction, Series(self.inputs, 0))[0]

    def _vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        return self._jets_vjp(parameters, x, cotangent[None], Series(self.inputs, 0))

    @abstractmethod
    def _jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _jets(self, parameters: np.ndarray, x: np.ndarray, series: Series) -> np.ndarray:
        """Derivatives (C, p, outputs) in the order of `series.indices`."""

    @abstractmethod
    def _jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, series: Series) -> np.ndarray:
        """Rates of the derivatives, (C, p, outputs)."""

    @abstractmethod
    def _jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: np.ndarray, series: Series) -> np.ndarray:
        """Reverse of `_jets` at cotangents (C, p, outputs)."""

    def _parameters(self, parameters: np.ndarray) -> np.ndarray:
        return self.layout.checked(parameters)

    def _points(self, x: np.ndarray) -> np.ndarray:
        x = real_array(x, "the points", "give real coordinates")
        if x.ndim != 2 or x.shape[1] != self.inputs:
            raise ShapeError(f"the points have shape {x.shape}; this network takes (points, {self.inputs}).")
        if not np.isfinite(x).all():
            bad = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
            raise NotFiniteError(f"point {bad} of {len(x)} is {x[bad]}; all coordinates must be finite.")
        return x

    def _cotangent(self, cotangent: np.ndarray, points: int, what: str = "the cotangent") -> np.ndarray:
        cotangent = real_array(cotangent, what)
        if cotangent.shape != (points, self.outputs):
            raise ShapeError(f"{what} has shape {cotangent.shape} instead of ({points}, {self.outputs}).")
        return cotangent

    def _jet_cotangents(self, cotangents: Mapping[Index, np.ndarray], points: int) -> tuple[Series, np.ndarray]:
        """The algebra of the highest degree among the cotangents, and them as one array (C, p, outputs)."""
        for index in cotangents:
            if len(index) != self.inputs or min(index) < 0:
                raise InputError(f"the multi-index {index} does not count derivatives by {self.inputs} inputs.")
        series = Series(self.inputs, checked_order(max((sum(index) for index in cotangents), default=0)))
        array = np.zeros((series.channels, points, self.outputs))
        for index, cotangent in cotangents.items():
            place = series.indices.index(tuple(index))
            array[place] = self._cotangent(cotangent, points, f"the cotangent of {tuple(index)}")
        return series, array
