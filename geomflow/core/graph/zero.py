"""Deciding that an expression is zero, by exact evaluation at random points.

Two residues modulo a prime of 61 bits come first (`geomflow.core.graph.modular`). What they leave open,
identities between transcendental functions or nested roots, is decided by ball arithmetic (Arb, through
python-flint): a ball that excludes zero proves that the expression is not zero; balls around zero of radius
below 2^-100 at three random points are taken for zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from random import Random
from typing import Any

from geomflow.core.errors import ExpressionError
from geomflow.core.graph.evaluate import Arithmetic, evaluate
from geomflow.core.graph.modular import Undefined, is_rational, residue
from geomflow.core.graph.node import Node, Rational
from geomflow.core.graph.traverse import leaves, schedule

ATTEMPTS = 200
BITS = 400
TRIALS = 2
BALL_TRIALS = 3


def is_zero(node: Node) -> bool:
    """Whether the expression vanishes identically.

    Raises ExpressionError when no random point was found at which the expression is defined.
    """
    return all_zero((node,))


def all_zero(nodes: Iterable[Node]) -> bool:
    """Whether all the expressions vanish identically, decided at common random points."""
    roots = list(nodes)
    if all(_trivial(n) for n in roots):
        return True
    order = schedule(roots)
    residues = _residues(order)
    if residues and all(known[r] == 0 for known in residues for r in roots):
        return True
    if residues and is_rational(order):
        return False
    suspects = [r for r in roots if not residues or any(known[r] for known in residues)]
    return _zero_in_balls(suspects)


def _trivial(node: Node) -> bool:
    return node.op == "constant" and node.data == 0


def _residues(order: list[Node]) -> list[dict[Node, int]]:
    """Residues at `TRIALS` good points; fewer when good points cannot be found."""
    found: list[dict[Node, int]] = []
    for seed in range(ATTEMPTS):
        try:
            found.append(residue(order, seed))
        except Undefined:
            continue
        if len(found) == TRIALS:
            break
    return found


def _zero_in_balls(roots: list[Node]) -> bool:
    good = 0
    for seed in range(ATTEMPTS):
        values = ball_values(roots, seed)
        if values is None:
            continue
        if not all(v.contains(0) for v in values):
            return False
        good += 1
        if good == BALL_TRIALS:
            return True
    raise ExpressionError(f"whether {roots[0]!r} is zero could not be decided: none of {ATTEMPTS} random points "
                          "lies in the domain of all its functions")


def ball_values(roots: list[Node], seed: int) -> list[Any] | None:
    """The values at a random rational point as complex balls; None outside the domain of definition.

    Leaves take rationals in (1/16, 1), where most logarithms and roots of geometry are real.
    """
    import flint

    random = Random(seed)
    previous, flint.ctx.prec = flint.ctx.prec, BITS
    try:
        point = {leaf: _ball(Fraction(random.randrange(2**12, 2**16), 2**16)) for leaf in leaves(roots)}
        values = evaluate(roots, point, Arithmetic(_number, _power, _call))
        small = flint.arb(2) ** (-BITS // 4)
        usable = all(v.is_finite() and (not v.contains(0) or abs(v).upper() < small) for v in values)
        return values if usable else None
    except ZeroDivisionError:
        return None
    finally:
        flint.ctx.prec = previous


def _ball(value: Rational) -> Any:
    import flint

    return flint.acb(flint.fmpq(value.numerator, value.denominator))


def _number(value: Rational | str) -> Any:
    import flint

    if isinstance(value, str):
        return flint.acb.pi() if value == "pi" else flint.acb(0, 1)
    return _ball(value)


def _power(base: Any, exponent: Rational) -> Any:
    if exponent.denominator == 1:
        return base ** int(exponent)
    return base.sqrt() ** exponent.numerator if exponent.denominator == 2 else base ** _ball(exponent)


def _call(name: str, argument: Any) -> Any:
    if name in ("abs", "sign"):
        return _modulus(name, argument)
    return getattr(argument, name)()


def _modulus(name: str, argument: Any) -> Any:
    import flint

    modulus = flint.acb(abs(argument))
    return modulus if name == "abs" else argument / modulus
