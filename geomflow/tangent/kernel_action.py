"""A kernel as a linear map of packed components on the points of a grid, all of them or a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, final

import numpy as np

from geomflow.core import symmetric
from geomflow.core.errors import InputError
from geomflow.core.numbers import generator, require_unmasked
from geomflow.field.grid import Grid
from geomflow.kernels import FunctionKernel, Kernel, KernelOperator, PotentialKernel
from geomflow.kernels.empirical import EmpiricalKernel, EmpiricalPotentialKernel
from geomflow.kernels.operators import checked_grid
from geomflow.kernels.tangent import Covariant, ScalarStructure, TangentKernel


@final
@dataclass(frozen=True, eq=False)
class Batch:
    """Points x' of a grid over which the functional derivative of a kernel flow is summed, Halverson and Ruehle, (2.8).

    ∫ dx' becomes (volume / |B|) Σ_{x' ∈ B}: all points together are the integral over the grid, and fewer estimate it
    without bias. The batch is the same at all times.

    Raises InputError for a batch that is empty, repeats a point or does not lie on the grid.

    Parameters
    ----------
    points : int or sequence of int
        How many, drawn without repetition, or their indices in C order.
    seed : int or numpy.random.Generator
        What draws them.
    """

    points: int | Sequence[int] | np.ndarray
    seed: Any = 0

    def indices(self, grid: Grid) -> np.ndarray:
        """The flat indices of the points, increasing, (|B|,).

        Parameters
        ----------
        grid : Grid
            The grid.
        """
        if isinstance(self.points, int | np.integer) and not isinstance(self.points, bool):
            if not 1 <= self.points <= grid.size:
                raise InputError(f"a batch has 1 to {grid.size} points of {grid!r}, and {self.points} were asked for.")
            return np.sort(generator(self.seed).choice(grid.size, int(self.points), replace=False))
        return _listed(self.points, grid)

    def weights(self, grid: Grid) -> np.ndarray:
        """size / |B| at the points of the batch and zero elsewhere, of the grid's shape.

        Parameters
        ----------
        grid : Grid
            The grid.
        """
        chosen = self.indices(grid)
        weights = np.zeros(grid.size)
        weights[chosen] = grid.size / len(chosen)
        return weights.reshape(grid.shape)


def _listed(points: Any, grid: Grid) -> np.ndarray:
    require_unmasked(points, "the batch")
    given = np.asarray(points)
    if given.ndim != 1 or given.size == 0 or given.dtype.kind not in "iu":
        raise InputError("a batch is a number of points or a list of their indices in the grid's C order.")
    chosen = np.unique(given)
    if len(chosen) < given.size:
        raise InputError(f"the batch names {given.size} points of which {given.size - len(chosen)} are repeated.")
    if chosen[0] < 0 or chosen[-1] >= grid.size:
        raise InputError(f"the batch holds the index {chosen[-1] if chosen[-1] >= grid.size else chosen[0]}, and the "
                         f"points of {grid!r} are numbered from 0 to {grid.size - 1}.")
    return chosen


class Action(ABC):
    """(Θ c)(x) = ∫ Θ(x, x') c(x') dx' for packed components c, (ncomp, *grid)."""

    evolving: bool
    """Whether the kernel acts in frames of the metric of the moment, else on the frozen components."""

    @property
    def symbol(self) -> np.ndarray | None:
        """The eigenvalues on the modes of `rfftn`; None unless the kernel is known to be translation-invariant."""
        return None

    @property
    def largest(self) -> float | None:
        """A bound of the spectrum, of the kernel without a batch; None if there is none without looking."""
        return None

    @abstractmethod
    def __call__(self, components: np.ndarray) -> np.ndarray:
        """Θ c, of the shape of `components`."""

    @abstractmethod
    def sandwich(self, components: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """K^{1/2} [weight · K^{1/2} c], with a weight (*grid).

        Raises InputError for a kernel without a known square root.
        """


@final
@dataclass(frozen=True, eq=False)
class ScalarAction(Action):
    """A scalar kernel on each component alike."""

    operator: KernelOperator
    evolving: bool

    @property
    def symbol(self) -> np.ndarray | None:
        """That of the operator."""
        return self.operator.symbol

    @property
    def largest(self) -> float:
        """That of the operator."""
        return self.operator.largest

    @cached_property
    def _root(self) -> KernelOperator:
        return self.operator.root()

    def __call__(self, components: np.ndarray) -> np.ndarray:
        """K on each component."""
        return self.operator(components)

    def sandwich(self, components: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """K^{1/2} [weight · K^{1/2} c]."""
        return self._root(weight * self._root(components))


@final
@dataclass(frozen=True, eq=False)
class TensorAction(Action):
    """A kernel with its own index structure, by its sums over the points of the grid with the cell volume.

    `tensor` says whether components are those of a symmetric (d, d) tensor, of which the kernel is given all.
    """

    kernel: Any
    grid: Grid
    tensor: bool
    evolving: bool = False

    @cached_property
    def _points(self) -> np.ndarray:
        return self.grid.points().reshape(self.grid.size, -1)

    def __call__(self, components: np.ndarray) -> np.ndarray:
        """Σ_q Θ_ijkl(x_p, x_q) c_kl(x_q) times the cell volume, over all k, l."""
        grid = self.grid
        cell = grid.torus.cell_volume / grid.size
        if not self.tensor:
            sums = self.kernel.apply(self._points, self._points, components[0].reshape(grid.size))
            return np.asarray(sums).reshape(components.shape) * cell
        full = symmetric.unpack(components, grid.dim).reshape(grid.size, grid.dim, grid.dim)
        sums = np.asarray(self.kernel.apply(self._points, self._points, full))
        return symmetric.pack(sums.reshape(*grid.shape, grid.dim, grid.dim)) * cell

    def sandwich(self, components: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Not offered: kernels with an index structure of their own are frozen."""
        raise InputError(f"the square root of {self.kernel!r} is not known.")


@final
@dataclass(frozen=True, eq=False)
class BatchAction(Action):
    """A kernel that sees the points of a batch alone: Θ (m c) with the weights m of the batch."""

    whole: Action
    weights: np.ndarray

    @property
    def evolving(self) -> bool:  # type: ignore[override]
        """As the kernel."""
        return self.whole.evolving

    @property
    def largest(self) -> float | None:
        """That of the kernel."""
        return self.whole.largest

    def __call__(self, components: np.ndarray) -> np.ndarray:
        """Θ (m c)."""
        return self.whole(components * self.weights)

    def sandwich(self, components: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """K^{1/2} [weight · K^{1/2} (m c)]."""
        return self.whole.sandwich(components * self.weights, weight)


class Acting(Protocol):
    """What acts on values at points: a kernel, a tangent kernel, or a user's own."""

    def apply(self, x: Any, y: Any, values: Any, /) -> np.ndarray:
        """Σ_q Θ(x_p, y_q) values[q].

        Parameters
        ----------
        x, y : (p, d) and (q, d) arrays
            Points.
        values : (q, ...) array
            What is summed.
        """


def action(kernel: Any, grid: Grid, tensor: bool, batch: Batch | None = None) -> Action:
    """A kernel on a grid. A bare scalar kernel is `Covariant`, that of a network at its parameters frozen; everything
    else acts by its `apply(x, y, values)`.

    Raises InputError for what is no kernel.
    """
    whole = _whole(kernel, grid, tensor)
    return whole if batch is None else BatchAction(whole, batch.weights(grid))


def _whole(kernel: Any, grid: Grid, tensor: bool) -> Action:
    if callable(kernel) and not callable(getattr(kernel, "apply", None)):
        kernel = FunctionKernel(kernel)
    if isinstance(kernel, Kernel):
        return ScalarAction(kernel.on(grid), evolving=not isinstance(kernel, EmpiricalPotentialKernel))
    if isinstance(kernel, ScalarStructure):
        return ScalarAction(kernel.kernel.on(grid), evolving=isinstance(kernel, Covariant))
    require_kernel(kernel)
    if isinstance(kernel, TangentKernel) and not tensor:
        raise InputError(f"the kernel {kernel!r} acts on metrics, and the state is not one. On potentials give a "
                         "scalar kernel, such as EmpiricalPotentialKernel(model, parameters).")
    if isinstance(kernel, PotentialKernel) or (isinstance(kernel, EmpiricalKernel) and kernel.is_complex):
        raise InputError(f"the kernel {kernel!r} acts on Hermitian metrics, and flows of these run on potentials: give "
                         "the scalar kernel on the potential itself, and a PotentialField as the state.")
    return TensorAction(kernel, checked_grid(grid), tensor)


def require_kernel(kernel: Any) -> None:
    """Raise InputError for what is no kernel."""
    if isinstance(kernel, type):
        raise InputError(f"a kernel flow needs a kernel, not its class: write {kernel.__name__}(...).")
    acts = callable(kernel) or callable(getattr(kernel, "apply", None))
    if not acts and not isinstance(kernel, ScalarStructure):
        raise InputError(f"a kernel flow needs a kernel such as GaussianKernel(0.1), not {kernel!r}.")
