"""Scalars of a Kähler potential in coordinates: Wirtinger coordinates for deriving, real ones for running.

In the derivation frame z^a and z̄^a are independent coordinates, the inverse metric and v are stages, and their
derivatives are those of linear algebra; in the running frame everything is real nodes over x1, y1, x2, y2, ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core import hermitian
from geomflow.core.errors import InputError
from geomflow.core.program import Stage
from geomflow.symbolic.curvature import complex_hessian, complex_trace
from geomflow.symbolic.linear import determinant, minors
from geomflow.symbolic.ring import GraphRing, Ring, WirtingerRing
from geomflow.symbolic.tensors import KahlerTensors
from geomflow.symbolic.variation.realise import Frame

PHI = "phi"
MEAN_TRACE, MASS = gr.symbol("c_chi"), gr.symbol("mu_Omega")
"""c = ∫ tr χ dμ_J/∫ dμ_J and ∫ dμ_Ω, numbers of the Kähler class, in scalars by structure."""
Matrix = Sequence[Sequence[Any]]
Entries = Any
"""A NumPy array of ring elements: object arrays have no type of their entries."""


@dataclass(frozen=True)
class KahlerClass:
    """The numbers of a Kähler class on a torus, means by d^{2n}x over the cell.

    kappa      κ = ⟨det g_0⟩, so that det g = κ v with ⟨v⟩ = 1
    cofactors  ⟨∂det g_0/∂g_{0,ab̄}⟩, an (n, n) Hermitian matrix as in `KahlerFrame`
    cell       ∫ d^{2n}x
    """

    kappa: gr.Node
    cofactors: Matrix
    cell: gr.Node = gr.ONE


@dataclass(frozen=True)
class KahlerFrame(Frame):
    """A potential over a reference metric and a constant form χ, in coordinates.

    reference, form   (n, n) Hermitian matrices: real entries or pairs (re, im), exact numbers or nodes, or `Complex`
    given             the numbers of the class; unless given, those of a constant reference metric on a cell of volume 1
    """

    dim: int
    reference: Matrix
    form: Matrix
    given: KahlerClass | None = None
    real: bool = False
    coordinates: tuple[str, ...] = ()

    @cached_property
    def kappa(self) -> gr.Node:
        """κ = ⟨det g_0⟩: det g = κ v."""
        return self._path_point("volume", self.metric_at(0)) if self.given is None else self.given.kappa

    @cached_property
    def mean_trace(self) -> gr.Node:
        """c = ∫ tr χ dμ_J/∫ dμ_J."""
        if self.given is None:
            return self._path_point("form", self.metric_at(0)) / self.kappa
        chi, rows = self.constant_matrix(self.form), self.constant_matrix(self.given.cofactors)
        pairs = ((rows[place], chi[place]) for place in np.ndindex(chi.shape))
        return self.lower(self.ring.real(self.ring.dot(pairs))) / self.kappa

    @cached_property
    def constants(self) -> dict[gr.Node, gr.Node]:
        """The values of the numbers of the class that scalars by structure may contain."""
        cell = gr.ONE if self.given is None else self.given.cell
        return {MEAN_TRACE: self.mean_trace, MASS: 2**self.dim * self.kappa * cell}

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """The sizes of the groups of coordinates."""
        return (2 * self.dim,) if self.real else (self.dim, self.dim)

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The coordinates that jets differentiate along."""
        if self.real:
            return self.coordinates
        return tuple(f"{z}{a + 1}" for z in ("z", "zb") for a in range(self.dim))

    @cached_property
    def ring(self) -> Ring:
        """Nodes over Wirtinger coordinates, or complex numbers of real nodes."""
        return WirtingerRing(self.axes) if self.real else GraphRing(self.axes)

    @property
    def static_names(self) -> tuple[str, ...]:
        """The given functions that the reference metric is made of, in packed order: the diagonal first."""
        entries = hermitian.entries(self.constant_matrix(self.reference))
        parts = [part for e in entries for part in ((e.re, e.im) if isinstance(e, gr.Complex) else (e,))]
        jets = (leaf for part in parts for leaf in gr.leaves([part]) if leaf.op == "jet")
        return tuple(dict.fromkeys(leaf.data[0] for leaf in jets))

    def lift(self, node: gr.Node) -> Any:
        """A real scalar as an element of the ring."""
        return gr.Complex(node) if self.real else node

    def lower(self, element: Any) -> gr.Node:
        """An element known to be real as a node."""
        return element.re if self.real else element

    def constant_matrix(self, entries: Matrix) -> Entries:
        """A constant Hermitian matrix as ring elements."""
        result = self.ring.array((self.dim, self.dim))
        for a, b in product(range(self.dim), repeat=2):
            entry = entries[a][b]
            if isinstance(entry, gr.Complex):
                result[a, b] = entry
                continue
            re, im = entry if isinstance(entry, tuple) else (entry, 0)
            result[a, b] = gr.Complex(gr.node(re), gr.node(im)) if self.real else re + im * gr.I
        return result

    def hessian(self, scalar: gr.Node) -> Entries:
        """∂_a∂_b̄ of a real scalar."""
        return complex_hessian(self.ring, self.lift(scalar), self.dim)

    def metric_at(self, time: Fraction | int) -> Entries:
        """g_0 + t ∂∂̄φ."""
        hessian, base = self.hessian(self.leaf(PHI)), self.constant_matrix(self.reference)
        number = self.ring.number(time)
        result = self.ring.array((self.dim, self.dim))
        for place in np.ndindex(result.shape):
            result[place] = base[place] + number * hessian[place]
        return result

    @cached_property
    def metric(self) -> Entries:
        """g_{ab̄} = g_0 + ∂_a∂_b̄φ."""
        return self.metric_at(1)

    @cached_property
    def explicit(self) -> KahlerTensors[Ring]:
        """The tensors of the metric over jets of φ."""
        return KahlerTensors(self.ring, self.metric)

    @cached_property
    def explicit_ratio(self) -> gr.Node:
        """v = det g/κ over jets of φ."""
        return self.lower(self.explicit.determinant) / self.kappa

    @cached_property
    def inverse(self) -> Entries:
        """The inverse matrix: over jets of φ when running, outputs of a stage when deriving."""
        if self.real:
            return self.explicit.inverse
        result = self.ring.array((self.dim, self.dim))
        for place in np.ndindex(result.shape):
            result[place] = self.leaf(_inverse_name(*place))
        return result

    @cached_property
    def ratio(self) -> gr.Node:
        """v: over jets of φ when running, the output of a stage when deriving."""
        return self.explicit_ratio if self.real else self.leaf("v")

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The inverse metric and v, when deriving."""
        if self.real:
            return ()
        explicit: Entries = self.explicit.inverse
        entries = tuple((_inverse_name(*p), explicit[p]) for p in np.ndindex(self.dim, self.dim))
        return (Stage(entries, self._inverse_pullback), Stage((("v", self.explicit_ratio),), self._ratio_pullback))

    def _jets(self, slopes: Entries) -> Mapping[gr.Node, gr.Node]:
        """The derivatives by ∂_a∂_b̄φ from those by g_{ab̄}."""
        jets = self.hessian(self.leaf(PHI))
        return {jets[place]: slopes[place] for place in np.ndindex(slopes.shape)}

    def _inverse_pullback(self, adjoints: Mapping[str, gr.Node]) -> Mapping[gr.Node, gr.Node]:
        """d(g⁻¹) = −g⁻¹ dg g⁻¹."""
        weights = self.ring.array((self.dim, self.dim))
        for place in np.ndindex(weights.shape):
            weights[place] = adjoints.get(_inverse_name(*place), gr.ZERO)
        return self._jets(-multiply(self.ring, self.inverse.T, weights, self.inverse.T))

    def _ratio_pullback(self, adjoints: Mapping[str, gr.Node]) -> Mapping[gr.Node, gr.Node]:
        """dv = v tr g⁻¹dg."""
        return self._jets(self.inverse.T * (adjoints["v"] * self.ratio))

    def trace(self, tensor: Entries) -> gr.Node:
        """g^{ab̄}T_{ab̄}."""
        return self.lower(complex_trace(self.ring, self.inverse, tensor))

    def partial(self, s: gr.Node, axis: int) -> gr.Node:
        """∂s/∂x^a = ∂_as + ∂_ās for even axes, ∂s/∂y^a = i(∂_as − ∂_ās) for odd ones."""
        derive = gr.Derivation(self.axes)
        if self.real:
            return derive(s, axis)
        a, odd = divmod(axis, 2)
        holomorphic, conjugate = derive(s, a), derive(s, self.dim + a)
        return gr.I * (holomorphic - conjugate) if odd else holomorphic + conjugate

    def pairing(self, s: gr.Node, t: gr.Node) -> gr.Node:
        """Re g^{ab̄}∂_as ∂_b̄t."""
        return self.trace(self.outer(s, t))

    def outer(self, s: gr.Node, t: gr.Node) -> Entries:
        """½(∂_as ∂_b̄t + ∂_at ∂_b̄s)."""
        ring, n = self.ring, self.dim
        ds, dt = ([ring.d(self.lift(u), k) for k in range(2 * n)] for u in (s, t))
        half = ring.number(Fraction(1, 2))
        result = ring.array((n, n))
        for a, b in product(range(n), repeat=2):
            result[a, b] = half * (ds[a] * dt[n + b] + dt[a] * ds[n + b])
        return result

    def composed(self, first: Entries, second: Entries) -> Entries:
        """½(s_{ac̄}g^{c̄e}t_{eb̄} + t_{ac̄}g^{c̄e}s_{eb̄})."""
        whole = (multiply(self.ring, x, self.inverse, y) for x, y in ((first, second), (second, first)))
        half = self.ring.number(Fraction(1, 2))
        result = self.ring.array((self.dim, self.dim))
        one, other = whole
        for place in np.ndindex(result.shape):
            result[place] = half * (one[place] + other[place])
        return result

    def raised(self, tensor: Entries) -> Entries:
        """T^{cd̄} = g^{cb̄}g^{ad̄}T_{ab̄}."""
        return multiply(self.ring, self.inverse, tensor, self.inverse).T

    def contracted(self, first: Entries, second: Entries) -> gr.Node:
        """S_{ab̄}T^{b̄a}."""
        lifted = multiply(self.ring, self.inverse, first, self.inverse)
        pairs = ((lifted[b, a], second[a, b]) for a, b in product(range(self.dim), repeat=2))
        return self.lower(self.ring.real(self.ring.dot(pairs)))

    def path_density(self, kind: str) -> gr.Node:
        """The density of ∫_0^1 ∫ φ dμ_t dt ("volume") or ∫_0^1 ∫ φ (tr_t χ − c) dμ_t dt ("form"), at g_0 + t∂∂̄φ.

        The integrand is a polynomial in t of degree n <= 3 at most: Simpson's rule is exact.
        """
        if self.dim > 3:
            raise InputError(f"energies along paths are offered in complex dimension 1 to 3, not {self.dim}: there "
                             "Simpson's rule, exact for polynomials of degree 3, integrates them.")
        weights = ((0, Fraction(1, 6)), (Fraction(1, 2), Fraction(2, 3)), (1, Fraction(1, 6)))
        values = gr.add(*(w * self._path_point(kind, self.metric_at(t)) for t, w in weights))
        density: gr.Node = 2**self.dim * self.leaf(PHI) * values
        return density - self.mean_trace * self.path_density("volume") if kind == "form" else density

    def _path_point(self, kind: str, metric: Entries) -> gr.Node:
        if kind == "volume":
            return self.lower(determinant(self.ring, metric))
        chi, terms = self.constant_matrix(self.form), []
        for a in range(self.dim):
            replaced = metric.copy()
            replaced[a] = chi[a]
            terms.append(general_determinant(self.ring, replaced))
        return self.lower(self.ring.real(self.ring.total(terms)))


def _inverse_name(b: int, a: int) -> str:
    return f"inverse_{a + 1}{b + 1}"


def general_determinant(ring: Ring, matrix: Entries) -> Any:
    """The determinant of a matrix without symmetry."""
    everything = tuple(range(len(matrix)))
    return minors(ring, matrix)(everything, everything)


def multiply(ring: Ring, *matrices: Entries) -> Entries:
    """The product of square matrices of ring elements."""
    total = matrices[0]
    for factor in matrices[1:]:
        result = ring.array(total.shape)
        for i, j in np.ndindex(total.shape):
            result[i, j] = ring.dot((total[i, k], factor[k, j]) for k in range(len(factor)))
        total = result
    return total
