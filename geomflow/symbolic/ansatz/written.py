"""An ansatz as text, and back: what stores keep of it, read by the package's own reader of expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geomflow.core.errors import InputError
from geomflow.core.graph.sympy_bridge import contents
from geomflow.symbolic.ansatz.ansatz import Ansatz
from geomflow.symbolic.ansatz.domain import Circle, Domain, Interval, Span
from geomflow.symbolic.chart import Chart
from geomflow.symbolic.metric import Metric


def written(ansatz: Ansatz) -> dict[str, Any]:
    """JSON-able facts from which `read_ansatz` makes an equal ansatz.

    Raises InputError or ExpressionError where the names in its components cannot be written as text.
    """
    chart, matrix = ansatz.metric.chart, ansatz.metric.matrix
    bare = Chart(chart.coordinates, ranges=chart.ranges, periods=chart.periods)
    unknown, found = {u.value for u in ansatz.unknowns}, contents(matrix)
    parameters = sorted(found.symbols - {*chart.symbols}, key=str)
    facts = {
        "coordinates": list(chart.coordinates),
        "ranges": {name: [str(end) for end in ends] for name, ends in chart.ranges.items()},
        "periods": {name: str(length) for name, length in chart.periods.items()},
        "assumptions": {s.name: dict(s.assumptions0) for s in chart.symbols if s not in bare.symbols},
        "parameters": {s.name: "real" if s in unknown else dict(s.assumptions0) for s in parameters},
        "functions": sorted({applied.name for applied in found.unknown}),
        "metric": [[str(entry) for entry in matrix.row(i)] for i in range(chart.dim)],
        "unknowns": [u.name for u in ansatz.unknowns],
        "domain": {name: _domain_facts(domain) for name, domain in ansatz.domain.items()},
    }
    if ansatz.form is not None:
        facts["form"] = [[str(entry) for entry in ansatz.form.row(i)] for i in range(chart.dim)]
    if read_ansatz(facts) != ansatz:
        raise InputError(f"{ansatz} cannot be written as text: its names are read as something else there.")
    return facts


def read_ansatz(facts: Mapping[str, Any]) -> Ansatz:
    """The ansatz that `written` has told of. Text is read, never run.

    Parameters
    ----------
    facts : mapping
        As `written` gives them.
    """
    chart = Chart(facts["coordinates"], ranges=facts["ranges"], periods=facts["periods"],
                  assumptions=facts["assumptions"])
    metric = Metric(chart, facts["metric"], facts["parameters"], facts["functions"])
    domain = {name: _domain(own) for name, own in facts["domain"].items()}
    return Ansatz(metric, facts["unknowns"], domain, facts.get("form"))


def _domain_facts(domain: Domain) -> dict[str, Any]:
    if isinstance(domain, Circle):
        return {"circle": str(domain.period)}
    if isinstance(domain, Span):
        return {"span": [str(domain.a), str(domain.b)]}
    scale = {} if domain.scale == 1 else {"scale": str(domain.scale)}
    return {"interval": [str(domain.a), str(domain.b)], "ends": [str(end) for end in domain.ends], **scale}


def _domain(facts: Mapping[str, Any]) -> Domain:
    if "circle" in facts:
        return Circle(facts["circle"])
    if "span" in facts:
        return Span(*facts["span"])
    low, high = facts["interval"]
    return Interval(low, high, facts["ends"], facts.get("scale", 1))
