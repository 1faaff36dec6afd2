"""DeTurck's gauge for any flow of a metric: the flow followed by diffeomorphisms that short waves are damped along."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from geomflow.core.errors import InputError
from geomflow.flow.equations.ricci import deturck_rates
from geomflow.symbolic.jets import MetricNodes
from geomflow.symbolic.language.space import Space
from geomflow.symbolic.language.tensor import Tensor


@final
@dataclass(frozen=True, eq=False)
class Gauge:
    """L_W T for every field T, with W^k = g^{ij} Γ^k_ij over the flat background (DeTurck 1983).

    Parameters
    ----------
    space : Space
        With a metric.
    field : Tensor
        W.
    ricci, rates : Tensor
        2 Ric, and Ricci–DeTurck's rate: L_W g is their sum, and in it 2 Ric meets the −2 Ric of the user's rate.
    """

    space: Space
    field: Tensor
    ricci: Tensor
    rates: Tensor

    @classmethod
    def of(cls, space: Space) -> Gauge:
        """The gauge of a space. Raises InputError where it has no metric."""
        if not isinstance(space.metric, MetricNodes):
            raise InputError("DeTurck's gauge belongs to flows of a metric g_ij, made by grid.metric(...), and the "
                             "state has none: leave the gauge out.")
        ricci = Tensor(space.metric.ricci, (False, False)).scaled(2)
        rates = Tensor(deturck_rates(space.metric), (False, False))
        return cls(space, Tensor(space.metric.deturck_field(), (True,)), ricci, rates)

    def added(self, rate: Tensor, unknown: Tensor, is_metric: bool) -> Tensor:
        """The rate of a field with L_W added."""
        if is_metric:
            return self.space.total([self.space.total([rate, self.ricci]), self.rates])
        moved = self.space.lie(self.field, unknown)
        return self.space.total([rate, replace(moved, labels=None)])
