"""The ground state of an elliptic operator on a grid, solved for at each metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import fft
from scipy.sparse.linalg import LinearOperator, gmres

from geomflow.core import graph as gr
from geomflow.core.errors import GeomflowError
from geomflow.core.program import Program, Stage
from geomflow.field.operators import discretise

if TYPE_CHECKING:
    from geomflow.core.program import Elliptic
    from geomflow.field.mesh import Mesh

SHIFTED_STEPS, NEWTON_STEPS = 3, 12
TOLERANCE = 1e-11
INNER_TOLERANCE = 1e-3


class EigenvalueError(GeomflowError, ArithmeticError):
    """The ground state was not found to its tolerance."""


class GroundState:
    """The field that belongs to the lowest eigenfunction u > 0 of an operator, ∫u² dV = 1.

    For Perelman's λ: −4Δu + Ru = λu, f = −2 log u (Perelman 2002, §2). A few steps of inverse iteration below the
    spectrum pick the ground state from a constant; Newton's method on (u, λ) then converges quadratically. Linear
    systems are solved by GMRES, preconditioned by FFT. A pure function of the state: no memory between calls.
    """

    def __init__(self, elliptic: Elliptic, coordinates: Sequence[str], grid: Mesh) -> None:
        from geomflow.symbolic.jets import MetricNodes, metric_nodes

        names, matrix = metric_nodes(tuple(coordinates))
        metric = MetricNodes(tuple(coordinates), matrix)
        self._grid = grid
        self._operator = self._compile(coordinates, (*names, elliptic.unknown), {"image": elliptic.operator})
        self._geometry = self._compile(coordinates, names, {
            "volume": gr.sqrt(metric.determinant), "scalar": metric.scalar,
            "stiffness": gr.add(*np.diagonal(metric.inverse)) / len(names)})
        self._recover = self._compile(coordinates, (elliptic.unknown,), {"field": elliptic.recover})
        self._laplacian = grid.laplacian_symbol()

    def _compile(self, coordinates: Sequence[str], fields: tuple[str, ...], outputs: dict[str, gr.Node]) -> Any:
        program = Program(tuple(coordinates), fields, (), (), (Stage(tuple(outputs.items())),))
        return discretise(program, self._grid)

    def __call__(self, y: np.ndarray) -> np.ndarray:
        """The field, of the grid's shape, at the packed metric y."""
        return np.asarray(self._recover(self.eigenpair(y)[0][None])[0])

    def eigenpair(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        """The ground state u > 0 with ∫u² dV = 1, and its eigenvalue.

        Raises EigenvalueError when Newton's method does not converge.
        """
        system = _System(self, y)
        u = np.ones(self._grid.shape)
        for _ in range(SHIFTED_STEPS):
            u = system.normalised(system.solve_shifted(u))
        value = system.quotient(u)
        for _ in range(NEWTON_STEPS):
            residual = system.image(u) - value * u
            if np.abs(residual).max() <= TOLERANCE * system.scale * np.abs(u).max():
                return system.normalised(u), value
            u, value = system.newton(u, value, residual)
        raise EigenvalueError(f"the ground state was not found: after {NEWTON_STEPS} Newton steps the residual is "
                              f"{np.abs(residual).max():.3g}; the metric may be too rough for the grid {self._grid!r}.")


class _System:
    """The operator at one metric, with what its linear solves need."""

    def __init__(self, ground: GroundState, y: np.ndarray) -> None:
        self._ground, self._y = ground, y
        self.volume, self._scalar, stiffness = ground._geometry(y)
        self._weight = self.volume * (ground._grid.torus.cell_volume / self.volume.size)
        self.shift = float(self._scalar.min()) - 1.0
        self._symbol = -4 * float(stiffness.mean()) * ground._laplacian
        self.scale = 1.0 + float(np.abs(self._scalar).max()) + float(self._symbol.flat[1])

    def image(self, u: np.ndarray) -> np.ndarray:
        return np.asarray(self._ground._operator(np.concatenate([self._y, u[None]]))[0])

    def normalised(self, u: np.ndarray) -> np.ndarray:
        u = u / np.sqrt((self._weight * u**2).sum())
        return u if u.sum() > 0 else -u

    def quotient(self, u: np.ndarray) -> float:
        return float((self._weight * u * self.image(u)).sum() / (self._weight * u**2).sum())

    def precondition(self, residual: np.ndarray) -> np.ndarray:
        modes = fft.rfftn(residual)
        modes /= self._symbol + float(self._scalar.mean()) - self.shift
        return np.asarray(fft.irfftn(modes, s=residual.shape))

    def solve_shifted(self, right: np.ndarray) -> np.ndarray:
        """(A − shift)⁻¹ right, roughly: the shift lies below the spectrum."""
        shape, size = right.shape, right.size

        def shifted(x: np.ndarray) -> np.ndarray:
            return (self.image(x.reshape(shape)) - self.shift * x.reshape(shape)).ravel()

        operator = LinearOperator((size, size), shifted)
        inverse = LinearOperator((size, size), lambda x: self.precondition(x.reshape(shape)).ravel())
        return np.asarray(gmres(operator, right.ravel(), M=inverse, rtol=INNER_TOLERANCE)[0].reshape(shape))

    def newton(self, u: np.ndarray, value: float, residual: np.ndarray) -> tuple[np.ndarray, float]:
        """One Newton step for A u = λu with u fixed in norm to first order."""
        shape, size = u.shape, u.size
        weighted = (self._weight * u).ravel()

        def bordered(x: np.ndarray) -> np.ndarray:
            step, change = x[:-1].reshape(shape), x[-1]
            top = self.image(step) - value * step - change * u
            return np.append(top.ravel(), weighted @ x[:-1])

        def inverse(x: np.ndarray) -> np.ndarray:
            return np.append(self.precondition(x[:-1].reshape(shape)).ravel(), x[-1])

        right = np.append(-residual.ravel(), 0.0)
        full = (size + 1, size + 1)
        found = gmres(LinearOperator(full, bordered), right, M=LinearOperator(full, inverse), rtol=INNER_TOLERANCE,
                      restart=60)[0]
        return u + found[:-1].reshape(shape), value + float(found[-1])
