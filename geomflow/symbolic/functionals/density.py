"""A user's own functional, from its density in text, sympy or graph nodes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, final

import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.core.graph.sympy_bridge import from_sympy, to_sympy
from geomflow.core.symmetric import packed_places
from geomflow.symbolic.functionals.functional import DENSITIES, Functional
from geomflow.symbolic.functionals.metric import MetricFunctional
from geomflow.symbolic.functionals.potential import PotentialFunctional
from geomflow.symbolic.given import given
from geomflow.symbolic.jets import metric_names
from geomflow.symbolic.variation.algebra import Algebra, Partial
from geomflow.symbolic.variation.kahler_frame import PHI
from geomflow.symbolic.variation.metrics import Component, MetricAlgebra
from geomflow.symbolic.variation.potentials import PotentialAlgebra
from geomflow.symbolic.variation.residues import invariant, unitary_invariant

Names = dict[str, Callable[[], gr.Node]]
"""The words of a density, each made on first use."""


@dataclass(frozen=True)
class Density(Functional):
    """What users' own densities share, whatever they are of."""

    given: Any
    measure: str
    label: str
    source: ClassVar[str] = "given by the user"

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name given."""
        return self.label

    @property
    def definition(self) -> str:  # type: ignore[override]
        """E = ∫ density."""
        return f"E = ∫ ({self.given}) {_MEASURES.get(self.measure, self.measure)}"

    @abstractmethod
    def _words(self, use: Any) -> tuple[Names, dict[str, Any]]:
        """The quantities and the functions of the language, beside `d`."""

    def _read(self, use: Algebra) -> gr.Node:
        """The density by the measure."""
        (names, functions), coordinates = self._words(use), self.coordinates
        functions["d"] = partial(_partial, use, coordinates)
        return read(self.given, use, names, functions, coordinates)


_MEASURES = {"dmu": "dμ_J", "omega": "dμ_Ω"}


@final
@dataclass(frozen=True)
class MetricDensity(Density, MetricFunctional):
    """∫ density dV, or dm; see `Functional.from_density`.

    Parameters
    ----------
    geometry : Torus or Chart
        Real, of dimension 2, 3 or 4.
    given : str, sympy.Expr, Node or callable
        The density, in the words of `Functional.from_density`.
    measure : {"dV", "dm"}
        What it is integrated against.
    label : str
        The functional's name.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        use = MetricAlgebra()
        realise = self.deriving(use)
        staged = realise.staged([realise.value(self._read(use))])
        names = dict(zip(packed_places(realise.frame.dim), metric_names(self.coordinates), strict=True))
        if not invariant(staged, names, ["f"]):
            raise not_covariant(self.given)

    @property
    def metrics(self) -> tuple[str, ...]:  # type: ignore[override]
        """With an f, "weighted" too."""
        return ("ebin", "L2") if self.dilaton is None else ("weighted", "ebin", "L2")

    @property
    def dilaton(self) -> bool | None:
        """Whether f is log(dV/dm), an unknown, or absent."""
        if self.measure == "dm":
            return True
        use = MetricAlgebra()
        self._read(use)
        return False if "f" in use.terms else None

    def _words(self, use: MetricAlgebra) -> tuple[Names, dict[str, Any]]:
        """R, Ric2, f and the components of the metric; Laplacians and pairings."""
        names: Names = {"R": lambda: use.scalar, "Ric2": lambda: use.ricci_squared, "f": lambda: use.dilaton}
        for name, place in zip(metric_names(self.coordinates), packed_places(len(self.coordinates)), strict=True):
            names[name] = partial(use.symbol, Component(name, place))
        return names, {"laplacian": use.laplacian, "dot": use.pairing}

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """The density by dV."""
        found = self._read(use)
        return found * gr.exp(-use.dilaton) if self.measure == "dm" else found


