"""Functions by coefficients of modes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from geomflow.field.bases.axes import OneAxis


class Modal(OneAxis):
    """Functions by coefficients of modes: values = modes @ coefficients, coefficients = analysis @ values."""

    order = None

    @property
    @abstractmethod
    def modes_at_nodes(self) -> np.ndarray:
        """The modes at the nodes, (N, modes)."""

    @property
    @abstractmethod
    def analysis(self) -> np.ndarray:
        """From values at the nodes to coefficients, (modes, N)."""

    @property
    @abstractmethod
    def slopes(self) -> np.ndarray:
        """The derivative of modes in their own variable, on coefficients, (modes, modes)."""

    @property
    def project(self) -> np.ndarray:
        return self.modes_at_nodes @ self.analysis

    @property
    def degrees(self) -> np.ndarray:
        """How many waves or zeros each mode has, (modes,)."""
        return np.arange(self.modes_at_nodes.shape[1])

    def tail(self, values: np.ndarray) -> float:
        """The largest coefficient of the shortest tenth of the modes, over the largest of all, but at least 1.

        Of logarithms this is what is lost; 1e-16 is resolved.

        Parameters
        ----------
        values : (N,) array
            At the nodes.
        """
        sizes, degrees = np.abs(self.analysis @ values), self.degrees
        return float(sizes[degrees >= 0.9 * degrees.max()].max() / max(sizes.max(), 1.0))

    def derivative(self, index: Sequence[int]) -> np.ndarray:
        (times,) = self._checked(index)
        return self._derivative(times) if times else np.eye(self.n)

    def _derivative(self, times: int) -> np.ndarray:
        return self.modes_at_nodes @ np.linalg.matrix_power(self.slopes, times) @ self.analysis
