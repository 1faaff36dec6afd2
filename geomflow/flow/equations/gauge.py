"""Gauges of flows of a metric of any order: diffeomorphisms and conformal changes that damp short waves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, final

import numpy as np
import sympy

from geomflow.core import graph as gr
from geomflow.core.errors import InputError
from geomflow.field import MetricField
from geomflow.flow.equations.flat import Damping, damping_at_flat, order_of
from geomflow.flow.equations.ricci import deturck_rates
from geomflow.symbolic.jets import MetricNodes
from geomflow.symbolic.language.shown import WRITTEN
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor, mapped
from geomflow.symbolic.language.words import TIME

GAUGES: tuple[Literal["deturck", "deturck+conformal"], ...] = ("deturck", "deturck+conformal")

_LATER = 0.37
"""A time later, at which no rate vanishes by chance."""


@final
@dataclass(frozen=True, eq=False)
class Gauge:
    """L_Y T for every field T, Y = c (−D)^{m−1} W, with D = g^{ab} ∂_a∂_b and W^k = g^{ij} Γ^k_ij.

    The background is flat. The symbol of L_W g is −|k|² on all directions h_ij = k_i v_j + k_j v_i along
    diffeomorphisms (DeTurck 1983), that of L_Y g therefore −c|k|^{2m}: for flows of order 2m, with c such that they are
    damped as metrics across k are by the flow itself, at the flat metric. A conformal gauge adds
    c/(d − 1) (−1)^m Δ^{m−1} R g, whose symbol is −c|k|^{2m} on conformal changes: to Bach's flow ΔR g/12, as Bahuaud
    and Helliwell (2011) do. It is no part of a diffeomorphism: what is invariant under conformal changes, as ∫|Weyl|²
    in dimension 4, falls all the same.

    Parameters
    ----------
    space : Space
        With a metric.
    order : int
        2m.
    scale : Fraction
        c.
    conformal : bool
        Whether conformal changes are damped too.
    """

    space: Space
    order: int
    scale: Fraction
    conformal: bool

    @classmethod
    def of(cls, space: Space, rate: Tensor, name: str, numbers: Mapping[str, float] | None = None) -> Gauge:
        """The gauge called `name` of a metric's rate in a space, as strong as the rate damps where it starts.

        Raises InputError for a rate that vanishes at the time at which it starts.

        Parameters
        ----------
        space : Space
            With a metric.
        rate : Tensor
            Of the metric.
        name : str
            One of `GAUGES`.
        numbers : mapping, optional
            The time at which runs start, and what the other fields are about.
        """
        metric, stages = metric_in(space), space.derive.stages
        if space.dim < 2:
            raise InputError("in dimension 1 all metrics are flat: leave the gauge out.")
        names = [entry.data[0] for entry in metric.matrix.flat]
        order = order_of(rate.entries, stages, names)
        order = max(2, order + order % 2)
        axis = next((n for n, x in enumerate(metric.coordinates) if x not in metric.ignorable), 0)
        numbers = numbers or {}

        def damped(values: Mapping[str, float]) -> Damping:
            return damping_at_flat(rate.entries, stages, metric.matrix, order, axis, values)

        damping = damped(numbers)
        if TIME in numbers and damping.vanishes_beside(damped({**numbers, TIME: numbers[TIME] + _LATER})):
            raise InputError(f"the rate of the metric vanishes at t = {numbers[TIME]:.9g}, where the run starts, and a "
                             f'gauge="{name}" takes its strength from there: start at another time t0, or leave the '
                             "gauge out.")
        return cls(space, order, damping.scale, name == "deturck+conformal")

    @property
    def told(self) -> str:
        """In words, as in "Y = -D W/4, W^k = g^ij Gamma^k_ij, D = g^ab d_a d_b"."""
        power, sign = self.order // 2 - 1, "-" if self.order % 4 == 0 else ""
        field, curvature = (name * power + inner for name, inner in (("D ", "W"), ("laplacian ", "R")))
        words = [f"Y = {_times(self.scale, field, sign)}", "W^k = g^ij Gamma^k_ij"]
        if power:
            words.append("D = g^ab d_a d_b")
        if self.conformal:
            words.append(f"s = {_times(self._share, curvature, '' if sign else '-')}")
        return ", ".join(words)

    @property
    def _share(self) -> Fraction:
        return self.scale / (self.space.dim - 1)

    def added(self, rate: Tensor, unknown: Tensor, is_metric: bool) -> Tensor:
        """The rate of a field with the gauge added.

        Of second order 2 Ric in L_W g meets the −2 Ric of the rate, and what is left is Ricci–DeTurck's rate.
        """
        terms = [replace(rate, labels=None)]
        if is_metric and self.order == 2:
            metric = metric_in(self.space)
            ricci = Tensor(metric.ricci, (False, False)).scaled(2 * self.scale)
            terms = [self.space.total([*terms, ricci]),
                     Tensor(deturck_rates(metric), (False, False)).scaled(self.scale)]
        else:
            field, slopes = self._field
            terms.append(replace(self.space.dragged(field, slopes, unknown), labels=None))
        if is_metric and self.conformal:
            terms.append(self._rescaling(unknown))
        total = self.space.total(terms)
        return self._mirrored(total) if is_metric else total

    def _mirrored(self, tensor: Tensor) -> Tensor:
        """A symmetric tensor, seen to be so."""
        return Tensor(self.space.ring.symmetric(self.space.dim, lambda i, j: tensor.entries[i, j]), tensor.up)

    @cached_property
    def _field(self) -> tuple[Tensor, np.ndarray]:
        """Y, and ∂_i Y^k as `[k, i]`.

        Y and its slopes are carried along together, ∂_i D = D ∂_i + (∂_i g^{ab}) ∂_a∂_b, from slopes of W that are
        carried out: on the grid the symbol is a product of second differences, which see the shortest waves.
        """
        metric, dim = metric_in(self.space), self.space.dim
        ring, field = metric.ring, metric.deturck_field()
        slopes = np.array([[ring.d(entry, i) for i in range(dim)] for entry in field], dtype=object)
        for _ in range(self.order // 2 - 1):
            twice = [self._seconds(entry) for entry in field]
            moved = [[-self._contracted(metric.inverse, self._seconds(entry)) - self._contracted(change, own)
                      for entry, change in zip(row, self._changes, strict=True)]
                     for row, own in zip(slopes, twice, strict=True)]
            field = np.array([-self._contracted(metric.inverse, own) for own in twice], dtype=object)
            slopes = np.array(moved, dtype=object)
        scaled = [mapped(lambda entry: entry * self.scale, array) for array in (field, slopes)]
        return Tensor(scaled[0], (True,)), scaled[1]

    @property
    def _changes(self) -> list[np.ndarray]:
        """∂_i g^{ab} = −g^{ac} g^{bd} ∂_i g_cd, for each i."""
        metric = metric_in(self.space)
        return [-metric.inverse @ metric.derivatives[:, :, i] @ metric.inverse for i in range(self.space.dim)]

    def _seconds(self, entry: gr.Node) -> np.ndarray:
        """∂_a∂_b of a function."""
        return self.space.ring.symmetric(self.space.dim, lambda a, b: self.space.derive(entry, a, b))

    def _contracted(self, matrix: np.ndarray, seconds: np.ndarray) -> gr.Node:
        return self.space.ring.dot(zip(matrix.flat, seconds.flat, strict=True))

    def _rescaling(self, metric: Tensor) -> Tensor:
        """c/(d − 1) (−1)^m Δ^{m−1} R g."""
        curvature = Tensor.scalar(metric_in(self.space).scalar)
        for _ in range(self.order // 2 - 1):
            curvature = self.space.laplacian(curvature)
        return metric.scaled(curvature.node * self._share * (-1) ** (self.order // 2))


def shown_gauge(gauge: str | None, name: str, unknowns: Mapping[str, Any]) -> Any:
    """What a gauge adds to the rate of a field, for reading: L_Y T, and s g to that of the metric.

    Parameters
    ----------
    gauge : str or None
        By name.
    name : str
        Of the field.
    unknowns : mapping
        How the fields are shown.
    """
    if gauge is None:
        return 0
    moved = WRITTEN["Lie"](sympy.Symbol("Y"), unknowns[name])
    rescaled = gauge == "deturck+conformal" and (len(unknowns) == 1 or name == MetricField.called)
    return moved + (sympy.Symbol("s") * unknowns[name] if rescaled else 0)


def metric_in(space: Space) -> MetricNodes:
    """The metric that a gauge is of. Raises InputError for a space without one, or with a Kähler potential."""
    if not isinstance(space.metric, MetricNodes):
        raise InputError("DeTurck's gauge belongs to flows of a metric g_ij, made by grid.metric(...), and the state "
                         "has none: leave the gauge out.")
    return space.metric


def _times(number: Any, what: str, sign: str) -> str:
    """As in "-3*W/4"."""
    top = "" if number.numerator == 1 else f"{number.numerator}*"
    bottom = "" if number.denominator == 1 else f"/{number.denominator}"
    return f"{sign}{top}{what}{bottom}"
