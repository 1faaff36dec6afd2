"""The noun `KahlerKernel`: a fixed kernel of the Kähler potential."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from geomflow.fits.potentials.span import PotentialSpan

if TYPE_CHECKING:
    from geomflow.variety.points import Points


class KahlerKernel(ABC):
    """A symmetric, positive semi-definite K(x, y) of two points of a hypersurface, smooth enough for ∂∂̄∂∂̄K to exist.

    A metric g_FS + ∂∂̄φ with φ = Σ_c a_c K(·, c) is Kähler and in the class of g_FS wherever it is positive, and one
    function on the whole variety: K depends on points, not on their representatives or coordinates.
    """

    @abstractmethod
    def span(
        self, points: Points, kahler_class: tuple[float, ...] | None = None, tolerance: float = 1e-10
    ) -> PotentialSpan:
        """The functions K(·, c) with c among the points, as many as are independent up to `tolerance`.

        `tolerance` is relative to the largest K(c, c): what is left out has a norm below its root. The Gram matrix of
        all points is formed: 2,500 of them take 50 MB. Raises `MemoryLimitError` before it is.
        """
