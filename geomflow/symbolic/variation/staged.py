"""Expressions in stages, and the Euler operator of a staged Lagrangian.

For E[u] = ∫ L(x, u, ∂u, ...) d^dx the first variation is δE = ∫ Σ_u E_u(L) δu d^dx with

    E_u(L) = Σ_α (−1)^|α| D^α (∂L/∂u_α).

It is found by reverse accumulation with total derivatives applied late: the adjoint of a stage is found from those of
its users, so that no stage is ever expanded; the fluxes ∂L/∂u_α are themselves a stage of the result, and the total
derivatives act on them as on fields. (On a periodic grid with centred stencils this is the exact gradient of the
discretised functional.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from geomflow.core import graph as gr
from geomflow.core.monomials import Index
from geomflow.core.program import Program, Stage, merged, unstaged


@dataclass(frozen=True)
class Staged:
    """Expressions `outputs` that stand on `stages`, over jets of fields in `coordinates`.

    `groups` are the sizes of the groups of coordinates: (d,) for a real chart, (n, n) for z and z̄.
    """

    coordinates: tuple[str, ...]
    groups: tuple[int, ...]
    stages: tuple[Stage, ...]
    outputs: tuple[gr.Node, ...]

    @staticmethod
    def of(program: Program) -> Staged:
        """The results of a program."""
        return Staged(program.coordinates, (len(program.coordinates),), program.inner, program.results)

    def program(self, fields: Sequence[str], statics: Sequence[str] = (), parameters: Sequence[str] = (),
                names: Sequence[str] = ("density",)) -> Program:
        """The outputs, called `names`, as a program over real coordinates, in as few stages as they need."""
        final = Stage(tuple(zip(names, self.outputs, strict=True)))
        stages = (*merged(self.stages), final)
        return Program(self.coordinates, tuple(fields), tuple(statics), tuple(parameters), stages)

    def unstaged(self) -> list[gr.Node]:
        """The outputs over jets of fields alone: every stage substituted, every total derivative carried out."""
        return unstaged(self.stages, self.outputs, self.coordinates)


Fluxes = dict[str, dict[Index, gr.Node]]


def euler_operator(density: gr.Node, fields: Sequence[str], stages: Sequence[Stage], coordinates: Sequence[str],
                   groups: tuple[int, ...] | None = None) -> Staged:
    """E_u(L) of the density L, an output for each of the `fields`.

    >>> from geomflow.core import graph as gr
    >>> slope = gr.jet("u", (1,))
    >>> euler_operator(slope**2 / 2, ["u"], [], ["x"]).unstaged()
    [-u_xx]
    """
    names = [name for stage in stages for name in stage.names]
    sweep = _Sweep(tuple(coordinates), {*fields, *names})
    sweep.collect(reversed_slopes([(gr.ONE, density)]))
    for stage in reversed(stages):
        adjoints = {name: sweep.adjoint(name) for name in stage.names}
        used = {name: node for name, node in adjoints.items() if node is not gr.ZERO}
        if used:
            named = sweep.name_adjoints(used)
            sweep.collect(_pulled_back(stage, named))
    outputs = tuple(sweep.adjoint(name) for name in fields)
    return Staged(tuple(coordinates), groups or (len(coordinates),), (*stages, *sweep.stages), outputs)


def _pulled_back(stage: Stage, adjoints: Mapping[str, gr.Node]) -> Mapping[gr.Node, gr.Node]:
    if stage.pullback is not None:
        return stage.pullback(adjoints)
    return reversed_slopes([(adjoints[name], node) for name, node in stage.outputs if name in adjoints])


def reversed_slopes(weighted: Iterable[tuple[gr.Node, gr.Node]]) -> dict[gr.Node, gr.Node]:
    """Σ λ ∂node/∂leaf for the jets of the nodes; the weights λ are not differentiated.

    Parameters
    ----------
    weighted : iterable of (Node, Node)
        Pairs (λ, node).
    """
    pairs = [(weight, node) for weight, node in weighted if weight is not gr.ZERO]
    held = [gr.symbol(f"adjoint weight {k}") for k in range(len(pairs))]
    total = gr.add(*(h * node for h, (_, node) in zip(held, pairs, strict=True)))
    leaves = [leaf for leaf in gr.leaves([node for _, node in pairs]) if leaf.op == "jet"]
    slopes = gr.gradient(total, leaves)
    weights = {h: weight for h, (weight, _) in zip(held, pairs, strict=True)}
    return dict(zip(leaves, gr.substitute(slopes, weights), strict=True))


class _Sweep:
    """Fluxes collected so far, and the stages of adjoints made of them."""

    def __init__(self, coordinates: tuple[str, ...], wanted: set[str]) -> None:
        self.stages: list[Stage] = []
        self._coordinates, self._wanted, self._fluxes = coordinates, wanted, Fluxes()

    def collect(self, slopes: Mapping[gr.Node, gr.Node]) -> None:
        """Add ∂L/∂leaf for jets of fields and stages; other leaves are given."""
        for leaf, slope in slopes.items():
            name, index = leaf.data
            if name in self._wanted and slope is not gr.ZERO:
                found = self._fluxes.setdefault(name, {})
                found[index] = found.get(index, gr.ZERO) + slope

    def adjoint(self, name: str) -> gr.Node:
        """Σ_α (−1)^|α| D^α flux_α, after a stage of those fluxes that are differentiated."""
        fluxes = self._fluxes.get(name, {})
        derived = sorted(index for index in fluxes if any(index))
        self._stage_of({flux_name(name, index): fluxes[index] for index in derived})
        terms = [(-1) ** sum(index) * gr.jet(flux_name(name, index), index) for index in derived]
        return gr.add(fluxes.get((0,) * len(self._coordinates), gr.ZERO), *terms)

    def name_adjoints(self, adjoints: Mapping[str, gr.Node]) -> dict[str, gr.Node]:
        """The adjoints as outputs of a stage, each a leaf."""
        self._stage_of({f"adjoint_{name}": node for name, node in adjoints.items()})
        return {name: gr.jet(f"adjoint_{name}", (0,) * len(self._coordinates)) for name in adjoints}

    def _stage_of(self, outputs: Mapping[str, gr.Node]) -> None:
        if outputs:
            self.stages.append(Stage(tuple(outputs.items())))


def tangent(staged: Staged, changes: Mapping[str, str]) -> Staged:
    """The derivative of each output along changes of fields, linear in these: forward accumulation, stage by stage.

    >>> from geomflow.core import graph as gr
    >>> tangent(Staged(("x",), (1,), (), (gr.jet("u", (1,)) ** 2,)), {"u": "v"}).outputs
    (2*u_x*v_x,)

    Parameters
    ----------
    staged : Staged
        Whose outputs are differentiated.
    changes : mapping of str to str
        From the names of the fields that change to those of their changes.
    """
    moved, known, stages = dict(changes), dict[gr.Node, gr.Node](), list[Stage]()

    def derived(nodes: Sequence[gr.Node]) -> list[gr.Node]:
        for current in gr.schedule(nodes, known=known):
            known[current] = gr.differentiate(current, known.__getitem__, _changed)
        return [known[node] for node in nodes]

    def _changed(leaf: gr.Node) -> gr.Node:
        if leaf.op != "jet" or leaf.data[0] not in moved:
            return gr.ZERO
        return gr.jet(moved[leaf.data[0]], leaf.data[1])

    for stage in staged.stages:
        pairs = zip(stage.names, derived(stage.nodes), strict=True)
        slopes = {name: node for name, node in pairs if node is not gr.ZERO}
        moved |= {name: f"change_{name}" for name in slopes}
        named = tuple((moved[name], node) for name, node in slopes.items())
        stages += [stage, *([Stage(named)] if named else [])]
    return Staged(staged.coordinates, staged.groups, tuple(stages), tuple(derived(staged.outputs)))


def second_variation(density: Staged, fields: Sequence[str]) -> Staged:
    """H h with D²E(h, k) = ∫ Σ_u k_u (H h)_u d^dx, an output for each field u: E_u(L) linearised along h.

    The changes h_u are fields called change_u. On a periodic grid with centred differences E_u(L) is the exact gradient
    of the sum that stands for ∫ L d^dx there, so that H is symmetric to rounding, at every state.

    Parameters
    ----------
    density : Staged
        L, with E = ∫ L d^dx over real coordinates.
    fields : sequence of str
        What E is varied by.
    """
    covector = euler_operator(density.outputs[0], fields, density.stages, density.coordinates)
    return tangent(covector, {name: f"change_{name}" for name in fields})


def flux_name(name: str, index: Index) -> str:
    """The name of ∂L/∂(name)_index."""
    return "flux_" + gr.jet_name(name, index)
