"""Functionals of a real metric (and a dilaton): integrands by structure, gradients in three metrics, derived flows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import InputError, ShapeError
from geomflow.symbolic.functionals.derived import DerivedFlow
from geomflow.symbolic.functionals.functional import Certificate, Functional, needs, real_coordinates, unlike
from geomflow.symbolic.functionals.linear import Linearisation
from geomflow.symbolic.jets import metric_nodes
from geomflow.symbolic.variation.euler import EulerDerivative, euler_operator
from geomflow.symbolic.variation.metric_frame import DerivingMetric, RunningMetric, conjugated, packed
from geomflow.symbolic.variation.metric_realise import MetricRealisation
from geomflow.symbolic.variation.metrics import MetricAlgebra, Variation, vary
from geomflow.symbolic.variation.staged import Staged, all_vanish

if TYPE_CHECKING:
    from geomflow.symbolic.functionals.metric_gradient import MetricGradient

DILATON = "f"


class MetricFunctional(Functional):
    """E(g) = ∫ s dV, or E(g, f) with a dilaton, in real dimension 2, 3 and 4.

    A subclass gives the integrand s by structure. Gradients: "ebin" ∫⟨h,h'⟩_g dV, "weighted" ∫⟨h,h'⟩_g dm
    with dm = e^{−f}dV, "L2" ∫ Σ_ij h_ij h'_ij dm at a fixed reference measure dm (not covariant: the frozen
    kernel δ_ik δ_jl).
    """

    metrics: ClassVar[tuple[str, ...]] = ("ebin", "L2")
    dims: ClassVar[tuple[int, ...]] = (2, 3, 4)
    fixed_measure: ClassVar[bool | None] = None
    """True: f = log(dV/dm); False: f is an unknown of its own; None: there is no f."""

    @abstractmethod
    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """s, with E = ∫ s dV."""

    def energy_integrand(self, use: MetricAlgebra) -> gr.Node:
        """The density of E by dV at solutions, where `integrand` holds multipliers beside it."""
        return self.integrand(use)

    def check(self) -> None:
        """Check the geometry; called by subclasses when they are made."""
        needs(type(self).__name__, self.geometry, False, self.dims)

    @property
    def dilaton(self) -> bool | None:
        """`fixed_measure`, of sums too."""
        return self.fixed_measure

    @property
    def elliptic(self) -> bool:
        """Whether f is solved for at each state instead of evolved."""
        return False

    def plus(self, terms: tuple[tuple[Fraction | int, Any], ...]) -> MetricFunctional:
        """A sum of multiples; all must be functionals of a metric over the same geometry, with one meaning of f."""
        meanings = {e.dilaton for _, e in terms if isinstance(e, MetricFunctional)} - {None}
        for _, e in terms:
            if not isinstance(e, MetricFunctional) or e.geometry != self.geometry:
                raise unlike(e, self)
        if len(meanings) > 1:
            raise InputError("functionals in which f is log(dV/dm) cannot be added to ones in which f is an unknown.")
        return MetricSum(terms)

    def new_algebra(self) -> MetricAlgebra:
        """An algebra with this functional's meaning of f."""
        return MetricAlgebra(fixed_measure=bool(self.dilaton))

    @property
    def values(self) -> dict[gr.Node, gr.Node]:
        """The parameters that have a value, as replacements."""
        return {gr.symbol(name): value for name, value in self.parameters.items()}

    def realisation(self, use: MetricAlgebra, tag: str = "") -> MetricRealisation:
        """An algebra's scalars over the jets of g_xx, g_xy, ..."""
        metric = RunningMetric(self.coordinates)
        return MetricRealisation(use, metric, tag, self.values)

    @property
    def density(self) -> Staged:
        """L with E = ∫ L d^dx."""
        use = self.new_algebra()
        realise = self.realisation(use)
        return realise.staged([realise.value(self.energy_integrand(use)) * realise.metric.volume])

    @property
    def differential(self) -> Staged:
        """√det g (E^{ij}h_ij + E_f h_f), h the fields h_xx, h_xy, ..., h_f."""
        found = self.first_variation()
        realise = self.realisation(found.algebra)
        metric = realise.metric
        raised = conjugated(metric, realise.combination(found.tensors))
        direction = metric_nodes(self.coordinates, "h")[1]
        pairs: list[Any] = [(raised[place], direction[place]) for place in np.ndindex(raised.shape)]
        if self.dilaton is False:
            pairs.append((realise.value(found.dilaton), metric.leaf("h_f")))
        return realise.staged([metric.ring.dot(pairs) * metric.volume])

    def first_variation(self) -> Variation:
        """δE = ∫ (E^{ij}h_ij + E_f δf) dV, by structure."""
        use = self.new_algebra()
        return vary(use, self.integrand(use))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The real coordinates."""
        return real_coordinates(self.geometry)

    @property
    def fields(self) -> tuple[str, ...]:
        """g_xx, g_xy, ..., then f where it is varied."""
        names = metric_nodes(self.coordinates)[0]
        return (*names, DILATON) if self.dilaton is False else names

    def euler(self) -> EulerDerivative:
        """E_u(L) for every field u by the Euler operator on jets, L the density by d^dx."""
        use = self.new_algebra()
        metric = DerivingMetric(self.coordinates)
        realise = MetricRealisation(use, metric)
        density = realise.value(self.integrand(use)) * metric.volume
        return euler_operator(density, self.fields, realise.stages, self.coordinates)

    def difference(self, found: Variation) -> Staged:
        """The Euler derivatives minus those of a variation given by structure: zero if they agree."""
        euler = self.euler()
        metric = DerivingMetric(self.coordinates)
        realise = MetricRealisation(found.algebra, metric, "structure_")
        raised = conjugated(metric, realise.combination(found.tensors))
        expected = [(1 if i == j else 2) * metric.volume * raised[i, j] for i, j in packed(len(self.coordinates))]
        if self.dilaton is False:
            expected.append(metric.volume * realise.value(found.dilaton))
        outputs = tuple(e - x for e, x in zip(euler.staged.outputs, expected, strict=True))
        stages = (*euler.staged.stages, *realise.stages[len(metric.stages):])
        return Staged(self.coordinates, (len(self.coordinates),), stages, outputs)

    def certify(self) -> Certificate:
        """Whether the Euler operator and the variation by structure agree."""
        holds = all_vanish(self.difference(self.first_variation()))
        d = len(self.coordinates)
        return Certificate(f"Euler operator minus variation by structure of {self.name} in dimension {d}", holds)

    def certify_gradient(self, textbook: Any) -> Certificate:
        """Whether the Euler operator gives the closed form: `textbook(algebra)` is {tensor: coefficient} for dV."""
        use = self.new_algebra()
        tensors = textbook(use)
        free = tensors.pop(DILATON, gr.ZERO)
        holds = all_vanish(self.difference(Variation(use, tensors, free)))
        return Certificate(f"gradient of {self.name} minus the closed form in dimension {len(self.coordinates)}", holds)

    def gradient(self, metric: str | None = None) -> MetricGradient:
        """The gradient in "ebin", "weighted" or "L2"."""
        from geomflow.symbolic.functionals.metric_gradient import MetricGradient

        return MetricGradient(self, self.checked_metric(metric))

    def gradient_flow(self, metric: str | None = None) -> DerivedFlow:
        """∂_tg = −loss grad E."""
        gradient = self.gradient(metric)
        return DerivedFlow(self, gradient.metric, gradient.equation, gradient.system, lambda: gradient.linearisation)

    def second_variation_at(self, background: Any = "flat", metric: str | None = None) -> Linearisation:
        """The linearised gradient flow at the flat metric δ_ij, or at a constant g_ij.

        Raises ShapeError if the background is not a (d, d) matrix.
        """
        if isinstance(background, str) and background == "flat":
            return self.gradient(metric).linearisation
        dim = len(self.coordinates)
        if np.shape(background) != (dim, dim):
            raise ShapeError(f"the background must be 'flat' or a ({dim}, {dim}) symmetric matrix of exact numbers, "
                             f"not {background!r}")
        return self.gradient(metric).linearised_at(background)

    def explain(self) -> str:
        """The steps of the derivation by structure."""
        from geomflow.symbolic.functionals.explain import explain_metric

        return explain_metric(self)


@final
@dataclass(frozen=True)
class MetricSum(MetricFunctional):
    """Σ c E over pairs (c, E)."""

    summands: tuple[tuple[Fraction | int, MetricFunctional], ...]
    name: ClassVar[str] = "sum"

    @property
    def geometry(self) -> Any:
        """The common geometry."""
        return self.summands[0][1].geometry

    @property
    def definition(self) -> str:  # type: ignore[override]
        """The sum, written out."""
        return " + ".join(f"{c} {e.name}" for c, e in self.summands)

    @property
    def metrics(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those offered by every summand that has an f, else "ebin" and "L2"."""
        return next((e.metrics for _, e in self.summands if e.dilaton is not None), ("ebin", "L2"))

    @property
    def loss(self) -> Fraction | int:
        """That of the summands where they agree, else 1."""
        found = {e.loss for _, e in self.summands}
        return found.pop() if len(found) == 1 else 1

    @property
    def dilaton(self) -> bool | None:
        """The meaning of f of the summand that has one."""
        return next((e.dilaton for _, e in self.summands if e.dilaton is not None), None)

    @property
    def parameters(self) -> Mapping[str, gr.Node]:
        """Those of all summands."""
        return {k: v for _, e in self.summands for k, v in e.parameters.items()}

    @property
    def remarks(self) -> tuple[str, ...]:
        """Those of all summands."""
        return tuple(dict.fromkeys(r for _, e in self.summands for r in e.remarks))

    @property
    def elliptic(self) -> bool:
        """Whether a summand's f is the ground state's."""
        return any(e.elliptic for _, e in self.summands)

    def terms(self) -> tuple[tuple[Fraction | int, Any], ...]:
        """The pairs (c, E)."""
        return self.summands

    def energy_integrand(self, use: MetricAlgebra) -> gr.Node:
        """Σ c s without multipliers."""
        return gr.add(*(c * e.energy_integrand(use) for c, e in self.summands))

    def integrand(self, use: MetricAlgebra) -> gr.Node:
        """Σ c s."""
        return gr.add(*(c * e.integrand(use) for c, e in self.summands))
