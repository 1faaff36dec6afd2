"""Exact evaluation modulo a large prime, at random points, for deciding that an expression is zero.

A nonzero polynomial of degree d vanishes at a random point modulo p with probability at most d/p.
Square roots are roots modulo p; sines and cosines of integer combinations of the same angles lie on one
circle; exponentials of integer combinations are products; logarithms, other calls and unknown functions are
independent unknowns, one for each residue of their arguments. An expression that vanishes under these is
zero; one that does not may still be zero by an identity between its transcendental functions or roots, and is
then decided by `geomflow.core.graph.zero` in ball arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from random import Random

from geomflow.core.graph.calculus import schedule
from geomflow.core.graph.node import ONE, Node, Rational, stable_text

PRIME = 2**61 - 1216663
"""The largest prime below 2**61 that is 9 modulo 16, modulo which -1 and all primes below 30 are squares, and that is
not 1 modulo 5, 7, 11 and 13: so numbers as √2 have residues, square roots a closed form, and fifth roots are unique."""
ODD = (PRIME - 1) // 8
EIGHTH = next(c for n in range(2, 100) if pow(c := pow(n, ODD, PRIME), 4, PRIME) == PRIME - 1)
"""A primitive eighth root of 1."""


class Undefined(ArithmeticError):
    """The point meets a pole, or a non-residue under a root: take another one."""


def _inverse(value: int) -> int:
    if value % PRIME == 0:
        raise Undefined
    return pow(value, -1, PRIME)


def _root(value: int) -> int:
    """A square root modulo PRIME (Tonelli and Shanks)."""
    root = pow(value, (ODD + 1) // 2, PRIME)
    for _ in range(4):
        if (root * root - value) % PRIME == 0:
            return root
        root = root * EIGHTH % PRIME
    raise Undefined


IMAGINARY = _root(PRIME - 1)
PERIODIC = ("sin", "cos", "tan", "exp", "sinh", "cosh", "tanh")
"""Functions whose residues follow their addition theorems."""


class ModularArithmetic:
    """The arithmetic of residues at one random point; see `geomflow.core.graph.evaluate.Arithmetic`."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def unknown(self, *content: int) -> int:
        """The independent random residue that belongs to some content."""
        return Random(hash((self._seed, *content))).randrange(2, PRIME)

    def number(self, value: Rational | str) -> int:
        """A rational, the imaginary unit, or pi (an independent unknown) as a residue."""
        if isinstance(value, str):
            return IMAGINARY if value == "I" else self.unknown(314159)
        if value and value.numerator % PRIME == 0:
            raise Undefined
        return value.numerator * (1 if value.denominator == 1 else _inverse(value.denominator)) % PRIME

    def power(self, base: int, exponent: Rational) -> int:
        """base**exponent for integer and half-integer exponents."""
        if exponent.denominator == 2:
            base, exponent = _root(base), exponent.numerator
        if exponent.denominator != 1:
            raise Undefined
        return pow(base, int(exponent), PRIME) if exponent > 0 else pow(_inverse(base), -int(exponent), PRIME)

    def circle(self, angle: Node) -> tuple[int, int]:
        """(cos, sin) of an angle; of an integer combination, by the addition theorems."""
        c, s = 1, 0
        for factor, term in combination(angle):
            a, b = self._rotation(term, abs(factor))
            b = b if factor > 0 else -b
            c, s = (c * a - s * b) % PRIME, (s * a + c * b) % PRIME
        return c, s

    def turn(self, key: int) -> tuple[int, int]:
        """(cos, sin) of the independent random angle that belongs to some content."""
        t = self.unknown(key, 1)
        scale = _inverse(1 + t * t)
        return (1 - t * t) * scale % PRIME, 2 * t * scale % PRIME

    def _rotation(self, term: Node, times: int) -> tuple[int, int]:
        a, b = self.turn(term.key)
        c, s = 1, 0
        for _ in range(times):
            c, s = (c * a - s * b) % PRIME, (s * a + c * b) % PRIME
        return c, s

    def exponential(self, argument: Node) -> int:
        """exp of an integer combination as a product."""
        total = 1
        for factor, term in combination(argument):
            total = total * self.power(self.unknown(term.key, 2), factor) % PRIME
        return total


def combination(argument: Node) -> list[tuple[int, Node]]:
    """The argument as a sum of c * x with integers c, as far as it is one."""
    if argument.op != "add" or not all(isinstance(c, int) and abs(c) < 64 for c in argument.data[1]):
        return [(1, argument)]
    terms = list(zip(argument.data[1], argument.args, strict=True))
    if argument.data[0]:
        return [*terms, (argument.data[0], ONE)] if isinstance(argument.data[0], int) else [(1, argument)]
    return terms


