"""Gradients of functionals of several fields as text in the language, where the density is made of few quantities."""

from __future__ import annotations

from math import factorial
from typing import Any, final

import sympy

from geomflow.core import graph as gr
from geomflow.core.graph.sympy_bridge import to_sympy
from geomflow.symbolic.language.curvatures import ScalarCurvature, Square
from geomflow.symbolic.language.derivatives import Differential, Laplacian, Pairing
from geomflow.symbolic.language.tape import Quantity, Tape
from geomflow.symbolic.language.tensor import Tensor

HALF = sympy.Rational(1, 2)


class Unwritten(Exception):
    """What has no text here."""


def gradient_text(tape: Tape, density: gr.Node) -> dict[str, str] | None:
    """The gradient along each field in its first inner product, such as {"g": "R*g/2 - Ric", "f": "laplacian(f)"}.

    None where the density holds other quantities than functions, R, ⟨df, dh⟩, Δf and squares of forms.

    Parameters
    ----------
    tape : Tape
        What the density is made of.
    density : Node
        s, over the symbols of the tape.
    """
    try:
        return _Writing(tape, density).gradients
    except Unwritten:
        return None


@final
class _Writing:
    """The sweep back through a tape, with weights and gradients written out: tensors and derivatives are symbols."""

    def __init__(self, tape: Tape, density: gr.Node) -> None:
        self._tape = tape
        self._constants = {sympy.Symbol(leaf.data) for leaf in gr.leaves([density]) if leaf.op == "symbol"}
        self._names = {tape.tensor(name).node: name for name, kind in tape.fields.items() if not kind.rank}
        self._name_quantities()
        self._weights: dict[gr.Node, sympy.Expr] = {}
        self._found: dict[str, sympy.Expr] = dict.fromkeys(tape.fields, sympy.Integer(0))
        if tape.metric is not None:
            self._add(tape.metric, HALF * self._written(density) * self._metric)
        self._spread(density, sympy.Integer(1))
        for name in reversed(tape.quantities):
            leaf = tape.leaves(name).get(())
            weight = sympy.expand(self._weights.pop(leaf, 0)) if leaf is not None else 0
            if weight != 0:
                self._vary(tape.quantities[name], weight)
        for name, kind in tape.fields.items():
            if not kind.rank:
                self._add(name, self._weights.pop(tape.tensor(name).node, sympy.Integer(0)))
        if self._weights:
            raise Unwritten
        self.gradients = {name: str(sympy.expand(found)) for name, found in self._found.items()}

    @property
    def _metric(self) -> sympy.Symbol:
        return sympy.Symbol(str(self._tape.metric))

    def _name_quantities(self) -> None:
        """What scalar quantities are called, those before that they are made of."""
        for name, quantity in self._tape.quantities.items():
            leaf = self._tape.leaves(name).get(())
            text = None if leaf is None else self._called(quantity)
            if leaf is not None and text is not None:
                self._names[leaf] = text

    def _called(self, quantity: Quantity) -> str | None:
        """A quantity in the language; None for those that are not written."""
        try:
            match quantity:
                case ScalarCurvature():
                    return "R"
                case Pairing():
                    return "dot({}, {})".format(*(f"d({self._text(part)})" for part in quantity.parts))
                case Laplacian(function):
                    return f"laplacian({self._text(function)})"
                case Square(tensor):
                    own = self._tensor(tensor)
                    return f"dot({own}, {own})"
        except Unwritten:
            return None
        return None

    def _tensor(self, tensor: Tensor) -> str:
        """A form that is a field, or the differential of one."""
        for name, kind in self._tape.fields.items():
            if kind.label.endswith("form") and (self._tape.tensor(name).entries == tensor.entries).all():
                return name
        origin = self._tape.origin(tensor)
        if isinstance(origin, Differential) and origin.form.rank:
            return f"d({self._tensor(origin.form)})"
        raise Unwritten

    def _written(self, node: gr.Node) -> sympy.Expr:
        leaves = [leaf for leaf in gr.leaves([node]) if leaf.op == "jet"]
        if any(leaf not in self._names for leaf in leaves):
            raise Unwritten
        held = {leaf: gr.symbol(f"leaf{n}") for n, leaf in enumerate(leaves)}
        found = to_sympy(gr.substitute([node], held)[0])
        return found.xreplace({sympy.Symbol(f"leaf{n}"): sympy.Symbol(self._names[leaf])
                               for n, leaf in enumerate(leaves)})

    def _text(self, scalar: Tensor) -> str:
        return str(self._written(scalar.node))

    def _add(self, name: str, term: Any) -> None:
        self._found[name] += term

    def _spread(self, node: gr.Node, weight: sympy.Expr) -> None:
        leaves = [leaf for leaf in gr.leaves([node]) if leaf.op == "jet"]
        for leaf, slope in zip(leaves, gr.gradient(node, leaves), strict=True):
            self._weights[leaf] = self._weights.get(leaf, sympy.Integer(0)) + weight * self._written(slope)

    def _vary(self, quantity: Quantity, weight: sympy.Expr) -> None:
        varies = self._varies(weight)
        match quantity:
            case ScalarCurvature():
                self._along_metric(-weight * sympy.Symbol("Ric"))
                if varies:
                    self._along_metric(self._act("Hess({})", weight))
                    self._along_metric(-self._act("laplacian({})", weight) * self._metric)
            case Pairing(first, second):
                for part, other in ((first, second), (second, first)):
                    text = self._text(other)
                    self._spread(part.node, -self._diffused(weight, text))
                a, b = self._text(first), self._text(second)
                self._along_metric(-weight * sympy.Symbol(f"d({a})*d({b})" if a == b else f"sym(d({a})*d({b}))"))
            case Laplacian(function):
                text = self._text(function)
                self._along_metric(-HALF * self._diffused(weight, text) * self._metric)
                if varies:
                    self._spread(function.node, self._act("laplacian({})", weight))
                    self._along_metric(self._act(f"sym(d({text})*d({{}}))", weight))
            case Square(tensor):
                self._vary_square(tensor, weight)
            case _:
                raise Unwritten

    def _along_metric(self, term: sympy.Expr) -> None:
        if self._tape.metric is not None:
            self._add(self._tape.metric, term)

    def _vary_square(self, tensor: Tensor, weight: sympy.Expr) -> None:
        """Of a form A: 2 w A along A; of F = dA: −2 k! (k + 1) div(w F); both with −r w F_i… F_j^… along g."""
        own = self._tensor(tensor)
        indices = [f"{own}[{', '.join([first, *'klmnpq'[: tensor.rank - 1]])}]" for first in "ij"]
        self._along_metric(-tensor.rank * weight * sympy.Symbol("*".join(indices)))
        name = own.removeprefix("d(").removesuffix(")")
        if name == own:
            self._add(name, 2 * factorial(tensor.rank) * weight * sympy.Symbol(name))
            return
        if "(" in name:
            return  # ddA vanishes
        varies = self._varies(weight)
        inner = self._act(f"div(({{}})*{own})", weight) if varies else weight * sympy.Symbol(f"div({own})")
        self._add(name, -2 * factorial(tensor.rank - 1) * tensor.rank * inner)

    def _varies(self, weight: sympy.Expr) -> bool:
        return bool(weight.free_symbols - self._constants)

    def _act(self, pattern: str, weight: sympy.Expr) -> sympy.Expr:
        """A linear operator on a weight, its constant factors outside."""
        factor, rest = weight.as_independent(*(weight.free_symbols - self._constants), as_Add=False)
        return factor * sympy.Symbol(pattern.format(rest))

    def _diffused(self, weight: sympy.Expr, text: str) -> sympy.Expr:
        """∇^k(w ∇_k s)."""
        if not self._varies(weight):
            return weight * sympy.Symbol(f"laplacian({text})")
        return self._act(f"div(({{}})*grad({text}))", weight)
