"""A Kähler potential in coordinates, and scalars by structure realised there.

For deriving, z^a and z̄^a are independent coordinates, and the inverse metric and v are stages with the derivatives of
linear algebra; for running, everything is real nodes over x1, y1, x2, y2, ... What is differentiated becomes a stage.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Generic, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core import hermitian
from geomflow.core.errors import InputError
from geomflow.core.program import Stage
from geomflow.symbolic.kahler_tensors import KahlerTensors, complex_hessian
from geomflow.symbolic.linear import determinant, minors
from geomflow.symbolic.ring import HALF, E, GraphRing, Ring, WirtingerRing
from geomflow.symbolic.variation import potentials as pt
from geomflow.symbolic.variation.algebra import Scalar, Term
from geomflow.symbolic.variation.realise import Frame, Realisation

PHI = "phi"
Matrix = Sequence[Sequence[Any]]
SIMPSON = ((Fraction(0), Fraction(1, 6)), (HALF, Fraction(2, 3)), (Fraction(1), Fraction(1, 6)))
"""Times and weights, exact for polynomials of degree 3."""


@dataclass(frozen=True)
class KahlerClass:
    """The numbers of a Kähler class on a torus, means by d^{2n}x over the cell.

    Parameters
    ----------
    kappa : Node
        κ = ⟨det g_0⟩, so that det g = κ v with ⟨v⟩ = 1.
    cofactors : (n, n) Hermitian matrix
        ⟨∂det g_0/∂g_{0,ab̄}⟩, with entries as in `KahlerFrame`.
    cell : Node
        ∫ d^{2n}x.
    """

    kappa: gr.Node
    cofactors: Matrix
    cell: gr.Node = gr.ONE


@dataclass(frozen=True)
class KahlerFrame(Frame, Generic[E]):
    """A potential over a reference metric and a constant form χ, in coordinates.

    Parameters
    ----------
    coordinates : tuple of str
        The real coordinates x1, y1, x2, y2, ....
    reference, form : (n, n) Hermitian matrix
        g_0 and χ: real entries or pairs (re, im), exact numbers or nodes, or `Complex`.
    given : KahlerClass, optional
        The numbers of the class; unless given, those of a constant reference metric on a cell of volume 1.
    """

    coordinates: tuple[str, ...]
    reference: Matrix
    form: Matrix
    given: KahlerClass | None = None

    # what a kind of coordinates brings

    @property
    @abstractmethod
    def ring(self) -> Ring[E]:
        """The ring of the components, with derivations ∂_a, ∂_ā."""

    @abstractmethod
    def lift(self, re: gr.Node, im: gr.Node = gr.ZERO) -> E:
        """A number re + i im of real scalars as an element of the ring."""

    @abstractmethod
    def lower(self, element: E) -> gr.Node:
        """An element known to be real as a node."""

    @property
    def tensors(self) -> KahlerTensors[Ring[E]]:
        """The tensors of the metric, over jets of φ and of what is a stage."""
        return self.explicit

    @property
    def ratio(self) -> gr.Node:
        """v, over jets of φ unless it is the output of a stage."""
        return self.explicit_ratio

    # what follows

    @property
    def dim(self) -> int:
        """The complex dimension n."""
        return len(self.coordinates) // 2

    @property
    def places(self) -> list[tuple[int, int]]:
        """The places (a, b) of an (n, n) matrix."""
        return [(a, b) for a in range(self.dim) for b in range(self.dim)]

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
        pairs = ((rows[place], chi[place]) for place in self.places)
        return self.lower(self.ring.real(self.ring.dot(pairs))) / self.kappa

    @cached_property
    def constants(self) -> dict[gr.Node, gr.Node]:
        """The values of the numbers of the class that scalars by structure may contain."""
        cell = gr.ONE if self.given is None else self.given.cell
        return {pt.MEAN_TRACE: self.mean_trace, pt.MASS: self.flat_volume * cell}

    @property
    def flat_volume(self) -> gr.Node:
        """The density of dμ_Ω, a number: 2ⁿκ."""
        volume: gr.Node = 2**self.dim * self.kappa
        return volume

    @property
    def volume(self) -> gr.Node:
        """The density of dμ_J: 2ⁿκ v."""
        return self.flat_volume * self.ratio

    def constant_matrix(self, entries: Matrix) -> np.ndarray:
        """A constant Hermitian matrix as ring elements."""
        result = self.ring.array((self.dim, self.dim))
        for a, b in self.places:
            entry = entries[a][b]
            if isinstance(entry, gr.Complex):
                result[a, b] = entry
            else:
                re, im = entry if isinstance(entry, tuple) else (entry, 0)
                result[a, b] = self.lift(gr.node(re), gr.node(im))
        return result

    def hessian(self, scalar: gr.Node) -> np.ndarray:
        """∂_a∂_b̄ of a real scalar."""
        return complex_hessian(self.ring, self.lift(scalar), self.dim)

    def metric_at(self, time: Fraction | int) -> np.ndarray:
        """g_0 + t ∂∂̄φ."""
        moved: np.ndarray = self.ring.scaled(self.hessian(self.leaf(PHI)), time)
        moved += self.constant_matrix(self.reference)
        return moved

    @cached_property
    def explicit(self) -> KahlerTensors[Ring[E]]:
        """The tensors of the metric g_{ab̄} = g_0 + ∂_a∂_b̄φ over jets of φ."""
        return KahlerTensors(self.ring, self.metric_at(1))

    @cached_property
    def explicit_ratio(self) -> gr.Node:
        """v = det g/κ over jets of φ."""
        return self.lower(self.explicit.determinant) / self.kappa

    def laplacian(self, s: gr.Node) -> gr.Node:
        """Δ_∂s."""
        return self.lower(self.tensors.laplacian(self.lift(s)))

    def pairing(self, s: gr.Node, t: gr.Node) -> gr.Node:
        """Re g^{ab̄}∂_as ∂_b̄t."""
        return self.lower(self.tensors.pairing(self.lift(s), self.lift(t)))

    def path_density(self, kind: str) -> gr.Node:
        """The density of ∫_0^1 ∫ φ dμ_t dt ("volume") or ∫_0^1 ∫ φ (tr_t χ − c) dμ_t dt ("form"), at g_0 + t∂∂̄φ.

        The integrand is a polynomial in t of degree n <= 3 at most: Simpson's rule is exact.
        """
        if self.dim > 3:
            raise InputError(f"energies along paths are offered in complex dimension 1 to 3, not {self.dim}: there "
                             "Simpson's rule, exact for polynomials of degree 3, integrates them.")
        values = gr.add(*(w * self._path_point(kind, self.metric_at(t)) for t, w in SIMPSON))
        density: gr.Node = 2**self.dim * self.leaf(PHI) * values
        return density - self.mean_trace * self.path_density("volume") if kind == "form" else density

    def _path_point(self, kind: str, metric: np.ndarray) -> gr.Node:
        if kind == "volume":
            return self.lower(determinant(self.ring, metric))
        chi, terms, everything = self.constant_matrix(self.form), [], tuple(range(self.dim))
        for a in everything:
            replaced = metric.copy()
            replaced[a] = chi[a]
            terms.append(minors(self.ring, replaced)(everything, everything))
        return self.lower(self.ring.real(self.ring.total(terms)))


@final
@dataclass(frozen=True)
class RunningKahler(KahlerFrame[gr.Complex]):
    """Over real coordinates: complex numbers of real nodes over jets of φ."""

    @cached_property
    def ring(self) -> WirtingerRing:
        """Complex numbers of real nodes."""
        return WirtingerRing(self.coordinates)

    def lift(self, re: gr.Node, im: gr.Node = gr.ZERO) -> gr.Complex:
        """re + i im."""
        return gr.Complex(re, im)

    def lower(self, element: gr.Complex) -> gr.Node:
        """The real part."""
        return element.re

    @property
    def static_names(self) -> tuple[str, ...]:
        """The given functions that the reference metric is made of, in packed order: the diagonal first."""
        entries = hermitian.entries(self.constant_matrix(self.reference))
        jets = (leaf for e in entries for part in (e.re, e.im) for leaf in gr.leaves([part]) if leaf.op == "jet")
        return tuple(dict.fromkeys(leaf.data[0] for leaf in jets))

    def partial(self, s: gr.Node, axis: int) -> gr.Node:
        """∂s/∂x^i."""
        return self.ring.derivation(s, axis)


@final
@dataclass(frozen=True)
class DerivingKahler(KahlerFrame[gr.Node]):
    """Over z^a and z̄^a as independent coordinates: nodes over jets of φ, of the inverse metric and of v."""

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """z1, z2, ..., zb1, zb2, ...."""
        return tuple(f"{z}{a + 1}" for z in ("z", "zb") for a in range(self.dim))

    @property
    def groups(self) -> tuple[int, ...]:
        """(n, n)."""
        return (self.dim, self.dim)

    @cached_property
    def ring(self) -> GraphRing:
        """Nodes with derivations along z^a and z̄^a."""
        return GraphRing(self.axes)

    def lift(self, re: gr.Node, im: gr.Node = gr.ZERO) -> gr.Node:
        """re + i im."""
        return re + im * gr.I

    def lower(self, element: gr.Node) -> gr.Node:
        """The element."""
        return element

    @cached_property
    def tensors(self) -> KahlerTensors[Ring[gr.Node]]:
        """The tensors over the inverse metric as outputs of a stage."""
        inverse = self.ring.array((self.dim, self.dim))
        for place in self.places:
            inverse[place] = self.leaf(_inverse_name(*place))
        return KahlerTensors(self.ring, self.explicit.matrix, inverse)

    @property
    def ratio(self) -> gr.Node:
        """v, the output of a stage."""
        return self.leaf("v")

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The inverse metric and v."""
        explicit = self.explicit.inverse
        entries = tuple((_inverse_name(*p), explicit[p]) for p in self.places)
        return (Stage(entries, self._inverse_pullback), Stage((("v", self.explicit_ratio),), self._ratio_pullback))

    def waves(self, k: Sequence[gr.Node]) -> tuple[gr.Node, ...]:
        """½i(k_x − ik_y) for ∂_a, ½i(k_x + ik_y) for ∂_ā."""
        pairs = list(zip(k[::2], k[1::2], strict=True))
        return (*(HALF * gr.I * (x - gr.I * y) for x, y in pairs), *(HALF * gr.I * (x + gr.I * y) for x, y in pairs))

    def partial(self, s: gr.Node, axis: int) -> gr.Node:
        """∂s/∂x^a = ∂_as + ∂_ās for even axes, ∂s/∂y^a = i(∂_as − ∂_ās) for odd ones."""
        a, odd = divmod(axis, 2)
        holomorphic, conjugate = self.ring.d(s, a), self.ring.d(s, self.dim + a)
        return gr.I * (holomorphic - conjugate) if odd else holomorphic + conjugate

    def _jets(self, slopes: np.ndarray) -> Mapping[gr.Node, gr.Node]:
        """The derivatives by ∂_a∂_b̄φ from those by g_{ab̄}."""
        jets = self.hessian(self.leaf(PHI))
        return {jets[place]: slopes[place] for place in self.places}

    def _inverse_pullback(self, adjoints: Mapping[str, gr.Node]) -> Mapping[gr.Node, gr.Node]:
        """d(g⁻¹) = −g⁻¹ dg g⁻¹."""
        weights = self.ring.array((self.dim, self.dim))
        for place in self.places:
            weights[place] = adjoints.get(_inverse_name(*place), gr.ZERO)
        return self._jets(-self.ring.multiply(self.tensors.inverse.T, weights, self.tensors.inverse.T))

    def _ratio_pullback(self, adjoints: Mapping[str, gr.Node]) -> Mapping[gr.Node, gr.Node]:
        """dv = v tr g⁻¹dg."""
        return self._jets(self.tensors.inverse.T * (adjoints["v"] * self.ratio))


