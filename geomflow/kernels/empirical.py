"""Tangent kernels of networks at given parameters: at any time of a run, or frozen at its start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError
from geomflow.core.threads import slices
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.kernel import Kernel
from geomflow.kernels.operators import BlockOperator
from geomflow.kernels.spectrum import lanczos
from geomflow.kernels.tangent import TangentKernel, cotangents, require_theta
from geomflow.networks.jets import hessian_adjoint, hessian_terms
from geomflow.networks.model import Model
from geomflow.networks.state import ModelState
from geomflow.networks.tangents import require_rows
from geomflow.networks.wrapped import checked_model

POINTS = 8192
"""Points handled at once unless told otherwise."""


@dataclass(frozen=True, eq=False, repr=False)
class AtParameters:
    """A model at checked parameters, which nothing writes to."""

    model: Model
    parameters: np.ndarray

    def __post_init__(self) -> None:
        theta = np.array(checked_model(self.model).checked_parameters(self.parameters))
        theta.flags.writeable = False
        object.__setattr__(self, "parameters", theta)

    def __repr__(self) -> str:
        length = float(np.linalg.norm(self.parameters))
        return f"{type(self).__name__} of {self.model!r} at |θ| = {length:.12g}"


@final
@dataclass(frozen=True, eq=False, repr=False)
class EmpiricalKernel(AtParameters, TangentKernel):
    """The empirical NTK of a model's metric: Θ_ijkl(x, x') = Σ_I ∂g_ij(x)/∂θ_I ∂g_kl(x')/∂θ_I, eq. (2.7).

    Taken at the initial parameters it is the frozen kernel Θ_0. For potential models it is the kernel of the metric
    ∂_a∂_b̄ φ, complex [p, q, a, b, c, d], by the network's jets; `EmpiricalPotentialKernel` is that of φ itself.
    Raises NotFiniteError or ShapeError for parameters that are not the model's.

    Parameters
    ----------
    model : Model
        g.
    parameters : (size,) array
        θ.
    """

    @classmethod
    def of(cls, state: ModelState) -> EmpiricalKernel:
        """The kernel at a state of a run; InputError for what is no state of a model.

        Parameters
        ----------
        state : ModelState
            ``model.on(...)``, or one of a run.
        """
        if not isinstance(state, ModelState):
            raise InputError(f"a tangent kernel is that of a state of a model, model.on(...), and {state!r} was given.")
        return cls(state.model, state.parameters)

    @property
    def is_complex(self) -> bool:
        """Whether it acts on Hermitian forms."""
        return self.model.shape == ()

    def theta(self, x: Any, y: Any = None, g_x: Any = None, g_y: Any = None) -> np.ndarray:
        """Structured, from the networks' own kernels; from Jacobians of the metric for potentials."""
        if not self.is_complex:
            return self.model.tangent_kernel(self.parameters, x, y)
        first = self.model.checked_points(x)
        second = first if y is None else self.model.checked_points(y)
        require_theta(len(first), len(second), self.model.target.metric_shape[0], itemsize=16)
        left = self.metric_jacobian(first)
        right = left if y is None else self.metric_jacobian(second)
        return np.tensordot(left, right, axes=(-1, -1)).transpose(0, 3, 1, 2, 4, 5)

    def metric_jacobian(self, x: np.ndarray) -> np.ndarray:
        """∂g_{ab̄}(x_p)/∂θ_I, complex (p, n, n, size), of a potential model: one reverse sweep a second derivative.

        MemoryLimitError, before any is taken, names the number of points that fits.

        Parameters
        ----------
        x : (p, d) array
            Points.
        """
        size = self.model.target.metric_shape[0]
        require_rows(len(x), 32 * size**2 * self.model.size, f"the Jacobian of the metric of {self.model!r}")
        indices = sorted(hessian_adjoint(np.zeros((1, size, size))))
        one = np.ones(1)
        rows = {index: np.stack([self.model.jets_vjp(self.parameters, x[p:p + 1], {index: one}) for p in range(len(x))])
                for index in indices}
        result = np.zeros((len(x), size, size, self.model.size), complex)
        for a, b, index, factor in hessian_terms(size):
            result[:, a, b] += factor * rows[index]
        return result

    def apply(self, x: Any, y: Any, cotangent: np.ndarray, g_x: Any = None, g_y: Any = None,
              block: int | None = None) -> np.ndarray:
        """J(x) (J(y)ᵀ D): a vector–Jacobian product, then a Jacobian–vector product, in blocks of points."""
        first = self.model.checked_points(x)
        second = first if y is None else self.model.checked_points(y)
        values = cotangents(cotangent, len(second))
        direction = np.zeros(self.model.size)
        for rows in slices(len(second), block or POINTS):
            direction += self.model.metric_vjp(self.parameters, second[rows], values[rows])
        parts = [self.model.metric_jvp(self.parameters, first[rows], direction)
                 for rows in slices(len(first), block or POINTS)]
        return np.concatenate(parts)

    def probe(self, stream: np.random.Generator, points: int, dim: int) -> np.ndarray:
        """A random cotangent; Hermitian for potentials."""
        if not self.is_complex:
            return super().probe(stream, points, dim)
        return hermitian_probe(stream, points, dim)


@final
@dataclass(frozen=True, eq=False, repr=False)
class EmpiricalPotentialKernel(AtParameters, Kernel):
    """The empirical NTK of a potential model: K(x, x') = Σ_I ∂φ(x)/∂θ_I ∂φ(x')/∂θ_I, a scalar kernel.

    Raises InputError for a model that is no potential.

    Parameters
    ----------
    model : Model
        φ.
    parameters : (size,) array
        θ.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model.shape != ():
            raise InputError(f"{self.model!r} is no potential: its kernel is EmpiricalKernel(model, parameters).")

    def read(self, x: Any) -> np.ndarray:
        """The points on the torus, (p, d)."""
        return self.model.checked_points(x)

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Layer by layer, without the Jacobian."""
        return self.model.tangent_kernel(self.parameters, x, y)

    def diagonal(self, x: Any) -> np.ndarray:
        """|∂φ(x_p)/∂θ|²."""
        points = self.read(x)
        blocks = slices(len(points), max(1, (1 << 22) // self.model.size))
        squares = [np.sum(self.model.jacobian(self.parameters, points[rows]) ** 2, axis=-1) for rows in blocks]
        return np.concatenate([np.zeros(0), *squares])

    def _bound(self, operator: BlockOperator) -> float:
        """The largest eigenvalue of J Jᵀ to 1e-6, by Lanczos: its cost, too, is linear in the points."""
        shape = operator.grid.shape
        found = lanczos(lambda v: operator(v.reshape(shape)).ravel(), operator.grid.size, 1, "LA", 1e-6)
        return float(found[0])

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        sources, out = x if y is None else y, np.empty((len(columns), len(x)))
        for column, row in zip(columns, out, strict=True):
            direction = np.zeros(self.model.size)
            for rows in slices(len(sources), block or POINTS):
                direction += self.model.vjp(self.parameters, sources[rows], column[rows])
            for rows in slices(len(x), block or POINTS):
                row[rows] = self.model.jvp(self.parameters, x[rows], direction)
        return out


def hermitian_probe(stream: np.random.Generator, points: int, dim: int) -> np.ndarray:
    """Random Hermitian cotangents, standard normal in an orthonormal basis of Hermitian matrices."""
    draw = stream.standard_normal((2, points, dim, dim))
    whole = draw[0] + 1j * draw[1]
    return 0.5 * (whole + np.conj(np.swapaxes(whole, -1, -2)))
