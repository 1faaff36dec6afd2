"""Differential forms, whose lower indices change the sign when two of them change places."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from itertools import combinations, permutations

from geomflow.core import graph as gr
from geomflow.core.symmetric import parity
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor
from geomflow.symbolic.meaning import Refusal


@singledispatch
def exterior(space: Space, form: Tensor) -> Tensor:
    """(dω)_{i₀…i_k} = Σ_j (−1)^j ∂_{i_j} ω_{…}, without i_j. Other spaces register how they note it."""
    require_form(space, form, "d(ω)")

    def entry(places: tuple[int, ...]) -> gr.Node:
        terms = [(-1) ** n * space.derive(form.entries[(*places[:n], *places[n + 1 :])], i)
                 for n, i in enumerate(places)]
        return gr.add(*terms)

    return _form(space, form.rank + 1, entry)


def wedge(space: Space, first: Tensor, second: Tensor) -> Tensor:
    """(a ∧ b)_{I} = Σ sign a_J b_K over the ways to part I in two: dx ∧ dy has the components (xy) 1."""
    require_form(space, first, "wedge(a, b)")
    require_form(space, second, "wedge(a, b)")
    rank = first.rank + second.rank

    def entry(places: tuple[int, ...]) -> gr.Node:
        terms = []
        for chosen in combinations(range(rank), first.rank):
            rest = [n for n in range(rank) if n not in chosen]
            sign = parity((*chosen, *rest))
            terms.append(sign * first.entries[tuple(places[n] for n in chosen)]
                         * second.entries[tuple(places[n] for n in rest)])
        return gr.add(*terms)

    return _form(space, rank, entry)


def star(space: Space, form: Tensor) -> Tensor:
    """(⋆ω)_{J} = √g/k! ω^{I} ε_{IJ}."""
    require_form(space, form, "star(ω)")
    raised = space.placed(form, True).entries

    def entry(places: tuple[int, ...]) -> gr.Node:
        rest = [n for n in range(space.dim) if n not in places]
        found: gr.Node = space.density * raised[tuple(rest)]
        return parity((*rest, *places)) * found

    return _form(space, space.dim - form.rank, entry)


def require_form(space: Space, form: Tensor, what: str) -> None:
    """Refuse what is no form."""
    if not space.is_form(form):
        raise Refusal(f"{what} takes forms, whose lower indices change the sign when two change places, and this "
                      f"is {form.kind} that is not one")


def _form(space: Space, rank: int, entry: Callable[[tuple[int, ...]], gr.Node]) -> Tensor:
    """The form whose components in rising order are `entry(places)`."""
    result = space.ring.array((space.dim,) * rank)
    for places in combinations(range(space.dim), rank):
        value = entry(places)
        for order in permutations(range(rank)):
            result[tuple(places[n] for n in order)] = parity(order) * value
    return Tensor(result, (False,) * rank)
