"""The directions that a covariant equation leaves undamped, by name: changes of coordinates, of scale, of gauge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.field import Field, Fields, FormField, MetricField
from geomflow.flow.equations.unknowns import packed_rate, tensor_of
from geomflow.symbolic.jets import field_node
from geomflow.symbolic.language.differences import Differences
from geomflow.symbolic.language.forms import exterior
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor, whole

Rows = Mapping[str, np.ndarray]
"""Components of a state at points, (points,), by name."""

DIFFEOMORPHISMS, RESCALINGS = "diffeomorphisms", "rescalings"


@dataclass(frozen=True)
class Symmetry:
    """Infinitesimal changes of all fields, linear in some functions and their first derivatives.

    Parameters
    ----------
    name : str
        In words.
    functions : tuple of str
        X^k, say.
    changes : tuple of nodes
        Of every component of the state, in packed order.
    """

    name: str
    functions: tuple[str, ...]
    changes: tuple[gr.Node, ...]

    def symbol(self, rows: Rows, directions: np.ndarray) -> np.ndarray:
        """The leading symbol at points, of fields (points,) by component, and wave vectors: up to a factor i.

        (points, directions, components, functions).
        """
        axes = directions.shape[1]
        order = max(sum(leaf.data[1]) for leaf in self._leaves)
        indices = list(np.eye(axes, dtype=int)) if order else [np.zeros(axes, dtype=int)]
        jets = [gr.jet(name, [int(n) for n in index]) for name in self.functions for index in indices]
        count = len(next(iter(rows.values())))
        values: dict[gr.Node, Any] = dict.fromkeys(gr.leaves(self.changes), 0.0)
        values |= {gr.jet(name, (0,) * axes): row for name, row in rows.items()}
        slopes = gr.jacobian(self.changes, values, jets, count).reshape(-1, len(self.functions), len(indices), count)
        waves = directions if order else np.ones((len(directions), 1))
        found: np.ndarray = np.einsum("cfip,di->pdcf", slopes, waves)
        return found

    @property
    def _leaves(self) -> list[gr.Node]:
        return [leaf for leaf in gr.leaves(self.changes) if leaf.op == "jet" and leaf.data[0] in self.functions]


def symmetries(state: Field) -> Iterator[Symmetry]:
    """What an equation for the fields of a state with a metric may be invariant under."""
    parts = state.moving if isinstance(state, Fields) else {state.called: state}
    coordinates = state.grid.torus.coordinates
    try:
        tensors = {name: tensor_of(part, name, coordinates) for name, part in parts.items()}
    except InputError:
        return
    metrics = [name for name, part in parts.items() if isinstance(part, MetricField)]
    space = Space(Differences(coordinates))
    if metrics and len(coordinates) > 1:
        names = tuple(f"along {x}" for x in coordinates)
        along = Tensor(whole((len(names),), [field_node(name, coordinates) for name in names]), (True,))
        moved = {name: space.lie(along, tensor) for name, tensor in tensors.items()}
        yield _symmetry(DIFFEOMORPHISMS, names, parts, space, moved)
        scale = field_node("scale", coordinates)
        scaled = {name: tensor.scaled(scale if name in metrics else 0) for name, tensor in tensors.items()}
        yield _symmetry(RESCALINGS, ("scale",), parts, space, scaled)
    for own, part in parts.items():
        if isinstance(part, FormField) and part.degree == 1:
            phase = {own: exterior(space, Tensor.scalar(field_node("phase", coordinates)))}
            changes = {name: phase.get(name, tensor.scaled(0)) for name, tensor in tensors.items()}
            yield _symmetry(f"gauge transformations of {own}", ("phase",), parts, space, changes)


def _symmetry(name: str, functions: tuple[str, ...], parts: dict[str, Field], space: Space,
              changes: dict[str, Tensor]) -> Symmetry:
    nodes = [node for own, part in parts.items() for node in packed_rate(part, changes[own], space)]
    return Symmetry(name, functions, tuple(nodes))


@dataclass(frozen=True)
class Principal:
    """The principal symbol of some unknowns.

    Parameters
    ----------
    places : list of int
        Which of the components of the state they are.
    weights : list of Fraction
        Their weights.
    symbols : (points, directions, n, n) array
        At points and unit wave vectors.
    """

    places: list[int]
    weights: list[Fraction]
    symbols: np.ndarray

    def unseen(self, changes: Mapping[str, np.ndarray], tolerance: float) -> tuple[tuple[str, ...], int]:
        """The changes of the state along which the symbol is zero, and how many directions these are.

        A change counts modulo those before it: in DeTurck's gauge of a flow that rescalings leave as it is, a
        rescaling followed by a diffeomorphism is not damped.

        Parameters
        ----------
        changes : mapping
            Leading symbols (points, directions, components, functions) of changes by name.
        tolerance : float
            What is rounding, beside the largest number.
        """
        names: list[str] = []
        seen, along = 0, np.zeros((*self.symbols.shape[:3], 0))
        for name, change in changes.items():
            along = np.concatenate([along, self._leading(change[:, :, self.places])], axis=-1)
            known = self._undamped_among(along, tolerance)
            names += [name] if known > seen else []
            seen = known
        return tuple(names), seen

    def _leading(self, change: np.ndarray) -> np.ndarray:
        """The part of a change of the unknowns that counts most."""
        moved = [weight for n, weight in enumerate(self.weights) if change[:, :, n].any()]
        first = np.array([bool(moved) and weight == min(moved) for weight in self.weights])
        lead: np.ndarray = change * first[:, None]
        return lead

    def _undamped_among(self, along: np.ndarray, tolerance: float) -> int:
        """How many dimensions of the zero space of each symbol the vectors (..., n, m) span."""
        basis, sizes, _ = np.linalg.svd(along, full_matrices=False)
        used = sizes > tolerance * max(float(sizes.max()), np.finfo(float).tiny)
        left = np.linalg.svd(self.symbols @ (basis * used[..., None, :]), compute_uv=False)
        return int((used.sum(axis=-1) - (left > tolerance * np.abs(self.symbols).max()).sum(axis=-1)).min())
