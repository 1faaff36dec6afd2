"""Derivatives of what is computed: an expression that is not linear in the fields is computed first, then
differentiated.

It becomes an inner stage, a grid function of its own, and the constant stencil of the derivative is applied to that;
its sum over a periodic grid is zero, so that equations in divergence form keep their mean to rounding. A flux a ∂_x w
is differentiated in its symmetric form, which keeps the mean too and, unlike two first differences, sees the shortest
waves of the grid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.program import Stage
from geomflow.core.symmetric import packed_places

HALF = Fraction(1, 2)


class Differences:
    """Derivatives along coordinates, and the inner stages that they stand on.

    Parameters
    ----------
    coordinates : sequence of str
        Names of the axes.
    taken : collection of str
        Names that the stages must not have.
    ignorable : sequence of str
        Coordinates that nothing depends on.
    """

    def __init__(self, coordinates: Sequence[str], taken: Collection[str] = (), ignorable: Sequence[str] = ()) -> None:
        self.coordinates, self.ignorable = tuple(coordinates), tuple(ignorable)
        self._derive = gr.Derivation(self.coordinates, ignorable)
        self._stem = "inner"
        while any(name.startswith(self._stem) for name in (*taken, *coordinates)):
            self._stem += "_"
        self._taken, self._called = frozenset(taken), dict[gr.Node, str]()
        self._inner: dict[gr.Node, tuple[int, str]] = {}
        self._varying: dict[gr.Node, bool] = {}

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The inner stages so far, by depth."""
        layers: dict[int, list[tuple[str, gr.Node]]] = {}
        for node, (depth, name) in sorted(self._inner.items(), key=lambda item: item[1][0]):
            layers.setdefault(depth, []).append((name, node))
        return tuple(Stage(tuple(layer)) for layer in layers.values())

    def __call__(self, node: gr.Node, *axes: int) -> gr.Node:
        """The derivative along axes, term by term: carried out where the term is linear, else of an inner stage."""
        if self._ignores(axes):
            return gr.ZERO
        plain: list[gr.Node] = []
        held: list[gr.Node] = []
        for term in summands(node):
            (held if self._varies(term) and not _linear(term) else plain).append(term)
        if not held:
            return self._plain(node, axes)
        if len(axes) > 1:
            return self._plain(self._held(node), axes)
        return self._plain(gr.add(*plain), axes) + self._plain(self._held(gr.add(*held)), axes)

    def divergence(self, fluxes: Sequence[gr.Node]) -> gr.Node:
        """Σ_k ∂_k F^k, where F^k is a sum of a ∂_k w in the symmetric form ½(∂²(a w) + a ∂²w − w ∂²a).

        Its sum over the grid vanishes because the stencil of ∂² is symmetric; unlike two first differences it sees the
        shortest waves of the grid.

        Parameters
        ----------
        fluxes : sequence of Node
            One along each coordinate.
        """
        found: list[gr.Node] = []
        for axis, flux in enumerate(fluxes):
            factors: dict[gr.Node, list[gr.Node]] = {}
            rest: list[gr.Node] = []
            for inner, part in self._parts(flux, axis):
                (rest if inner is None else factors.setdefault(inner, [])).append(part)
            found += [self._symmetric(gr.add(*parts), inner, axis) for inner, parts in factors.items()]
            found.append(self(gr.add(*rest), axis))
        return gr.add(*found)

    def of_flux(self, matrix: np.ndarray, node: gr.Node) -> gr.Node:
        """Σ_kl ∂_k(A^kl ∂_l s) = ½ Σ_kl (∂_k∂_l(A^kl s) + A^kl ∂_k∂_l s − s ∂_k∂_l A^kl) for a symmetric A.

        Its sum over the grid vanishes because the stencils of second derivatives are symmetric, and it sees the
        shortest waves, which two first differences do not.

        Parameters
        ----------
        matrix : (d, d) array of nodes
            A.
        node : Node
            s.
        """
        if not gr.leaves([node]):
            return gr.ZERO
        s, terms = self._held(node), list[gr.Node]()
        for k, l in packed_places(len(matrix)):
            if matrix[k, l] is gr.ZERO or self._ignores((k, l)):
                continue
            a, axes, share = self._held(matrix[k, l]), (k, l), HALF if k == l else 1
            outer = self._plain(self._held(matrix[k, l] * s), axes)
            terms.append(share * (outer + a * self._plain(s, axes) - s * self._plain(a, axes)))
        return gr.add(*terms)

    def _varies(self, node: gr.Node) -> bool:
        """Whether an expression holds a field or a derivative of one; what is known of its parts is remembered."""
        for part in gr.schedule([node], known=self._varying):
            self._varying[part] = part.op == "jet" or any(self._varying[argument] for argument in part.args)
        return self._varying[node]

    def call(self, node: gr.Node, name: str) -> None:
        """Let the inner stage that computes an expression have this name, if there is one and the name is free."""
        if name not in self._taken:
            self._called[node] = name

    def is_constant(self, node: gr.Node) -> bool:
        """Whether neither fields nor coordinates are in an expression."""
        return all(leaf.op == "symbol" and leaf.data not in self.coordinates for leaf in gr.leaves([node]))

    def held(self, node: gr.Node) -> gr.Node:
        """An expression as the output of an inner stage; what is linear in the fields as it is."""
        linear = all(_linear(term) or not gr.leaves([term]) for term in summands(node))
        return node if linear else self._held(node)

    def _ignores(self, axes: Sequence[int]) -> bool:
        return any(self.coordinates[axis] in self.ignorable for axis in axes)

    def _plain(self, node: gr.Node, axes: Sequence[int]) -> gr.Node:
        for axis in axes:
            node = self._derive(node, axis)
        return node

    def _held(self, node: gr.Node) -> gr.Node:
        """The inner stage that computes an expression, as a field; a field is itself."""
        index = (0,) * len(self.coordinates)
        if node.op == "jet" and node.data[1] == index:
            return node
        number, bare = gr.split(node)
        if bare not in self._inner:
            names = {leaf.data[0] for leaf in jets_of(bare)}
            depth = 1 + max((known for known, name in self._inner.values() if name in names), default=-1)
            self._inner[bare] = depth, self._called.get(bare, f"{self._stem}_{len(self._inner)}")
        return number * gr.jet(self._inner[bare][1], index)

    def _symmetric(self, a: gr.Node, inner: gr.Node, axis: int) -> gr.Node:
        """½(∂²(a w) + a ∂²w − w ∂²a) for the flux a ∂w.

        Its sum over the grid vanishes because the stencil of ∂² is symmetric.
        """
        twice = (axis, axis)
        if not gr.leaves([a]):
            return a * self._plain(self._held(inner), twice)
        w, factor = self._held(inner), self._held(a)
        outer = self._plain(self._held(a * inner), twice)
        return HALF * (outer + factor * self._plain(w, twice) - w * self._plain(factor, twice))

    def _parts(self, flux: gr.Node, axis: int) -> Iterator[tuple[gr.Node | None, gr.Node]]:
        """A flux as a sum of a ∂w along the axis, pairs (w, a), and of other terms, pairs (None, term).

        A product with a sum of such terms is multiplied out.
        """
        for term in summands(flux):
            number, bare = gr.split(term)
            factors = bare.args if bare.op == "mul" else (bare,)
            inner = {factor: w for factor in factors if (w := _integrated(factor, axis)) is not None}
            sums = [factor for factor, power in zip(bare.args, bare.data, strict=True)
                    if power == 1 and factor.op == "add" and _is_gradient(factor)] if bare.op == "mul" else []
            if inner:
                factor, w = next(iter(inner.items()))
                yield w, number * bare / factor
            elif sums:
                for part in summands(sums[0]):
                    yield from self._parts(number * (bare / sums[0]) * part, axis)
            else:
                yield None, term


