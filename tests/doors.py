"""Whatever takes text: calls of one argument that must read it as mathematics, or as a name."""

from __future__ import annotations

import geomflow as gf
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic import flows
from geomflow.symbolic.catalogue.entries import round_sphere
from geomflow.symbolic.exact import is_zero

CHART = gf.Chart("x y")
COMPLEX = gf.ComplexChart("z")
FLAT = gf.Metric(CHART, [[1, 0], [0, 1]])
KAHLER = gf.KahlerMetric.from_potential(COMPLEX, "z*zb")
TORUS = gf.Torus(dim=2)
LINE = gf.Torus(dim=1)
FIELD = LINE.grid(8).scalar("0")
CALABI = gf.functionals.KEnergy(gf.ComplexTorus(dim=1)).gradient_flow()

TAKERS = {
    "periods": lambda v: gf.Chart("x y", periods={"x": v}),
    "ranges": lambda v: gf.Chart("x y", ranges={"x": (0, v)}),
    "range": lambda v: gf.Chart("x y", ranges={"x": v}),
    "assumptions": lambda v: gf.Chart("x y", assumptions={"x": {v: True}}),
    "symbols": gf.Chart,
    "components": lambda v: gf.Metric(CHART, [[v, 0], [0, 1]]),
    "parameters": lambda v: gf.Metric(CHART, [[1, 0], [0, 1]], parameters=v),
    "expression": CHART.expression,
    "complex expression": COMPLEX.expression,
    "potential": lambda v: gf.KahlerMetric.from_potential(COMPLEX, v),
    "hermitian": lambda v: gf.KahlerMetric(COMPLEX, [[v]]),
    "is_zero": is_zero,
    "is_zero of a list": lambda v: is_zero([v, 0]),
    "is_soliton": lambda v: flows.is_soliton(FLAT, [0, 0], v),
    "soliton's field": lambda v: flows.is_soliton(FLAT, [v, 0]),
    "Ricci flow's time": lambda v: flows.ricci_flow_residual(FLAT, v),
    "laplacian": lambda v: FLAT.laplacian(v),
    "pullback": lambda v: FLAT.pullback(CHART, [v, "y"]),
    "geodesics": lambda v: FLAT.geodesic_equations(v),
    "known flow": lambda v: round_sphere(2).flow(v),
    "rates": lambda v: CALABI.linearisation.rates((v, 0)),
    "grid": lambda v: LINE.grid(8).scalar(v),
    "matrix on a grid": lambda v: TORUS.grid(8).metric([[v, "0"], ["0", "1"]]),
    "Torus": lambda v: gf.Torus(dim=1, periods=v),
    "rate": lambda v: gf.Flow.from_expression(v).bind(FIELD),
    "rate's parameter": lambda v: gf.Flow.from_expression("-k*u", k=v).bind(FIELD),
    "density": lambda v: gf.functionals.from_density(TORUS, v),
    "E_F": lambda v: gf.functionals.EF(gf.ComplexTorus(dim=1), v),
    "Dwork": gf.Dwork,
    "Hypersurface": gf.Hypersurface,
    "coordinates": lambda v: gf.Hypersurface("z0^3 + z1^3 + z2^3", coordinates=v),
    "algebraic functional": lambda v: gf.algebraic_metric(gf.Fermat(3), 1, CUBIC, functional=v),
    "compile": gf.compile,
    "graph": from_sympy,
}
#: Text may be a name here, and says nothing else.
TAKES_NAMES = ("assumptions", "geodesics", "Ricci flow's time")
CUBIC = gf.Fermat(3).sample(200, seed=1)
