"""A complete soliton from the values where its orbits close."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from geomflow.core.errors import ConvergenceError, InputError, require_known
from geomflow.core.numbers import real_number
from geomflow.flow.outward import CompleteSoliton
from geomflow.flow.tip import Shape, Tip, tip
from geomflow.symbolic.ansatz import Ansatz
from geomflow.symbolic.ansatz.closing import closing_at, end_pair
from geomflow.symbolic.ansatz.domain import Interval
from geomflow.symbolic.ansatz.fibres import Fibre, power_of
from geomflow.symbolic.ansatz.outward import OutwardEquations, soliton_equations

RESOLVED, HALVINGS = 1e-12, 12
"""How small the last coefficients about the tip must be, and how often its reach is halved until they are."""


def complete_soliton(ansatz: Ansatz, constant: int, given: Mapping[str, Any]) -> CompleteSoliton:
    """The soliton with given values where its orbits close: R there, and the unknowns that do not vanish.

    Raises InputError where one is missing, or is not a number, ConvergenceError where there is none.
    """
    (name,) = ansatz.coordinates
    equations = soliton_equations(ansatz, constant)
    domain = ansatz.domain[name]
    found = closing_at(ansatz, end_pair(domain)[0], name, domain.a) if isinstance(domain, Interval) else ()
    if len(found) != 1:
        raise InputError(f"a complete soliton is followed from a place where one unknown vanishes: let {name} begin at "
                         "a pole or a bolt.")
    (fibre,) = found
    shape = _shape(ansatz, equations, fibre)
    wanted = ["R", *(u.name for u, closes in zip(equations.unknowns, shape.closing, strict=True) if not closes)]
    for key in given:
        require_known("value where orbits close,", key, wanted)
    missing = [key for key in wanted if key not in given]
    if missing:
        raise InputError(f"which soliton is wanted is told by values where its orbits close: give {', '.join(wanted)}; "
                         f"{missing[0]} is missing. (R of a steady one only sets its scale.)")
    numbers = {key: real_number(value, key) for key, value in given.items()}
    known = CompleteSoliton(ansatz, constant, equations, Tip(shape, 1.0, np.zeros((len(wanted) + 1, 2))))
    at_start = _at_start(ansatz, equations, shape, constant, fibre, numbers)
    least = min(0, ansatz.metric.dim * constant)
    if numbers["R"] < least:
        raise InputError(f"complete solitons with λ = {constant} have R ≥ {least} everywhere (B.-L. Chen 2009; "
                         f"S. Pigola, M. Rimoldi, A. Setti 2011), and R = {numbers['R']:g} was given.")
    size = abs(numbers["R"]) + abs(constant) + sum(numbers[k] ** -2 for k in wanted[1:])
    reach = 0.5 / np.sqrt(size) if size else 0.5
    for _ in range(HALVINGS):
        start = tip(known.second, shape, reach, at_start)
        if start.tail < RESOLVED:
            return CompleteSoliton(ansatz, constant, equations, start)
        reach /= 2
    raise ConvergenceError("the soliton is not resolved about the place where its orbits close: give other values.")


def _shape(ansatz: Ansatz, equations: OutwardEquations, fibre: Fibre) -> Shape:
    closing = tuple(u == fibre.unknown for u in equations.unknowns)
    powers = [power_of(ansatz.metric, u) for u in equations.unknowns]
    exponents = tuple(1 if found is None else found[1] for found in powers)
    return Shape(exponents, closing, tuple(float(fibre.cone) if own else 1.0 for own in closing))


def _at_start(ansatz: Ansatz, equations: OutwardEquations, shape: Shape, constant: int, fibre: Fibre,
              numbers: Mapping[str, float]) -> list[float]:
    """w(0) of those that do not vanish, and φ(0) = −f''(0): R = dim λ − Δf, and Δf = (p + 1) f'' where S^p closes."""
    bend = (ansatz.metric.dim * constant - numbers["R"]) / (fibre.dim + 1)
    rows = [float("nan") if closes else float(np.log(numbers[u.name])) / e
            for u, closes, e in zip(equations.unknowns, shape.closing, shape.exponents, strict=True)]
    return [*rows, -bend]
