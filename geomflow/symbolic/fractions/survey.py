"""What is adjoined to the rationals, and the survey of expressions that finds which generators a field needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from math import comb, lcm

import sympy
from sympy.core.function import AppliedUndef

from geomflow.core.graph.sympy_bridge import UNKNOWN, Applied, applied, owned, resolved

CIRCULAR = (sympy.sin, sympy.cos, sympy.tan, sympy.cot, sympy.sec, sympy.csc)
HYPERBOLIC = (sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch)
PRIMITIVE = (
    sympy.log, sympy.atan, sympy.acot, sympy.asin, sympy.acos, sympy.asinh, sympy.acosh, sympy.atanh, sympy.erf,
)  # fmt: skip
JET_MARGIN = 3
"""How many derivatives of unknown functions beyond those given a field provides for."""
MOST_GENERATORS = 120
FEW_MULTIPLES = 4
"""Angles and exponents that are so small multiples of a unit are written in the unit itself: cos 2x in cos x."""
MOST_MULTIPLES = 32
"""Larger multiples of an angle are angles of their own: cos 1000x is no polynomial of cos x that anybody wants."""
HIGHEST_DEGREE = 64
"""Roots of a higher degree, and powers above `HIGHEST_POWER`, are better served by the graph."""
HIGHEST_POWER = 100_000


class Kind(StrEnum):
    """How a generator is differentiated, and whether it satisfies an equation."""

    FREE = "free"
    JET = "jet"
    EXP = "exp"
    POWER = "power"
    COS = "cos"
    SIN = "sin"
    COSH = "cosh"
    SINH = "sinh"
    PRIMITIVE = "primitive"
    ROOT = "root"
    UNIT = "unit"


ALGEBRAIC = frozenset({Kind.SIN, Kind.SINH, Kind.ROOT, Kind.UNIT})
"""Kinds that satisfy sin² = 1 − cos², sinh² = cosh² − 1, σⁿ = U and i² = −1; all other kinds are free."""


@dataclass(frozen=True)
class Generator:
    """One generator.

    `shown` is the sympy expression it stands for (for a root, the n-th root of `argument` up to a known factor);
    `argument` is the angle, the exponent of e, the radicand, the base of a power or the argument of a function;
    `exponent` is the constant exponent of a power; `degree` is that of a root's equation; `index` says which
    derivative of the unknown function a jet is, and `argument` is the function at its arguments.
    """

    kind: Kind
    shown: sympy.Expr
    argument: sympy.Expr | None = None
    degree: int = 2
    exponent: sympy.Expr | None = None
    index: tuple[int, ...] = ()

    @property
    def algebraic(self) -> bool:
        """Whether the generator satisfies a polynomial equation over those before it."""
        return self.kind in ALGEBRAIC


class OutsideField(Exception):
    """The expression has no small enough field of fractions, or zero is not decided in it: use the graph."""


def linear_parts(argument: sympy.Expr) -> list[tuple[sympy.Rational, sympy.Expr]]:
    """The pairs (rational, atom) whose products add up to the argument of an exponential or of a sine."""
    terms = sympy.Add.make_args(sympy.expand(argument))
    return [term.as_coeff_Mul(rational=True) for term in terms if term != 0]


def is_angle(atom: sympy.Expr) -> bool:
    """Whether exp of the atom is a rotation: the atom carries a factor i."""
    return bool(atom.has(sympy.I))


def units(multiples: Iterable[sympy.Rational]) -> list[sympy.Rational]:
    """Units such that each of the positive multiples of an angle is a small multiple of one of them."""
    ordered = sorted(multiples)
    whole = sympy.Rational(1, lcm(*(int(c.q) for c in ordered)))
    if ordered[-1] <= FEW_MULTIPLES * whole:
        return [whole]
    found: list[sympy.Rational] = []
    for c in ordered:
        shared = [c.gcd(unit) for unit in found]
        k = next((k for k, unit in enumerate(shared) if c <= MOST_MULTIPLES * unit), None)
        if k is None:
            found.append(c)
        else:
            found[k] = shared[k]
    return found


class Survey:
    """Collects generators, inner ones before those that need them."""

    def __init__(self, coordinates: Sequence[sympy.Symbol]) -> None:
        self.coordinates = tuple(coordinates)
        self.certain = True
        self._seen: set[sympy.Basic] = set()
        self._order: list[tuple[str, sympy.Expr]] = []
        self._denominators: dict[tuple[str, sympy.Expr], int] = {}
        self._multiples: dict[tuple[str, sympy.Expr], set[sympy.Rational]] = {}
        self._jet_orders: dict[tuple[str, int], int] = {}
        self._own = {s.name: s for s in self.coordinates}
        for symbol in self.coordinates:
            self.visit(symbol)

    def visit_all(self, expressions: Iterable[sympy.Expr]) -> Survey:
        """Visit every expression."""
        for expression in expressions:
            self.visit(expression)
        return self

    def visit(self, e: sympy.Expr) -> None:
        """Note the generators of one expression.

        Raises OutsideField for what no field of fractions can hold.
        """
        if e in self._seen:
            return
        self._seen.add(e)
        if e.is_Symbol or e is sympy.pi:
            self._own.setdefault(str(e), e)
            self._note("free", e)
        elif e is sympy.I:
            self._note("unit", e)
        elif e.is_Rational or e.is_Float:
            return
        elif e.is_Add or e.is_Mul:
            self.visit_all(e.args)
        elif e.is_Pow or e is sympy.E or isinstance(e, sympy.exp):
            self._power(*e.as_base_exp())
        else:
            self._function(e)

    def _note(self, what: str, subject: sympy.Expr, denominator: int = 1) -> None:
        key = (what, subject)
        if key not in self._denominators:
            self._order.append(key)
        self._denominators[key] = lcm(self._denominators.get(key, 1), denominator)

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> None:
        if base is sympy.E:
            self._exponential(exponent)
            return
        self.visit(base)
        if not exponent.is_Rational:
            self._symbolic_power(base, exponent)
            return
        if abs(exponent.p) > HIGHEST_POWER:
            raise OutsideField(f"a power with the exponent {exponent}")
        if exponent.q != 1:
            self._note("root", base, int(exponent.q))
            if self._denominators["root", base] > HIGHEST_DEGREE:
                raise OutsideField(f"a root of degree {self._denominators['root', base]}")

    def _symbolic_power(self, base: sympy.Expr, exponent: sympy.Expr) -> None:
        """Powers with constant exponents that are not numbers, as in r^(2p)."""
        if exponent.free_symbols & set(self.coordinates) or exponent.atoms(AppliedUndef):
            raise OutsideField(f"the exponent of {base}**({exponent}) is not constant")
        for coefficient, atom in linear_parts(exponent):
            if atom == 1:
                self._power(base, coefficient)
            else:
                self.visit(atom)
                self.certain = self.certain and bool(base.is_Symbol) and _is_monomial(atom)
                self._note("power", sympy.Pow(base, atom, evaluate=False), int(coefficient.q))

    def _exponential(self, exponent: sympy.Expr) -> None:
        for coefficient, atom in linear_parts(exponent):
            if is_angle(atom):
                self.visit(sympy.I)
                self._angle("angle", coefficient, sympy.expand(atom / sympy.I))
            else:
                self._angle("exp", coefficient, atom)

    def _angle(self, what: str, coefficient: sympy.Rational, atom: sympy.Expr) -> None:
        if what == "angle" and atom is sympy.pi:
            self.visit_all((constant(sympy.cos, coefficient), constant(sympy.sin, coefficient)))
            return
        self.visit(atom)
        self.certain = self.certain and _is_monomial(atom)
        self._note(what, atom)
        self._multiples.setdefault((what, atom), set()).add(abs(coefficient))

    def _function(self, e: sympy.Expr) -> None:
        if isinstance(e, CIRCULAR + HYPERBOLIC):
            what = "angle" if isinstance(e, CIRCULAR) else "hyperbolic"
            for coefficient, atom in linear_parts(e.args[0]):
                if is_angle(atom):
                    raise OutsideField(f"complex argument in {e}")
                self._angle(what, coefficient, atom)
        elif isinstance(e, PRIMITIVE) and len(e.args) == 1:
            self.visit(e.args[0])
            self.visit(e.fdiff(1))
            self.certain = self.certain and _is_rational(e.args[0])
            self._note("primitive", e)
        elif isinstance(e, UNKNOWN):
            self._jet(e)
        else:
            raise OutsideField(f"{type(e).__name__} in {e}")

    def _jet(self, e: sympy.Expr) -> None:
        found = applied(e)
        if found is None:
            self.visit(resolved(e))
            return
        found = owned(found, self._own)
        key = found.name, len(found.args)
        self._jet_orders[key] = max(sum(found.index), self._jet_orders.get(key, 0))
        self.visit_all(found.args)
        self._note("jet", found.value)

    def generators(self) -> list[Generator]:
        """The generators found, each after those it needs.

        Raises OutsideField when there are too many.
        """
        self._require_few(sum(self._fewest(what, subject) for what, subject in self._order))
        found = [generator for what, subject in self._order for generator in self._built(what, subject)]
        self._require_few(len(found))
        uncertain = [g for g in found if g.kind in (Kind.ROOT, Kind.PRIMITIVE)]
        self.certain = self.certain and len(uncertain) <= 1
        return found

    def _built(self, what: str, subject: sympy.Expr) -> Iterator[Generator]:
        yield from _BUILDERS[what](self, subject, self._denominators[what, subject])

    def _pair(self, cosine: Callable[[sympy.Expr], sympy.Expr], sine: Callable[[sympy.Expr], sympy.Expr],
              kinds: tuple[Kind, Kind], angle: sympy.Expr) -> Iterator[Generator]:  # fmt: skip
        yield Generator(kinds[0], cosine(angle), angle)
        yield Generator(kinds[1], sine(angle), angle)

    def _units(self, atom: sympy.Expr, *whats: str) -> list[sympy.Rational]:
        found = units(set().union(*(self._multiples.get((what, atom), ()) for what in whats)))
        self.certain = self.certain and len(found) == 1
        return found

    def _circular(self, atom: sympy.Expr, _: int) -> Iterator[Generator]:
        for unit in self._units(atom, "angle"):
            yield from self._pair(sympy.cos, sympy.sin, (Kind.COS, Kind.SIN), unit * atom)

    def _hyperbolic(self, atom: sympy.Expr, _: int) -> Iterator[Generator]:
        for unit in self._units(atom, "hyperbolic", "exp"):
            yield from self._pair(sympy.cosh, sympy.sinh, (Kind.COSH, Kind.SINH), unit * atom)

    def _exp(self, atom: sympy.Expr, _: int) -> Iterator[Generator]:
        if ("hyperbolic", atom) not in self._denominators:
            for unit in self._units(atom, "exp"):
                yield Generator(Kind.EXP, sympy.exp(unit * atom), unit * atom)

    @staticmethod
    def _require_few(count: int) -> None:
        if count > MOST_GENERATORS:
            raise OutsideField(f"at least {count} generators")

    def _fewest(self, what: str, subject: sympy.Expr) -> int:
        """How many generators something noted needs at least; all derivatives of unknown functions up to an order."""
        slots = len(subject.args)
        return comb(self._highest(subject) + slots, slots) if what == "jet" else 1

    def _highest(self, function: AppliedUndef) -> int:
        """The order up to which derivatives of the function are provided for."""
        return self._jet_orders[str(function.func), len(function.args)] + JET_MARGIN

    def _jets(self, function: AppliedUndef, _: int) -> Iterator[Generator]:
        highest = self._highest(function)
        indices = [i for i in product(range(highest + 1), repeat=len(function.args)) if sum(i) <= highest]
        for index in sorted(indices, key=sum):
            yield Generator(Kind.JET, Applied(function.func, index, function.args).written(), function, index=index)


_BUILDERS: Mapping[str, Callable[[Survey, sympy.Expr, int], Iterable[Generator]]] = {
    "free": lambda survey, e, n: [Generator(Kind.FREE, e)],
    "unit": lambda survey, e, n: [Generator(Kind.UNIT, e)],
    "primitive": lambda survey, e, n: [Generator(Kind.PRIMITIVE, e, e.args[0])],
    "root": lambda survey, e, n: [Generator(Kind.ROOT, e ** sympy.Rational(1, n), e, degree=n)],
    "power": lambda survey, e, n: [Generator(Kind.POWER, e.base ** (e.exp / n), e.base, exponent=e.exp / n)],
    "angle": Survey._circular,
    "hyperbolic": Survey._hyperbolic,
    "exp": Survey._exp,
    "jet": Survey._jets,
}


def constant(function: Callable[[sympy.Expr], sympy.Expr], coefficient: sympy.Rational) -> sympy.Expr:
    """cos or sin of a rational multiple of π, in roots."""
    value = function(coefficient * sympy.pi)
    if value.has(sympy.cos, sympy.sin):
        raise OutsideField(f"{value} has no short form in roots")
    return value


def _is_monomial(atom: sympy.Expr) -> bool:
    factors = [factor.as_base_exp() for factor in sympy.Mul.make_args(atom)]
    return all(b.is_Symbol or b.is_Rational or b is sympy.pi for b, e in factors if e.is_Integer) and all(
        e.is_Integer for _, e in factors
    )


def _is_rational(argument: sympy.Expr) -> bool:
    """Whether the argument is rational in symbols: a logarithm of functions may be a combination of others."""
    return bool(argument.is_rational_function(*argument.free_symbols)) and not argument.atoms(sympy.Function)
