"""Closed two-forms with which the metrics of an ansatz are Kähler, and the complex structures that they give."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import sympy

from geomflow.core.errors import InputError
from geomflow.symbolic.components import Matrix, entries_in
from geomflow.symbolic.exact import all_zero
from geomflow.symbolic.metric import Metric

STRUCTURE = "J"
"""What J is called in rates."""


def checked_form(metric: Metric, given: Any) -> Matrix:
    """The components of ω. Raises ShapeError or InputError where it is no closed two-form with (g⁻¹ω)² = −1."""
    dim, chart = metric.dim, metric.chart
    form = Matrix(dim, dim, chart.read(entries_in(chart, given))[1])
    if not all_zero(list(form + form.T), chart):
        raise InputError("a two-form is antisymmetric, and the one that was given is not.")
    for i, j, k in combinations(range(dim), 3):
        x, y, z = (chart.symbols[n] for n in (i, j, k))
        if not all_zero([form[j, k].diff(x) + form[k, i].diff(y) + form[i, j].diff(z)], chart):
            raise InputError(f"the two-form is not closed: its derivative has a component along {x}, {y}, {z}.")
    if not all_zero(list(structure_of(metric, form) ** 2 + sympy.eye(dim)), chart):
        raise InputError("with the two-form ω that was given J = g⁻¹ω has not J² = −1: the metric is not Hermitian.")
    return form


def structure_of(metric: Metric, form: Matrix) -> sympy.Matrix:
    """J^i_j = g^ik ω_jk, with ω = g(J·, ·)."""
    return metric.inverse * form.T
