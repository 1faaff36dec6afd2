"""Kernels of real points on projective ones: real and imaginary parts of homogeneous coordinates as inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from geomflow.core.errors import InputError, ShapeError
from geomflow.core.numbers import require_unmasked
from geomflow.distribute import ON_THREADS, Workers
from geomflow.kernels.kernel import Kernel


@final
@dataclass(frozen=True)
class CoordinateKernel(Kernel):
    """K(x, y) = kernel(inputs(x), inputs(y)) with inputs re z_0, im z_0, re z_1, ..., (p, 2N).

    These are the inputs of Halverson and Ruehle, section 3: the homogeneous coordinates as they are scaled in their
    patch, so that the kernel depends on that choice. `kernel` takes real points, as `NetworkKernel("relu",
    weight_std=80.52, bias_std=5.716)` does. Points are those of a variety, or complex coordinates (p, N).
    Raises InputError for what is no kernel and for real coordinates, ShapeError for other shapes.
    """

    kernel: Kernel

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, Kernel):
            raise InputError(f"a kernel on coordinates is made of one on real points, and {self.kernel!r} is none.")

    def read(self, x: Any) -> np.ndarray:
        """The inputs as the kernel uses them."""
        return self.kernel.read(coordinate_inputs(x))

    def values(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The kernel of inputs that `read` returned, (p, q)."""
        return self.kernel.values(x, y)

    def diagonal(self, x: Any) -> np.ndarray:
        """K(x_p, x_p), (p,)."""
        return self.kernel.diagonal(coordinate_inputs(x))

    def matrix(self, x: Any, y: Any = None) -> np.ndarray:
        """The matrix of the kernel, (p, q)."""
        return self.kernel.matrix(coordinate_inputs(x), None if y is None else coordinate_inputs(y))

    def _sum(self, x: np.ndarray, y: np.ndarray | None, columns: np.ndarray, block: int | None,
             workers: Workers = ON_THREADS) -> np.ndarray:
        return self.kernel._sum(x, y, columns, block, workers)


def coordinate_inputs(x: Any) -> np.ndarray:
    """Complex coordinates (p, N) as real rows re z_0, im z_0, re z_1, ..., (p, 2N)."""
    require_unmasked(x, "the array of points")
    z = np.asarray(getattr(x, "coordinates", x))
    if not np.iscomplexobj(z):
        raise InputError("real and imaginary parts are taken of complex coordinates, and real ones were given: give "
                         "them to the kernel itself.")
    if z.ndim != 2:
        raise ShapeError(f"points are rows of an array (points, coordinates), and the shape {z.shape} was given.")
    return np.ascontiguousarray(z, dtype=complex).view(float)
