"""From graph nodes to straight-line code.

Each node is computed once, whatever number of outputs share it. Products are folded into sums by `fma`,
reciprocals and roots are shared between all their powers, integer powers are repeated multiplications.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, UnknownFunctionError
from geomflow.core.graph import Node

Rational = int | Fraction
LONGEST_NEST = 3
"""So many fused operations stand in one line of code."""
LONGEST_SUM = 200
"""So many terms stand in one: of an expression of thousands Python takes no more."""


@dataclass(frozen=True)
class Leaf:
    """How a leaf of the graph is read: the variable that holds it, the text that fetches it, and its operations."""

    name: str
    fetch: str
    operations: int = 0


@dataclass(frozen=True)
class Term:
    """A summand: sign * left * right, or sign * left where `right` is empty."""

    sign: int
    left: str
    right: str = ""


def number(value: Rational | str) -> str:
    """A constant of the graph as a literal."""
    if isinstance(value, str):
        return {"pi": "3.141592653589793", "I": "1j"}[value]
    try:
        return repr(float(value))
    except OverflowError:
        raise ExpressionError(_TOO_LARGE) from None


_TOO_LARGE = "the expression holds a number beyond double precision (1.8e308)"


def never_real(roots: Sequence[Node]) -> bool:
    """Whether constants alone make the expressions complex: the imaginary unit, or a root of a negative number."""
    return any(node is gr.I or (node.op == "mul" and any(map(_is_complex_root, node.args, node.data)))
               for node in gr.schedule(roots))


def _is_complex_root(base: Node, exponent: Rational) -> bool:
    return exponent.denominator > 1 and base.op == "constant" and not isinstance(base.data, str) and base.data < 0


def power_of_number(base: Rational | str, exponent: Rational, is_complex: bool) -> str:
    """A root of a constant, or a power of one, as a literal; the principal one, as everywhere."""
    known = {"pi": math.pi, "I": 1j}[base] if isinstance(base, str) else float(number(base))
    try:
        value = known ** float(exponent)
    except OverflowError:
        raise ExpressionError(_TOO_LARGE) from None
    if isinstance(value, complex) and not is_complex:
        raise ExpressionError(f"the expression holds {base}**({exponent}), which is complex, and its values are real")
    return repr(value)


class Lowering:
    """Writes statements for nodes, in order, remembering what is known already.

    `leaves` says how symbols and jets are read, each at its first use. `lines` is the code so far, `operations` the
    number of arithmetic operations in it, a function counting as several, and `divisions` how many of them are
    divisions or square roots, which take a unit of their own.
    """

    def __init__(self, roots: Iterable[Node], leaves: Mapping[Node, Leaf], is_complex: bool = False,
                 temporary: Callable[[], str] | None = None) -> None:
        self.lines: list[str] = []
        self.operations = self.divisions = 0
        self._leaves = leaves
        self._complex = is_complex
        self._known: dict[Node, str] = {}
        self._powers: dict[tuple[str, int], str] = {}
        self._roots: dict[Node, str] = {}
        self._products: dict[tuple[str, str], str] = {}
        self._totals: dict[tuple[Term, ...], str] = {}
        self._count = 0
        self._temporary = temporary or self._next
        self._survey(list(roots))

    def _next(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def _survey(self, roots: list[Node]) -> None:
        """Count the uses of nodes and of reciprocals, and find the products that only one sum uses."""
        order = gr.schedule(roots)
        uses: Counter[Node] = Counter(roots)
        in_sums: Counter[Node] = Counter()
        self._reciprocal_uses: Counter[Node] = Counter()
        self._pairs: Counter[frozenset[tuple[Node, Rational]]] = Counter()
        for node in order:
            uses.update(node.args)
            if node.op == "add":
                in_sums.update(node.args)
            if node.op == "mul":
                self._reciprocal_uses.update(a for a, e in zip(node.args, node.data) if e < 0)
                self._pairs.update(map(frozenset, combinations(zip(node.args, node.data), 2)))
        self._folded = {n for n in order if n.op == "mul" and uses[n] == 1 == in_sums[n]}

    def bind(self, node: Node, text: str) -> None:
        """Declare that `node` is already held by the variable or literal `text`."""
        self._known[node] = text

    def lower(self, roots: Sequence[Node]) -> list[str]:
        """Write what the roots need and return the variables or literals that hold them."""
        for node in gr.schedule(roots, known=self._known):
            if node not in self._folded or node in roots:
                self._known[node] = self._text(node)
        return [self._known[r] for r in roots]

    def _assign(self, text: str, operations: int = 0, name: str | None = None, divisions: int = 0) -> str:
        name = name or self._temporary()
        self.divisions += divisions
        self.lines.append(f"{name} = {text}")
        self.operations += operations
        return name

    def _text(self, node: Node) -> str:
        if node.op == "constant":
            return number(node.data)
        if node.op == "add":
            return self._sum(node.data[0], list(zip(node.data[1], node.args)))
        if node.op == "mul":
            left, right, division = self._factors(node)
            if division:
                return self._assign(f"{left} / {right}", 1, divisions=1)
            return self._product([left, right]) if right else left
        if node.op == "call":
            return self._assign(f"{node.data}({self._known[node.args[0]]})",
                                implementation(node.data, self._complex).cost, divisions=node.data in ("log", "sqrt"))
        leaf = self._leaves.get(node)
        if leaf is None:
            raise ExpressionError(f"the expression contains {node!r}, which is not among the arguments")
        return leaf.name if leaf.fetch == leaf.name else self._assign(leaf.fetch, leaf.operations, leaf.name)

    # Products

    def _factors(self, node: Node) -> tuple[str, str, bool]:
        """A product as (left, right, is a division); `right` is empty for a single factor."""
        above: list[str] = []
        below: list[str] = []
        for base, exponent in self._sharing_first(list(zip(node.args, node.data))):
            if exponent < 0 and self._reciprocal_uses[base] == 1 and exponent.denominator <= 2:
                below.append(self._power(base, -exponent))
            else:
                above.append(self._power(base, exponent))
        if below:
            return self._product(above) if above else "1.0", self._product(below), True
        return self._product(above[:-1]) if len(above) > 1 else above[0], above[-1] if len(above) > 1 else "", False

    def _sharing_first(self, factors: list[tuple[Node, Rational]]) -> list[tuple[Node, Rational]]:
        """The factors, led by the two whose product the most other products contain."""
        if len(factors) < 3:
            return factors
        best = max(combinations(factors, 2), key=lambda pair: self._pairs[frozenset(pair)])
        return [*best, *(f for f in factors if f not in best)]

    def _product(self, factors: list[str]) -> str:
        """The product in one variable, built from the left and shared between products."""
        total = factors[0]
        for factor in factors[1:]:
            key = (min(total, factor), max(total, factor))
            if key not in self._products:
                self._products[key] = self._assign(f"{total} * {factor}", 1)
            total = self._products[key]
        return total

    def _power(self, base: Node, exponent: Rational) -> str:
        held = self._known[base]
        if exponent.denominator == 1:
            return self._integer_power(held, int(exponent))
        if exponent.denominator != 2 and base.op == "constant":
            return power_of_number(base.data, exponent, self._complex)
        if exponent.denominator != 2:
            return self._assign(f"{held} ** {number(exponent)}", 60)
        if base not in self._roots:
            self._roots[base] = self._assign(f"sqrt({held})", implementation("sqrt").cost, divisions=1)
        root = self._roots[base]
        if exponent < 0 or exponent.numerator == 1:
            return self._integer_power(root, exponent.numerator)
        return self._assign(f"{self._integer_power(held, exponent.numerator // 2)} * {root}", 1)

    def _integer_power(self, held: str, exponent: int) -> str:
        if exponent == 1:
            return held
        if exponent < -1:
            return self._integer_power(self._integer_power(held, -1), -exponent)
        found = self._powers.get((held, exponent))
        if found is None:
            text, operations = self._raised(held, exponent)
            found = self._powers[held, exponent] = self._assign(text, operations, divisions=exponent == -1)
        return found

    def _raised(self, held: str, exponent: int) -> tuple[str, int]:
        if exponent == -1:
            return f"1.0 / {held}", 1
        half, rest = divmod(exponent, 2)
        root = self._integer_power(held, half) if half > 1 else held
        if not rest:
            return f"{root} * {root}", 1
        return f"{self._integer_power(held, exponent - 1)} * {held}", 1

    # Sums

    def _sum(self, start: Rational, pairs: list[tuple[Rational, Node]]) -> str:
        """start + sum of c * x, terms of equal |c| gathered, products fused."""
        groups: dict[Rational, list[tuple[int, Node]]] = {}
        for c, x in pairs:
            groups.setdefault(c if c > 0 else -c, []).append((1 if c > 0 else -1, x))
        terms = [Term(1 if start > 0 else -1, number(max(start, -start)))] if start else []
        for size, members in groups.items():
            if size == 1:
                terms += [self._term(s, x) for s, x in members]
            elif len(members) == 1:
                (s, x), = members
                terms.append(Term(s, number(size), self._value(x)))
            else:
                inner = self._total([self._term(s, x) for s, x in members])
                terms.append(Term(1, number(size), inner))
        return self._total(terms)

    def _value(self, node: Node) -> str:
        if node not in self._known:
            self._known[node] = self._text(node)
        return self._known[node]

    def _term(self, sign: int, node: Node) -> Term:
        if node in self._known:
            return Term(sign, self._known[node])
        left, right, division = self._factors(node)
        if division:
            return Term(sign, self._assign(f"{left} / {right}", 1, divisions=1))
        return Term(sign, left, right)

    def _total(self, terms: list[Term]) -> str:
        """The sum of the terms in one variable; long sums in two halves, which overlap in time."""
        if sum(bool(t.right) for t in terms) > 5:
            half = len(terms) // 2
            return self._assign(f"{self._total(terms[:half])} + {self._total(terms[half:])}", 1)
        terms = sorted(terms, key=lambda t: (bool(t.right), -t.sign))
        key = tuple(terms)
        if key not in self._totals:
            self._totals[key] = self._added(terms)
        return self._totals[key]

    def _added(self, terms: list[Term]) -> str:
        text, nest = self._first(terms[0]), 0
        for count, term in enumerate(terms[1:], 1):
            if nest == LONGEST_NEST or count % LONGEST_SUM == 0:
                text, nest = self._assign(text), 0
            text, nest = self._joined(text, term, nest)
            self.operations += 1
        return self._assign(text)

    def _first(self, term: Term) -> str:
        self.operations += bool(term.right)
        text = f"{term.left} * {term.right}" if term.right else term.left
        return text if term.sign > 0 else f"-{text}"

    def _joined(self, text: str, term: Term, nest: int) -> tuple[str, int]:
        if not term.right:
            return f"{text} {'+' if term.sign > 0 else '-'} {term.left}", nest
        left = term.left if term.sign > 0 else f"-{term.left}"
        return f"fma({left}, {term.right}, {text})", nest + 1


# Functions


@dataclass(frozen=True)
class Implementation:
    """A function in generated code, named as in the graph.

    `cost` counts as that many arithmetic operations. It may vectorise in loops, and may be for doubles alone.
    """

    cost: int = 40
    vectorises: bool = False
    is_real: bool = False


_LIBRARY = ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh")

IMPLEMENTATIONS: dict[str, Implementation] = {
    **{name: Implementation() for name in _LIBRARY},
    "log": Implementation(30, vectorises=True),
    "exp": Implementation(30, vectorises=True),
    "sqrt": Implementation(8, vectorises=True),
    "abs": Implementation(1, vectorises=True),
    "sign": Implementation(4, vectorises=True),
    "erf": Implementation(is_real=True),
}
"""Every function that code can be generated for, by its name in the graph."""

assert set(gr.FUNCTIONS) <= set(IMPLEMENTATIONS)


def implementation(name: str, is_complex: bool = False) -> Implementation:
    """How the function is computed; UnknownFunctionError names a function that there is no code for."""
    known = IMPLEMENTATIONS.get(name)
    if known is None:
        raise UnknownFunctionError(f"no code can be generated for the function '{name}'; "
                                   f"known are: {', '.join(sorted(IMPLEMENTATIONS))}")
    if is_complex and known.is_real:
        raise UnknownFunctionError(f"the function '{name}' is known for real arguments only; "
                                   "give real values or rewrite the expression")
    return known
