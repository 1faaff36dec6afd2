"""Whether a kernel is one: symmetric, positive semi-definite, its diagonal, sums and blocks those of its matrix."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from geomflow.core.errors import GeomflowError
from geomflow.kernels import Kernel
from geomflow.testing.law import LawError, require, smallest_failing

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ROUNDING = 1e-12
"""The largest gap and the least eigenvalue, beside the largest entry and the sum of the diagonal."""


def check_kernel(
    kernel: Kernel | SearchStrategy[Kernel],
    points: Any | SearchStrategy[Any] | None = None,
    *,
    dim: int = 2,
    tolerance: float = ROUNDING,
    examples: int = 25,
) -> None:
    """Check that K(x, y) = K(y, x), that no matrix has a negative eigenvalue, and that all ways to K agree.

    `apply` is held against the product by `matrix`, on the same points and between two sets, and `diagonal` against the
    diagonal. Raises LawError with numbers, for as few points with as simple coordinates as show it.

    Parameters
    ----------
    kernel : Kernel or strategy
        K.
    points : (p, d) array or points, or strategy of these, optional
        What the kernel reads; drawn in dimension `dim` unless given, some of them equal.
    dim : int
        The dimension of points that are drawn.
    tolerance : float
        The largest gap beside the largest entry.
    examples : int
        Kernels or sets of points that are drawn.

    Examples
    --------
    >>> import geomflow as gf, numpy as np
    >>> from geomflow.kernels import Kernel
    >>> check_kernel(gf.GaussianKernel(0.3))
    >>> class Distance(Kernel):
    ...     def values(self, x, y):
    ...         return np.linalg.norm(x[:, None] - y, axis=2)
    ...     def diagonal(self, x):
    ...         return np.zeros(len(x))
    >>> check_kernel(Distance())
    Traceback (most recent call last):
        ...
    geomflow.testing.law.LawError: the kernel is not positive: its matrix has the eigenvalue -...
      ...
    """
    if points is None:
        from geomflow.testing.draw.kernels import clouds

        points = clouds(dim)
    require(lambda k, count: _first(k, points, tolerance, count), kernel, examples, few=5)


def _first(kernel: Any, points: Any, tolerance: float, examples: int) -> LawError | None:
    """The error of the smallest set of points for which a law fails."""
    x = smallest_failing(lambda at: next(_faults(kernel, at, tolerance), None) is not None, points, examples)
    if x is None:
        return None
    kind = next(_faults(kernel, x, tolerance))[0]
    fewest = _fewest(kernel, x, kind, tolerance)
    _, fault, evidence = next(f for f in _faults(kernel, fewest, tolerance) if f[0] == kind)
    return LawError(fault, evidence, {"kernel": kernel, "points": fewest})


def _fewest(kernel: Any, x: Any, kind: str, tolerance: float) -> Any:
    """As few of the points as show a fault of the same kind, with simple coordinates where these show it too."""

    def shows(points: Any) -> bool:
        try:
            return any(f[0] == kind for f in _faults(kernel, points, tolerance))
        except (GeomflowError, ArithmeticError):
            return False

    for count in (1, 2, 3):
        if len(x) > count:
            chosen = (x[list(rows)] for rows in combinations(range(min(len(x), 8)), count))
            few = next(filter(shows, chosen), None)
            if few is not None:
                x = few
                break
    if isinstance(x, np.ndarray) and np.isrealobj(x):
        for simple in (np.rint(x), np.round(x, 1), np.round(x, 3)):
            if shows(simple):
                return simple + 0.0
    return x


def _faults(kernel: Any, x: Any, tolerance: float) -> Iterator[tuple[str, str, list[str]]]:
    """What is wrong with a kernel at points: a kind, the fault in a line, and evidence."""
    matrix = np.asarray(kernel.matrix(x))
    if not np.isfinite(matrix).all():
        p, q = np.argwhere(~np.isfinite(matrix))[0]
        yield "finite", f"the kernel is {matrix[p, q]} between points {p} and {q}", []
        return
    largest = max(float(np.abs(matrix).max(initial=0.0)), 1e-300)
    allowed = tolerance * largest
    yield from _asymmetry(matrix, allowed)
    yield from _negative(matrix, tolerance)
    diagonal = np.asarray(kernel.diagonal(x))
    gap = np.abs(diagonal - np.diag(matrix))
    if gap.max(initial=0.0) > allowed:
        p = int(np.argmax(gap))
        yield "diagonal", "the kernel's diagonal is not that of its matrix", [
            f"diagonal(x)[{p}] = {diagonal[p]:.6g}, and matrix(x)[{p}, {p}] = {matrix[p, p]:.6g}"]
    yield from _sums(kernel, x, matrix, tolerance)


def _asymmetry(matrix: np.ndarray, allowed: float) -> Iterator[tuple[str, str, list[str]]]:
    gap = np.abs(matrix - matrix.T)
    if gap.max(initial=0.0) > allowed:
        p, q = np.unravel_index(int(np.argmax(gap)), gap.shape)
        yield "symmetric", "the kernel is not symmetric", [
            f"K(x_{p}, x_{q}) = {matrix[p, q]:.6g}, and K(x_{q}, x_{p}) = {matrix[q, p]:.6g}"]


def _negative(matrix: np.ndarray, tolerance: float) -> Iterator[tuple[str, str, list[str]]]:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    scale = max(float(np.abs(values).max(initial=0.0)), 1e-300)
    if len(values) and values[0] < -tolerance * scale:
        vector = vectors[:, 0] * np.sign(vectors[np.argmax(np.abs(vectors[:, 0])), 0])
        yield "positive", f"the kernel is not positive: its matrix has the eigenvalue {values[0]:.6g}", [
            f"ΣΣ c_p c_q K(x_p, x_q) < 0 for c = {np.array2string(vector, precision=3, separator=', ')}, beside a "
            f"largest eigenvalue of {values[-1]:.6g}"]


def _sums(kernel: Any, x: Any, matrix: np.ndarray, tolerance: float) -> Iterator[tuple[str, str, list[str]]]:
    count = len(matrix)
    values = np.cos(np.arange(2.0 * count)).reshape(count, 2)
    expected = matrix @ values
    room = tolerance / 10 * max(float(np.abs(matrix).sum(axis=1).max(initial=0.0)), 1.0)
    ways = [("apply(x, None, v)", None, {}), ("apply(x, x, v)", x, {}), ("apply(x, x, v, block=2)", x, {"block": 2})]
    for words, y, options in ways:
        found = kernel.apply(x, y, values, **options)
        gap = np.abs(found - expected)
        if gap.max(initial=0.0) > room:
            p, c = np.unravel_index(int(np.argmax(gap)), gap.shape)
            yield "apply", f"the kernel's {words} is not the product with its matrix", [
                f"at point {p} it is {found[p, c]:.6g}, and Σ_q K(x_{p}, x_q) v_q = {expected[p, c]:.6g}"]
            return
    half = kernel.matrix(x[:1], x)
    gap = np.abs(half - matrix[:1])
    if gap.max(initial=0.0) > tolerance * float(np.abs(matrix).max(initial=0.0)):
        q = int(np.argmax(gap[0]))
        yield "matrix", "the kernel's matrix(x, y) between two sets is not that of matrix(x)", [
            f"K(x_0, x_{q}) = {half[0, q]:.6g} and {matrix[0, q]:.6g}"]
