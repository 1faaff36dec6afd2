"""Flows reduced to an ansatz on the command line: `geomflow derive ricci --ansatz "sphere n=3"`."""

from __future__ import annotations

import argparse
import re
from typing import Any

from geomflow.cli.typed import METRIC, Rate, table
from geomflow.core.errors import InputError, require_known

OWN = "expression"
"""The flow that is a rate."""
EXAMPLE = '--ansatz "sphere n=3"'


def reduced_lines(args: argparse.Namespace) -> list[str]:
    """The metric, then the rates of its unknowns; the rates alone in LaTeX."""
    from geomflow.symbolic.show import line_element

    ansatz = ansatz_of(args.ansatz)
    found = ansatz.reduce(flow_of(args))
    if args.latex:
        return [found.latex()]
    return [f"On {ansatz},", f"ds^2 = {line_element(ansatz.metric.matrix, ansatz.metric.chart.symbols)}:",
            *str(found).splitlines()]


def ansatz_of(given: str) -> Any:
    """The ansatz of the catalogue that text names, with parameters: "sphere n=3", "product spheres=2,3 flat=1"."""
    from geomflow.symbolic import catalogue

    name, *pairs = given.split() or [""]
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals and value):
            raise InputError(f"--ansatz '{given}' has '{pair}' where NAME=VALUE was expected, as in {EXAMPLE}")
        found[key] = read_value(value)
    return catalogue.ansatz(name, **found)


def read_value(text: str) -> Any:
    """A whole number, several between commas, or text.

    >>> read_value("3"), read_value("2,3"), read_value("2,"), read_value("-1/4"), read_value("IX")
    (3, (2, 3), (2,), '-1/4', 'IX')
    """
    if "," in text:
        return tuple(read_value(part) for part in text.split(",") if part)
    return int(text) if re.fullmatch(r"[+-]?\d{1,9}", text) else text


def flow_of(args: argparse.Namespace) -> Any:
    """The flow by name, or with the rate of g."""
    from geomflow.flow.registry import FLOWS, expression, named_flow

    if args.dim is not None:
        raise InputError(f"an ansatz has its own dimension: leave out --dim, and say {EXAMPLE}")
    if not args.rate:
        require_known("flow", args.name, [name for name, entry in FLOWS.items() if not entry.derived and name != OWN])
        return named_flow(args.name, {})
    rates = [Rate.read(given) for given in args.rate]
    if args.name is not None or [rate.name for rate in rates] != [METRIC]:
        raise InputError("on an ansatz one metric flows: give the name of a flow, such as ricci, or --rate "
                         f'"{METRIC}: -2*Ric"')
    return expression({METRIC: rates[0].text}, where=table("where", args.where),
                      parameters=table("parameter", args.parameter), gauge=args.gauge)
