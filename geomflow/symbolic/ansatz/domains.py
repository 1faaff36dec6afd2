"""The domain of each coordinate of unknowns, checked against what the chart knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from geomflow.core.errors import InputError, require_known
from geomflow.symbolic.ansatz.domain import Circle, Domain, Interval, Span
from geomflow.symbolic.ansatz.unknowns import Unknown
from geomflow.symbolic.given import names_in
from geomflow.symbolic.metric import Metric


def domain_of(metric: Metric, unknowns: Sequence[Unknown], wanted: Any) -> dict[str, Domain]:
    """The domain of each coordinate of the unknowns, checked against the chart."""
    own = [name for name in metric.chart.coordinates if any(name in u.coordinates for u in unknowns)]
    table = _by_coordinate(own, wanted)
    found = {}
    for name in own:
        domain = table.get(name)
        if domain is None and name in metric.chart.periods:
            domain = Circle()
        if domain is None:
            raise InputError(f"the unknowns depend on {name}, and nothing says where it lies: give a domain, as in "
                             "domain=Interval(0, pi, ends='pole') or domain=Circle(2*pi).")
        found[name] = _fitted(metric, name, domain)
        _require_closing(found[name], name, unknowns)
    return found


def _by_coordinate(own: Sequence[str], wanted: Any) -> dict[str, Any]:
    if wanted is None:
        return {}
    if isinstance(wanted, Mapping):
        table = {str(name): domain for name, domain in wanted.items()}
    else:
        domains = list(wanted) if isinstance(wanted, list | tuple) else [wanted]
        if len(domains) != len(own):
            raise InputError(f"{_counted(own)}, and {len(domains)} domains were given: give one for each coordinate of "
                             "the unknowns, and none where these are numbers.")
        table = dict(zip(own, domains, strict=True))
    for name, domain in table.items():
        require_known("coordinate of unknowns", name, own)
        if not isinstance(domain, Circle | Interval | Span):
            raise InputError(f"the domain of {name} is a Circle, an Interval or a Span, and {domain!r} was given.")
    return table


def _counted(own: Sequence[str]) -> str:
    if not own:
        return "the unknowns depend on no coordinate"
    return f"the unknowns depend on {len(own)} coordinate{'s' * (len(own) > 1)} ({', '.join(own)})"


def _fitted(metric: Metric, name: str, domain: Domain) -> Domain:
    """The domain with what the chart knows. Raises InputError where the two differ."""
    period, bounds = metric.chart.periods.get(name), metric.chart.ranges.get(name)
    if isinstance(domain, Span):
        return _between_free_names(metric, name, domain)
    if isinstance(domain, Circle):
        length = domain.period if domain.period is not None else period
        if length is None:
            raise InputError(f"the circle of {name} has no period: give it, Circle(2*pi), or the chart's.")
        if period is not None and period != length:
            raise InputError(f"the chart says that {name} has the period {period}, and the circle {length}: make them "
                             "agree.")
        if bounds is not None and bounds[1] - bounds[0] != length:
            raise InputError(f"the chart says that {name} lies in ({bounds[0]}, {bounds[1]}), and the domain is "
                             f"{domain}: make them agree.")
        return Circle(length)
    if period is not None and not (2 * domain.length == period and all(end.kind == "mirror" for end in domain.ends)):
        raise InputError(f"the chart says that {name} has the period {period}, and the domain is {domain}: take "
                         "Circle(), a half of it between mirrors, or a chart in which it has none.")
    if bounds is not None and tuple(bounds) != (domain.a, domain.b):
        raise InputError(f"the chart says that {name} lies in ({bounds[0]}, {bounds[1]}), and the domain is {domain}: "
                         "make them agree.")
    return domain


def _between_free_names(metric: Metric, name: str, span: Span) -> Span:
    """The span. Raises InputError where its ends are called as something of the metric, or y ≤ 0 is not excluded."""
    for end in span.ends:
        if end.name in (*metric.chart.coordinates, *names_in(metric.matrix)):
            raise InputError(f"the end '{end.name}' of {name} is called as something of the metric: call it otherwise.")
    if metric.chart.ranges.get(name) != (0, sympy.oo):
        raise InputError(f"the coordinate {name} of a span is positive: give the chart ranges={{'{name}': (0, 'oo')}}.")
    return span


def _require_closing(domain: Domain, name: str, unknowns: Sequence[Unknown]) -> None:
    own = [u.name for u in unknowns if name in u.coordinates]
    for end in domain.ends if isinstance(domain, Interval) else ():
        for word, names in (("closes", end.names), ("grows", [name for name, _ in end.powers])):
            for unknown in names:
                require_known(f"function of {name} that {word} at the end \"{end}\",", unknown, own)
