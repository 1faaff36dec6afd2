"""Geometry of unknown fields on the graph, against the same formulas in sympy on given fields."""

import numpy as np
import pytest

from geomflow.core import graph as gr
from geomflow.core.errors import ShapeError
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic import Chart, Metric
from geomflow.symbolic.jets import MetricNodes, hermitian_nodes, metric_nodes


def substituted(nodes, fields, coordinates):
    """The nodes with every jet replaced by the derivative of its field."""
    leaves = [leaf for leaf in gr.leaves(nodes) if leaf.op == "jet"]
    derive = gr.Derivation(coordinates)
    table = {}
    for leaf in leaves:
        name, index = leaf.data
        value = fields[name]
        for axis, times in enumerate(index):
            for _ in range(times):
                value = derive(value, axis)
        table[leaf] = value
    return gr.substitute(nodes, table)


def test_packed_names_and_matrix():
    names, matrix = metric_nodes(("x", "y"))
    assert names == ("g_xx", "g_xy", "g_yy")
    assert matrix[0, 1] is matrix[1, 0]
    assert matrix[0, 1] is gr.jet("g_xy", (0, 0))


def test_ricci_of_jets_is_ricci_of_metrics():
    x, y, z = (gr.symbol(n) for n in "xyz")
    names, matrix = metric_nodes(("x", "y", "z"))
    given = [2 + gr.sin(x), x * y / 5, gr.ZERO + z / 7, 3 + gr.cos(y + z), x * z / 9, 2 + x**2]
    fields = dict(zip(names, given, strict=True))
    found = substituted(list(MetricNodes(("x", "y", "z"), matrix).ricci.ravel()), fields, ("x", "y", "z"))
    chart = Chart("x y z")
    rows = [["2 + sin(x)", "x*y/5", "z/7"], ["x*y/5", "3 + cos(y+z)", "x*z/9"], ["z/7", "x*z/9", "2 + x^2"]]
    expected = [from_sympy(e) for e in Metric(chart, rows).ricci]
    assert gr.all_zero([a - b for a, b in zip(found, expected, strict=True)])


def test_surfaces_have_ricci_half_scalar_times_metric():
    _, g = metric_nodes(("x", "y"))
    metric = MetricNodes(("x", "y"), g)
    ricci, scalar = metric.ricci, metric.scalar
    assert gr.all_zero([ricci[i, j] - scalar * g[i, j] / 2 for i in range(2) for j in range(2)])


@pytest.mark.parametrize("coordinates", [("x", "y"), ("x", "y", "z")])
def test_deturck_of_small_fields_is_the_heat_equation(coordinates):
    _, g = metric_nodes(coordinates)
    metric = MetricNodes(coordinates, g)
    right = metric.lie_derivative(metric.deturck_field(None)) - 2 * metric.ricci
    flat = {
        leaf: gr.constant(_delta(leaf)) for leaf in gr.leaves([right[0, 1]]) if leaf.op == "jet" and not _second(leaf)
    }
    linear = gr.substitute([right[0, 1]], flat)[0]
    name = g[0, 1].data[0]
    heat = gr.add(
        *(gr.jet(name, tuple(2 * (k == a) for k in range(len(coordinates)))) for a in range(len(coordinates)))
    )
    assert gr.is_zero(linear - heat)


def _second(leaf):
    return sum(leaf.data[1]) == 2


def _delta(leaf):
    name, index = leaf.data
    return int(sum(index) == 0 and name[2] == name[3])


def test_the_hermitian_metric_of_a_potential():
    h = hermitian_nodes(("x1", "y1", "x2", "y2"))
    assert h.matrix.shape == (2, 2)
    phi_xx, phi_yy = gr.jet("phi", (2, 0, 0, 0)), gr.jet("phi", (0, 2, 0, 0))
    assert gr.is_zero(h.matrix[0, 0].re - (2 + phi_xx + phi_yy) / 4)
    assert h.matrix[0, 0].im is gr.ZERO
    mixed = gr.jet("phi", (1, 0, 0, 1)) - gr.jet("phi", (0, 1, 1, 0))
    assert gr.is_zero(h.matrix[0, 1].im - mixed / 4)
    product = [
        sum((h.matrix[a, b] * h.inverse[b, c] for b in range(2)), gr.Complex(gr.ZERO)) - int(a == c)
        for a in range(2)
        for c in range(2)
    ]
    assert gr.all_zero([part for p in product for part in (p.re, p.im)])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_scalar_curvature_of_the_potential_is_minus_two_laplacians_of_log_det(n):
    coordinates = ("x", "y") if n == 1 else tuple(f"{c}{k + 1}" for k in range(n) for c in "xy")
    h = hermitian_nodes(coordinates)
    trace = gr.ZERO
    for a in range(n):
        for b in range(n):
            trace = trace + (h.inverse[b, a] * h.ricci[a, b]).re
    assert gr.is_zero(h.scalar - 2 * trace)


def test_half_the_real_laplacian():
    h = hermitian_nodes(("x", "y"))
    f = gr.jet("f", (0, 0))
    real = 2 * h.matrix[0, 0].re
    metric = np.array([[real, gr.ZERO], [gr.ZERO, real]], dtype=object)
    assert gr.is_zero(2 * h.complex_laplacian(f) - MetricNodes(("x", "y"), metric).laplacian(f))


def test_shapes_are_checked():
    _, g = metric_nodes(("x", "y"))
    with pytest.raises(ShapeError, match="3 x 3"):
        MetricNodes(("x", "y", "z"), g)
    with pytest.raises(ShapeError, match="shape"):
        hermitian_nodes(("x", "y"), reference=[[1, 0], [0, 1]])


def test_the_ricci_tensor_stays_small():
    """The formula differentiates the 2-jet only: dimension 3 stays below the 673 operations known to be possible."""
    _, g = metric_nodes(("x", "y", "z"))
    operations = sum(len(node.args) for node in gr.schedule(list(MetricNodes(("x", "y", "z"), g).ricci.ravel())))
    assert operations < 673