def summands(node: gr.Node) -> Iterator[gr.Node]:
    """The terms of a sum, of sums within it too."""
    if node.op != "add":
        yield node
        return
    start, coefficients = node.data
    if start:
        yield gr.constant(start)
    for coefficient, term in zip(coefficients, node.args, strict=True):
        if term.op == "add":
            yield from (coefficient * part for part in summands(term))
        else:
            yield coefficient * term


def jets_of(node: gr.Node) -> list[gr.Node]:
    """The fields and their derivatives that an expression holds."""
    return [leaf for leaf in gr.leaves([node]) if leaf.op == "jet"]


def _linear(term: gr.Node) -> bool:
    """Whether a term is a number times a field or a derivative of one."""
    return gr.split(term)[1].op == "jet"


def _is_gradient(factor: gr.Node) -> bool:
    """Whether an expression is a derivative, or a sum of terms with one such factor each, as s g^{kl} ∂_l w is."""
    if factor.op != "add":
        return factor.op == "jet" and any(factor.data[1])
    for term in summands(factor):
        bare = gr.split(term)[1]
        factors = zip(bare.args, bare.data, strict=True) if bare.op == "mul" else [(bare, 1)]
        if [power for factor, power in factors if _is_gradient(factor)] != [1]:
            return False
    return True


def _integrated(factor: gr.Node, axis: int) -> gr.Node | None:
    """w, where the factor is ∂w of a w that is linear in the fields; None where it is not."""
    if factor.op == "jet" and factor.data[1][axis]:
        name, index = factor.data
        return gr.jet(name, [times - (n == axis) for n, times in enumerate(index)])
    if factor.op != "add" or factor.data[0]:
        return None
    parts = [_integrated(term, axis) for term in factor.args]
    if any(part is None for part in parts):
        return None
    return gr.linear(0, ((c, part) for c, part in zip(factor.data[1], parts, strict=True) if part is not None))
