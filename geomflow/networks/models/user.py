"""A user's own metric of parameters and points, differentiated by autograd."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.field.lattice import FlatTorus
from geomflow.networks.autograd_model import AutogradNetwork
from geomflow.networks.layout import Layout
from geomflow.networks.models.head import LinearHead
from geomflow.networks.models.network_model import NetworkModel
from geomflow.networks.models.target import RealMetric, checked_torus


@final
@dataclass(frozen=True, eq=False, repr=False)
class UserModel(NetworkModel):
    """g = ½(f + fᵀ) for a user's f(views, x), written with `autograd.numpy`: named arrays, points (p, d) ↦ (p, d, d).

    `arrays` are the names and shapes of the parameters, {"w": (3, 2), ...}; `start` makes initial ones (size,) from a
    Generator, standard normal numbers unless given. General and slow, for trying a model; for a potential, give an
    `AutogradNetwork` to `PotentialModel`. Raises ShapeError where f returns another shape.

    >>> import autograd.numpy as anp
    >>> from geomflow.field import Torus
    >>> wave = lambda views, x: anp.exp(views["a"] * anp.cos(2 * anp.pi * x[:, :1]))[:, :, None] * anp.eye(2)
    >>> model = UserModel(Torus(dim=2), wave, {"a": ()})
    >>> model.tangent_kernel(model.initial(0), np.zeros((3, 2))).shape
    (3, 3, 2, 2, 2, 2)
    """

    torus: FlatTorus
    function: Callable[[Mapping[str, np.ndarray], np.ndarray], np.ndarray]
    arrays: Mapping[str, tuple[int, ...]]
    start: Callable[[np.random.Generator], np.ndarray] | None = None

    def __post_init__(self) -> None:
        checked_torus(self.torus, complex_needed=False)
        if not isinstance(self.arrays, Mapping):
            raise InputError(f"the parameters are names with shapes, such as {{'w': (3, 2)}}, not {self.arrays!r}.")
        self.joint  # noqa: B018  checks the function and the layout

    @cached_property
    def joint(self) -> AutogradNetwork:
        """The function as a network of d² outputs."""
        dim = self.torus.real_dim
        layout = Layout(tuple((name, tuple(shape)) for name, shape in self.arrays.items()))
        return AutogradNetwork(self._flattened, layout, dim, dim * dim, self.start)

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

    @cached_property
    def target(self) -> RealMetric:
        """The values are the metric."""
        return RealMetric(self.torus.real_dim)

    def __repr__(self) -> str:
        return f"a metric by a user's function with {self.size} parameters"