def _inverse_name(b: int, a: int) -> str:
    return f"inverse_{a + 1}{b + 1}"


@final
class KahlerRealisation(Realisation[KahlerFrame[Any], pt.PotentialAlgebra]):
    """Realises scalars of a potential in one frame."""

    def __init__(self, algebra: pt.PotentialAlgebra, frame: KahlerFrame[Any], tag: str = "",
                 values: Mapping[gr.Node, gr.Node] | None = None) -> None:
        super().__init__(algebra, frame, tag, {**frame.constants, **(values or {})})

    def _name(self, scalar: gr.Node) -> str:
        known = {self.algebra.v: "v", gr.log(self.algebra.v): "log_v", self.algebra.scalar: "R"}
        return self._tag + known[scalar] if scalar in known else self._next("scalar")

    def _own_term(self, term: Term) -> gr.Node:
        frame, tensors = self.frame, self.frame.tensors
        match term:
            case pt.Potential():
                return frame.leaf(PHI)
            case pt.Ratio():
                return frame.ratio
            case pt.ReferenceRatio():
                base = frame.constant_matrix(frame.reference)
                return frame.lower(determinant(frame.ring, base)) / (frame.kappa * frame.ratio)
            case Scalar():
                return -2 * frame.laplacian(self.field(gr.log(self.algebra.v)))
            case pt.FormTrace():
                return frame.lower(tensors.trace(frame.constant_matrix(frame.form)))
            case pt.HessianPairing(s, t):
                return frame.lower(tensors.contracted(frame.hessian(self.field(s)), frame.hessian(self.field(t))))
            case pt.DoubleDivergence(kind, weight, scalars):
                return self._double_divergence(kind, weight, scalars)
        raise InputError(f"{type(term).__name__} is not a scalar of a Kähler potential")

    def _double_divergence(self, kind: str, weight: gr.Node, scalars: tuple[gr.Node, ...]) -> gr.Node:
        """∇_c∇_d̄ U^{cd̄} = v^{-1} ∂_c∂_d̄(v U^{cd̄}), the measure v dμ_Ω being that of the metric and Ω flat."""
        frame, ring = self.frame, self.frame.ring
        scale = frame.lift(self.value(weight) * frame.ratio)
        leaves = self._flux_stage(frame.tensors.raised(self._tensor(kind, scalars)) * scale)
        terms = [ring.d(ring.d(leaves[c, d], c), frame.dim + d) for c, d in frame.places]
        return frame.lower(ring.real(ring.total(terms))) / frame.ratio

    def _tensor(self, kind: str, scalars: tuple[gr.Node, ...]) -> np.ndarray:
        frame, fields = self.frame, [self.field(s) for s in scalars]
        if kind == "form":
            return frame.constant_matrix(frame.form)
        if kind == "outer":
            return frame.tensors.outer(*map(frame.lift, fields))
        hessians = [frame.hessian(f) for f in fields]
        return hessians[0] if kind == "hessian" else frame.tensors.composed(*hessians)

    def _flux_stage(self, flux: np.ndarray) -> np.ndarray:
        """The flux as outputs of a stage; Hermitian, so that complex numbers of real nodes are n² of them."""
        frame, name = self.frame, self._next("current")
        outputs: dict[str, gr.Node] = {}
        leaves = frame.ring.array(flux.shape)
        for c, d in frame.places:
            label, entry = f"{name}_{c + 1}{d + 1}", flux[c, d]
            if isinstance(entry, gr.Node):
                outputs[label] = entry
                leaves[c, d] = frame.leaf(label)
            elif c <= d:
                parts = {f"{label}_re": entry.re} | ({f"{label}_im": entry.im} if c < d else {})
                outputs |= parts
                leaves[c, d] = gr.Complex(*map(frame.leaf, parts))
                leaves[d, c] = leaves[c, d].conjugate()
        self.stage(outputs)
        return leaves
