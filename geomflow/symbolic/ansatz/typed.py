"""A flow of a metric as the language of tensors writes it: what an ansatz reduces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any, final

from geomflow.core.errors import InputError
from geomflow.symbolic.show import shortened

METRIC = "g"


@final
@dataclass(frozen=True)
class Typed:
    """∂_t g = rate, as text.

    Parameters
    ----------
    rate : str
        A symmetric tensor with two lower indices.
    numbers : mapping
        Parameters by name: exact numbers, or nodes where they are left open.
    where : mapping
        Definitions by name, in order.
    gauge : {None, "deturck", "arclength"}
        What moves the coordinates of unknowns along: nothing, DeTurck's field of the metric between orbits, or what
        keeps these apart by equal shares of the whole length.
    energy : str
        A density s with ∂_t g = −grad ∫ s dV; none where it is empty.
    """

    rate: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    gauge: str | None = None
    energy: str = ""


@singledispatch
def typed_flow(flow: Any, dim: int) -> Typed:
    """A flow of metrics on a manifold of a dimension in the language of tensors. What knows a kind registers how.

    Raises InputError for what is no flow of metrics.
    """
    if isinstance(flow, type) or not hasattr(flow, "typed"):
        raise InputError("an ansatz reduces flows of metrics, such as RicciFlow(), or a rate as text, such as "
                         f"\"-2*Ric\", and {shortened(repr(flow))} was given.")
    found: Typed = flow.typed(dim)
    return found


@typed_flow.register(str)
def _text(flow: str, dim: int) -> Typed:
    return Typed(flow)


@typed_flow.register(Typed)
def _typed(flow: Typed, dim: int) -> Typed:
    return flow
