"""Derivatives that are carried out exactly: of normal forms, and without the stages that numbers on grids need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import final

import numpy as np

from geomflow.core import graph as gr
from geomflow.symbolic.language.differences import Differences


@final
class Derivatives(Differences):
    """Derivatives along coordinates of expressions in normal form.

    Parameters
    ----------
    coordinates : sequence of str
        Names of the axes.
    taken : collection of str
        Names that are somebody's.
    short : callable
        The normal form of a node: curvature that is constant is seen to be before it is differentiated.
    """

    def __init__(self, coordinates: Sequence[str], taken: Collection[str], short: Callable[[gr.Node], gr.Node]) -> None:
        super().__init__(coordinates, taken)
        self._short, self._known = short, dict[gr.Node, gr.Node]()

    def __call__(self, node: gr.Node, *axes: int) -> gr.Node:
        """The derivative along axes."""
        return self._plain(self.held(node), axes)

    def held(self, node: gr.Node) -> gr.Node:
        """The normal form of an expression."""
        if node not in self._known:
            self._known[node] = self._short(node) if node.args else node
        return self._known[node]

    def divergence(self, fluxes: Sequence[gr.Node]) -> gr.Node:
        """Σ_k ∂_k F^k.

        Parameters
        ----------
        fluxes : sequence of Node
            One along each coordinate.
        """
        return gr.add(*(self(flux, axis) for axis, flux in enumerate(fluxes)))

    def of_flux(self, matrix: np.ndarray, node: gr.Node) -> gr.Node:
        """Σ_kl ∂_k(A^kl ∂_l s).

        Parameters
        ----------
        matrix : (d, d) array of nodes
            A.
        node : Node
            s.
        """
        slopes = [self(node, axis) for axis in range(len(matrix))]
        return self.divergence([gr.add(*(a * slope for a, slope in zip(row, slopes, strict=True))) for row in matrix])