def residue(order: list[Node], seed: int) -> dict[Node, int]:
    """The residues of all nodes of a schedule at the random point given by `seed`.

    Raises Undefined at a pole or a non-residue.
    """
    use = ModularArithmetic(seed)
    known: dict[Node, int] = {}
    for node in order:
        known[node] = _value(node, known, use)
    return known


def _value(node: Node, known: dict[Node, int], use: ModularArithmetic) -> int:
    if node.op == "constant":
        return use.number(node.data)
    if node.op == "add":
        total = use.number(node.data[0])
        for c, a in zip(node.data[1], node.args, strict=True):
            total += c * known[a] if isinstance(c, int) and abs(c) < PRIME else use.number(c) * known[a]
        return total % PRIME
    if node.op == "mul":
        total = 1
        for a, e in zip(node.args, node.data, strict=True):
            total = total * (known[a] if e == 1 else use.power(known[a], e)) % PRIME
        return total
    if node.op == "call":
        argument = node.args[0]
        return call(use, node.data, known[argument], lambda: use.circle(argument), lambda: use.exponential(argument))
    if node.op == "apply":
        function, index = node.data
        return use.unknown(stable_text(function), *index, *[known[a] for a in node.args])
    return use.unknown(node.key)


def call(use: ModularArithmetic, name: str, argument: int, circle: Callable[[], tuple[int, int]],
         exponential: Callable[[], int]) -> int:
    """A function at a residue: circular ones on one circle, hyperbolic ones by one exponential, else unknown."""
    if name in ("sin", "cos", "tan"):
        c, s = circle()
        return s * _inverse(c) % PRIME if name == "tan" else s if name == "sin" else c
    if name == "exp":
        return exponential()
    if name in ("sinh", "cosh", "tanh"):
        up = exponential()
        down, half = _inverse(up), _inverse(2)
        sinh, cosh = (up - down) * half % PRIME, (up + down) * half % PRIME
        return sinh * _inverse(cosh) % PRIME if name == "tanh" else sinh if name == "sinh" else cosh
    return use.unknown(stable_text(name), argument)


class Nature(IntEnum):
    """What an expression is made of, and so what its residues say: a part of a higher nature makes it of that nature.

    A nonzero residue of what is rational is decisive; of what is transcendental only a zero one is; the sign of a root
    modulo PRIME says nothing of its branch.
    """

    RATIONAL = 0
    TRANSCENDENTAL = 1
    ROOTED = 2


def natures_of(order: list[Node]) -> dict[Node, Nature]:
    """The natures of all nodes of a schedule."""
    natures: dict[Node, Nature] = {}
    for node in order:
        natures[node] = max([_own_nature(node), *[natures[a] for a in node.args]])
    return natures


def _own_nature(node: Node) -> Nature:
    if node.op == "mul" and any(e.denominator != 1 for e in node.data):
        return Nature.ROOTED
    return Nature.TRANSCENDENTAL if node.op == "call" or node.data == "pi" else Nature.RATIONAL


def height(root: Node) -> int:
    """A bound of the degree of the numerator of a node as a quotient of polynomials in the random residues."""
    degrees: dict[Node, tuple[int, dict[Node, int]]] = {}
    for node in schedule((root,)):
        degrees[node] = _degrees(node, degrees)
    return degrees[root][0]


def _degrees(node: Node, known: dict[Node, tuple[int, dict[Node, int]]]) -> tuple[int, dict[Node, int]]:
    """The degree of the numerator, and the divisors with their multiplicities.

    A divisor is the numerator of the node that was divided by; a function's is its argument, of degree one.
    """
    if node.op == "add":
        below = [known[a] for a in node.args]
        common: dict[Node, int] = {}
        for _, den in below:
            for divisor, times in den.items():
                common[divisor] = max(times, common.get(divisor, 0))
        whole = _size(common, known)
        return max(num + whole - _size(den, known) for num, den in below), common
    if node.op == "mul":
        num, den = 0, {}
        for a, e in zip(node.args, node.data, strict=True):
            above, below_ = known[a]
            if e > 0:
                num += int(e) * above
                for divisor, times in below_.items():
                    den[divisor] = den.get(divisor, 0) + int(e) * times
            else:
                num += int(-e) * _size(below_, known)
                den[a] = den.get(a, 0) + int(-e)
        return num, den
    if node.op == "call" and node.data in PERIODIC:
        turns = sum(abs(factor) for factor, _ in combination(node.args[0]))
        return 4 * turns, {node: 2 * turns}
    return max([int(node.op != "constant"), *[known[a][0] + _size(known[a][1], known) for a in node.args]]), {}


def _size(den: dict[Node, int], known: dict[Node, tuple[int, dict[Node, int]]]) -> int:
    """The degree of a product of divisors."""
    return sum(times * (known[d][0] if d in known and d.op != "call" else 1) for d, times in den.items())
