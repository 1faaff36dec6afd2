"""Models: numbers θ that make a metric on a torus, with all derivatives by θ and by position.

Formulas. Metric-NTK (Halverson and Ruehle, eq. (2.7)): Θ_ijkl(x, x') = Σ_I ∂g_ij(x)/∂θ_I ∂g_kl(x')/∂θ_I. Cotangents of
metrics are D^{kl} with the full index sum: the gradient by θ is Σ_p Σ_{kl} D^{kl}(x_p) ∂g_kl(x_p)/∂θ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import ShapeError
from geomflow.core.numbers import real_array
from geomflow.field.grid import Grid
from geomflow.field.lattice import FlatTorus
from geomflow.networks.jets import Jet
from geomflow.networks.state import ModelState, make_state
from geomflow.networks.target import Target

if TYPE_CHECKING:
    from geomflow.networks.network import Layout


class Model(ABC):
    """A metric, or a Kähler potential, that depends on a flat array of parameters θ (size,).

    Points are x (p, d), Cartesian coordinates on the torus. `values` are what the model represents: g_ij (p, d, d), or
    φ (p,) for potentials; `target` says which, and what metric the values make.
    """

    torus: FlatTorus

    @property
    @abstractmethod
    def target(self) -> Target:
        """What the values are."""

    @property
    @abstractmethod
    def kinked(self) -> bool:
        """Whether the first input derivative of the values jumps, as that of ReLU networks does."""

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """Names, shapes and places of the parameters in θ; `layout.views(θ)` are named views."""

    @abstractmethod
    def initial(self, seed: Any) -> np.ndarray:
        """Random parameters θ (size,) .

        Parameters
        ----------
        seed : int or numpy.random.Generator
            The stream they are drawn from.
        """

    @abstractmethod
    def jets(self, parameters: np.ndarray, x: np.ndarray, order: int) -> Jet:
        """{multi-index: ∂^α values (p, *shape)}: all input derivatives up to `order` ≤ 4.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        order : int
            The highest derivative, 0 to 4.
        """

    @abstractmethod
    def jets_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray, order: int) -> Jet:
        """The derivative of `jets` along a direction of the parameters, the same mapping.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        direction : (size,) array
            The direction.
        order : int
            The highest derivative, 0 to 4.
        """

    @abstractmethod
    def jets_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangents: Mapping[Any, np.ndarray]) -> np.ndarray:
        """Σ_α Σ_p ⟨cotangents[α], ∂(∂^α values)/∂θ⟩ (size,), full index sums.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        cotangents : mapping
            {α: (p, *shape)}; those left out are zero.
        """

    @abstractmethod
    def values(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """g_ij (p, d, d), or φ (p,).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        """

    @abstractmethod
    def jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Σ_I ∂values/∂θ_I direction_I, of the shape of `values`.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        direction : (size,) array
            The direction in the parameters.
        """

    @abstractmethod
    def vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """Σ_p Σ_{kl} D^{kl}(x_p) ∂g_kl(x_p)/∂θ (size,).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        cotangent : (p, *shape) array
            D, of the shape of the values.
        """

    @abstractmethod
    def jacobian(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """∂values/∂θ, (p, *shape, size). MemoryLimitError, before any is taken, names the block that fits.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        """

    @abstractmethod
    def tangent_kernel(self, parameters: np.ndarray, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """Θ of the values: (p, q, d, d, d, d) for metrics, eq. (2.7); (p, q) for potentials.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        y : (q, d) array, optional
            Others; x unless given.
        """

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.layout.size

    @property
    def shape(self) -> tuple[int, ...]:
        """The trailing shape of the values: (d, d), or () for potentials."""
        return self.target.shape

    def metric(self, parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
        """g_ij (p, d, d), or g_{ab̄} (p, n, n) complex, with the input derivatives exact.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        """
        return self.target.reference(x) + self.target.part(self.jets(parameters, x, self.target.order))

    def metric_jvp(self, parameters: np.ndarray, x: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Σ_I ∂metric/∂θ_I direction_I.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        direction : (size,) array
            The direction in the parameters.
        """
        return self.target.part(self.jets_jvp(parameters, x, direction, self.target.order))

    def metric_vjp(self, parameters: np.ndarray, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """Re Σ_p Σ_{kl} D^{kl}(x_p) ∂metric_kl(x_p)/∂θ (size,).

        Parameters
        ----------
        parameters : (size,) array
            θ.
        x : (p, d) array
            Points.
        cotangent : (p, *metric_shape) array
            D.
        """
        return self.jets_vjp(parameters, x, self.target.adjoint(cotangent))

    def on(self, place: Any, seed: Any = 0, parameters: np.ndarray | None = None) -> ModelState:
        """The state of the model at some parameters, on a grid or at points.

        Parameters
        ----------
        place : Grid or (p, d) array
            Where its metric is looked at.
        seed : int or numpy.random.Generator
            What draws the parameters, unless they are given.
        parameters : (size,) array, optional
            θ.
        """
        return make_state(self, place, self.initial(seed) if parameters is None else parameters)

    def template(self, grid: Grid) -> Any:
        """A field of the model's kind on any grid, for the expressions of equations alone: flat, or φ = 0.

        Parameters
        ----------
        grid : Grid
            Any grid of the torus.
        """
        return self.target.template(grid)

    def checked_parameters(self, parameters: Any) -> np.ndarray:
        """θ as float64 (size,). NotFiniteError names the parameter that is not finite, ShapeError the right size.

        Parameters
        ----------
        parameters : (size,) array
            θ.
        """
        return self.layout.checked(parameters)

    def checked_points(self, x: Any) -> np.ndarray:
        """Points as float64 (p, d); ShapeError for another shape.

        Parameters
        ----------
        x : (p, d) array
            Points.
        """
        points = real_array(x, "the points", "give a grid, or real coordinates x1, y1, x2, y2, ...")
        if points.ndim != 2 or points.shape[1] != self.torus.real_dim:
            raise ShapeError(f"points of shape {points.shape} were given; (p, {self.torus.real_dim}) is needed on "
                             f"{self.torus!r}.")
        return points