@final
@dataclass(frozen=True)
class PotentialDensity(Density, PotentialFunctional):
    """∫ density dμ_J, or dμ_Ω; see `Functional.from_density`.

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    given : str, sympy.Expr, Node or callable
        The density, in the words of `Functional.from_density`.
    measure : {"dmu", "omega"}
        What it is integrated against.
    label : str
        The functional's name.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        use = PotentialAlgebra()
        realise = self.deriving(use)
        density = realise.value(self._read(use))
        nodes = [density, *(node for stage in realise.stages for node in stage.nodes)]
        fixed = {leaf.data for leaf in gr.leaves(nodes) if leaf.op == "symbol"} & set(self.coordinates)
        if fixed or not unitary_invariant(realise.staged([density]), [PHI]):
            raise not_covariant(self.given)

    def _words(self, use: PotentialAlgebra) -> tuple[Names, dict[str, Any]]:
        """R, Ric2, phi and v; Riemannian Laplacians and pairings."""
        return ({"R": lambda: use.scalar, "Ric2": lambda: use.ricci_squared, "phi": lambda: use.phi,
                 "v": lambda: use.v},
                {"laplacian": lambda s: 2 * use.laplacian(s), "dot": lambda s, t: 2 * use.pairing(s, t)})

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """The density by dμ_J."""
        found = self._read(use)
        return found / use.v if self.measure == "omega" else found


def not_covariant(density: Any) -> InputError:
    """The error for a density that a change of coordinates changes."""
    return InputError(f"the density '{density}' is not covariant: its value at a point changes under a random change "
                      "of coordinates, so its integral depends on the chart. Write it in R, Ric2, f, v, phi, "
                      "laplacian(s) and dot(s, t).")


def _partial(use: Algebra, coordinates: tuple[str, ...], s: gr.Node, *along: gr.Node) -> gr.Node:
    for axis in along:
        if axis.data not in coordinates:
            raise InputError(f"d(s, x) differentiates along coordinates ({', '.join(coordinates)}), not '{axis}'.")
        s = use.symbol(Partial(s, coordinates.index(axis.data)))
    return s


def read(density: Any, algebra: Algebra, names: Mapping[str, Callable[[], gr.Node]],
         functions: Mapping[str, Any], coordinates: tuple[str, ...]) -> gr.Node:
    """The density as a node over the algebra's symbols.

    Raises InputError for a coordinate that has the name of a word of the language, and for a complex density.
    """
    captured = sorted({*names, *functions}.intersection(coordinates))
    if captured:
        raise InputError(f"the coordinate '{captured[0]}' has the name of a word that densities are written in "
                         f"({', '.join([*names, *functions])}); give it another name.")
    if callable(density) and not isinstance(density, sympy.Basic):
        return gr.node(density(algebra))
    if isinstance(density, gr.Node):
        expression = density
    else:
        stand_ins = {n: sympy.Symbol(n) for n in (*names, *coordinates)}
        table = {**stand_ins, **{n: _wrapped(f, names) for n, f in functions.items()}}
        expression = from_sympy(given(density, table))
    if gr.I in gr.schedule([expression]):
        raise InputError(f"the density '{density}' holds the imaginary unit, and densities are real; write it without.")
    return _resolved(expression, names)


def _resolved(expression: gr.Node, names: Mapping[str, Callable[[], gr.Node]]) -> gr.Node:
    """With the names of the language replaced by what they stand for."""
    used = {leaf: names[leaf.data]() for leaf in gr.leaves([expression]) if leaf.op == "symbol" and leaf.data in names}
    return gr.substitute([expression], used)[0] if used else expression


def _wrapped(function: Any, names: Mapping[str, Callable[[], gr.Node]]) -> Callable[..., Any]:
    return lambda *arguments: to_sympy(function(*(_resolved(from_sympy(a), names) for a in arguments)))


DENSITIES[False] = (("dV", "dm"), MetricDensity)
DENSITIES[True] = (("dmu", "omega"), PotentialDensity)
