"""An exact metric with unknown functions of few coordinates, which a flow preserves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import sympy

from geomflow.core.errors import InputError, require_known
from geomflow.core.notebook import VERBS
from geomflow.core.numbers import exact_number
from geomflow.symbolic.ansatz.closing import radial
from geomflow.symbolic.ansatz.domain import Domain
from geomflow.symbolic.ansatz.domains import domain_of
from geomflow.symbolic.ansatz.extremal import Extremal, extremal_on
from geomflow.symbolic.ansatz.fibres import Fibre, fibres
from geomflow.symbolic.ansatz.form import STRUCTURE, checked_form
from geomflow.symbolic.ansatz.functional import ReducedFunctional, functional_on, perelman_f, perelman_w
from geomflow.symbolic.ansatz.functions import functions_of
from geomflow.symbolic.ansatz.measure import Measure, measure_of, normal, on_orbit, relative_measure_of
from geomflow.symbolic.ansatz.momentum_equation import compact_soliton
from geomflow.symbolic.ansatz.momentum_soliton import MomentumSoliton
from geomflow.symbolic.ansatz.potential import PotentialAnsatz
from geomflow.symbolic.ansatz.reduction import Reduction, reduced, scalar_on
from geomflow.symbolic.ansatz.regular import Regularised
from geomflow.symbolic.ansatz.regular_span import RegularisedSpan
from geomflow.symbolic.ansatz.span import ends_of, span_of, stretch_of
from geomflow.symbolic.ansatz.typed import METRIC, Typed, typed_flow
from geomflow.symbolic.ansatz.unknowns import Unknown, unknowns_of
from geomflow.symbolic.components import Matrix
from geomflow.symbolic.exact import all_zero
from geomflow.symbolic.given import given, names_written
from geomflow.symbolic.kahler import KahlerMetric
from geomflow.symbolic.metric import Metric
from geomflow.symbolic.show import InLatex, shortened


@final
@dataclass(frozen=True, init=False, eq=False)
class Ansatz(InLatex):
    """A metric whose components hold unknown functions of none, one or two coordinates, or unknown numbers.

    A flow that preserves the ansatz becomes a system of equations for the unknowns: `reduce` derives it exactly,
    `grid` and `state` make it numbers, and `solve` runs it.

    Parameters
    ----------
    metric : Metric or KahlerMetric
        With unknown functions of coordinates, or with parameters. Of a Kähler metric the potential is a profile P(s),
        and a `PotentialAnsatz` is made.
    unknowns : str or sequence of str, optional
        Which of them flows change; all unknown functions, or all parameters where there is no function, unless given.
    domain : Circle, Interval, Span, or several by coordinate, optional
        Where the coordinates of the unknowns lie. A circle of the chart's period is found where none is given.
    form : matrix, optional
        A closed two-form ω, antisymmetric, with which the metric is Kähler for all unknowns: J = g⁻¹ω has J² = −1.
        Rates may then hold J, and flows of Kähler metrics are reduced.

    Notes
    -----
    Raises UnknownNameError for an unknown that the metric does not hold, InputError where there is none, where a
    component holds a derivative of one, and for a domain that does not fit the chart.

    Examples
    --------
    >>> import geomflow as gf
    >>> sphere = gf.Metric("x theta", [["chi(x)^2", "0"], ["0", "psi(x)^2"]], functions="chi psi")
    >>> print(gf.Ansatz(sphere, domain=gf.Circle(1)).reduce("-R*g"))
    dchi/dt = ...
    """

    metric: Metric
    unknowns: tuple[Unknown, ...]
    domain: Mapping[str, Domain]
    form: Matrix | None

    def __new__(cls, metric: Any = None, unknowns: Any = None, domain: Any = None, form: Any = None) -> Any:
        """An ansatz of potentials where the metric is a KahlerMetric."""
        return PotentialAnsatz.of(metric, unknowns) if isinstance(metric, KahlerMetric) else super().__new__(cls)

    def __init__(self, metric: Metric, unknowns: str | Iterable[str] | None = None, domain: Any = None,
                 form: Any = None) -> None:
        if not isinstance(metric, Metric):
            raise InputError(f"an ansatz is made of a Metric with unknown functions, and {metric!r} was given.")
        declared, found = unknowns_of(metric, unknowns)
        object.__setattr__(self, "metric", declared)
        object.__setattr__(self, "unknowns", found)
        object.__setattr__(self, "domain", domain_of(declared, found, domain))
        object.__setattr__(self, "form", None if form is None else checked_form(declared, form))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Those on which unknowns depend."""
        return tuple(name for name in self.metric.chart.coordinates
                     if any(name in u.coordinates for u in self.unknowns))

    @property
    def moving(self) -> tuple[Unknown, ...]:
        """The unknowns, and the ends of a span."""
        return (*self.unknowns, *ends_of(self))

    def unknown(self, name: str) -> Unknown:
        """An unknown by name.

        Parameters
        ----------
        name : str
            What it is called.
        """
        require_known("function or number of the ansatz", name, tuple(u.name for u in self.unknowns))
        return next(u for u in self.unknowns if u.name == name)

    @cached_property
    def measure(self) -> Measure:
        """The volume of orbits; on a span by shares u of it, with y_u."""
        return self._by_shares(measure_of(self.metric, self.coordinates))

    @cached_property
    def relative_measure(self) -> Measure:
        """The same, with the volume 1 of orbits that have no finite one, such as groups of class B."""
        return self._by_shares(relative_measure_of(self.metric, self.coordinates))

    def _by_shares(self, measure: Measure) -> Measure:
        if span_of(self) is None:
            return measure
        return Measure(stretch_of(self.coordinates[0]) * measure.density, measure.volume)

    @cached_property
    def fibres(self) -> dict[str, Fibre]:
        """The unknowns that are radii of round spheres among the orbits, by name."""
        return fibres(self)

    def radial(self, coordinate: str) -> tuple[Unknown, int] | None:
        """The unknown u of g_xx = u^{2/e} along a coordinate, and e; None where there is no such unknown.

        Parameters
        ----------
        coordinate : str
            x.
        """
        return radial(self, coordinate)

    @cached_property
    def regular(self) -> Regularised:
        """The regular fields that stand for the unknowns, and what rates become in them."""
        return Regularised(self) if span_of(self) is None else RegularisedSpan(self)

    def reduce(self, flow: Any) -> Reduction:
        """The evolution of the unknowns under a flow, exactly.

        Raises InputError where the flow leaves the ansatz, with the component that no change of unknowns matches, and
        for the gradient of a functional that holds other fields than a metric.

        Parameters
        ----------
        flow : Flow or str
            A flow of metrics, the gradient flow of a functional of a metric, or a rate in the language of
            `Flow.from_expression`, such as "-2*Ric".
        """
        typed = typed_flow(flow, self.metric.dim)
        if self.form is None and STRUCTURE in names_written(typed.rate):
            raise InputError(f"{shortened(str(flow))} is a flow of Kähler metrics, and nothing says that this one is "
                             "Kähler: make the ansatz of a KahlerMetric, or give its form, Ansatz(..., form=...).")
        found = reduced(self, typed)
        return replace(found, energy=functional_on(self, typed.energy, meaning=typed)) if typed.energy else found

    def scalar(self, text: str, fields: str = "") -> sympy.Expr:
        """A function of the metric that is constant on orbits, such as "R", "Rm2", "Ric2", exactly.

        Parameters
        ----------
        text : str
            In the language of `Flow.from_expression`.
        fields : str
            Functions beside the metric that it names, "f", of the coordinates of unknowns.
        """
        return scalar_on(self, text, functions_of(self, fields))

    def functional(self, text: str, fields: str = "", parameters: Mapping[str, float] | None = None,
                   ) -> ReducedFunctional:
        """∫ s dV of a function that is constant on orbits, such as "R" or "R^2", exactly, with its gradient flow.

        Parameters
        ----------
        text : str
            s, in the language of `Flow.from_expression`.
        fields : str
            Functions beside the metric that it is of, as in ``functional("dot(d(f), d(f))*exp(-f)", fields="f")``.
        parameters : mapping of str to number, optional
            Numbers that it names.
        """
        numbers = {name: exact_number(value, f"the parameter '{name}'") for name, value in (parameters or {}).items()}
        return functional_on(self, text, fields, Typed(METRIC, numbers))

    @cached_property
    def perelman_f(self) -> ReducedFunctional:
        """Perelman's F = ∫ (R + |∇f|²) e^{−f} dV, of a function f too: `A.perelman_f(state, f="cos(x)")`."""
        return perelman_f(self)

    @cached_property
    def perelman_w(self) -> ReducedFunctional:
        """Perelman's W = ∫ [τ(R + |∇f|²) + f − N] (4πτ)^{−N/2} e^{−f} dV: `A.perelman_w(state, {"tau": 1}, f=0)`.

        N is the dimension of the manifold, and (4πτ)^{−N/2} e^{−f} dV the measure.
        """
        return perelman_w(self)

    def constant_on_orbits(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression in the coordinates of unknowns alone. Raises InputError where it depends on others.

        Parameters
        ----------
        expression : sympy expression
            In all coordinates.
        """
        chart = self.metric.chart
        found = normal(given(expression, chart.names), chart)
        slopes = [found.diff(s) for s in chart.symbols if s.name not in self.coordinates]
        if not all_zero(slopes, chart):
            raise InputError(f"{found} depends on more coordinates than the unknowns do.")
        return on_orbit(found, chart, self.coordinates)

    def grid(self, n: int | Sequence[int] | None = None, order: int | None = None, *, modes: int | None = None,
             places: Sequence[tuple[float, float]] = ()) -> Any:
        """Points on the domain: spectral, or for stencils of an order.

        Parameters
        ----------
        n : int or sequence of int
            Points along each coordinate of the unknowns; none for a homogeneous metric.
        order : {2, 4, 6, 8}, optional
            Of stencils; spectral unless given.
        modes : int, optional
            Polynomials kept on an interval; three quarters of the points unless given.
        places : sequence of (X, κ), optional
            Angles X = π(x − a)/(b − a) of an interval, or 2πx/period of a circle, to which points are drawn, e^κ times
            closer there. Runs that move points draw them to the narrow necks of their start otherwise. On a span one
            of the ends, X = 0 or π: half of the points are within e^{−2κ}/(1 + e^{−2κ}) of its shares.
        """
        return VERBS["ansatz_grid"](self, n, order, modes, places)

    def state(self, **values: Any) -> Any:
        """A homogeneous metric: numbers for the unknowns.

        Parameters
        ----------
        **values : number or text
            One for each unknown.
        """
        return self.grid().state(**values)

    def steady(self, flow: Any, n: int | None = None, **start: Any) -> Any:
        """A metric of the ansatz at which a flow stands still, up to diffeomorphisms where it is run up to these.

        Raises ConvergenceError where Newton's method does not find one from the start.

        Parameters
        ----------
        flow : Flow or str
            Such as "-2*Ric + 2*g", which vanishes on Einstein metrics.
        n : int, optional
            Points along the coordinate.
        **start : number, text, or array
            The unknowns where the search begins; a round sphere or a product where all vanish unless given.
        """
        return VERBS["ansatz_steady"](self, flow, n, start)

    def extremal(self) -> Extremal:
        """The extremal metric of each Kähler class on a span, exactly: R is affine in the coordinate.

        Raises InputError for an ansatz that is on no span.
        """
        return extremal_on(self)

    def compact_soliton(self) -> MomentumSoliton:
        """The shrinking Kähler–Ricci soliton on a span, exactly, in the class that is the first Chern class.

        Raises InputError for an ansatz that is on no span, and where the first Chern class is no Kähler class.
        """
        return compact_soliton(self)

    def soliton(self, kind: str, n: int | None = None, **start: Any) -> Any:
        """A gradient Ricci soliton of the ansatz, Ric + ∇∇f = λ g; an Einstein metric where f is constant.

        Raises UnknownNameError for another kind, ConvergenceError where none is found from the start.

        Parameters
        ----------
        kind : {"shrinking", "steady", "expanding"}
            λ = 1, 0, −1.
        n : int, optional
            Points along the coordinate.
        **start : number, text, or array
            As of `steady`.
        """
        return VERBS["ansatz_soliton"](self, kind, n, start)

    def complete_soliton(self, kind: str, **at_start: float) -> Any:
        """A complete gradient Ricci soliton, Ric + ∇∇f = λ g, followed outward from where the coordinate begins.

        On a span it is known exactly, a `MomentumSoliton` with f = αy; alpha ≤ 0 is given of steady and expanding ones.

        Raises InputError where no single unknown vanishes there, or a value is missing, ConvergenceError where there is
        no smooth soliton, or none that is complete, with these values.

        Parameters
        ----------
        kind : {"shrinking", "steady", "expanding"}
            λ = 1, 0, −1.
        **at_start : float
            The scalar curvature R, and the unknowns that do not vanish, where the coordinate begins; alpha on a span.
        """
        return VERBS["ansatz_complete_soliton"](self, kind, at_start)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ansatz) and self._exactly == other._exactly

    def __hash__(self) -> int:
        return hash(self._exactly)

    @property
    def _exactly(self) -> tuple[Any, ...]:
        """What two ansätze share that are the same."""
        chart = self.metric.chart
        return (chart.symbols, *(tuple(sorted(own.items())) for own in (chart.ranges, chart.periods)),
                self.metric.matrix, self.unknowns, tuple(self.domain.items()), self.form)

    def __str__(self) -> str:
        where = "".join(f", {name} on {domain}" for name, domain in self.domain.items())
        return f"the ansatz with the unknowns {', '.join(map(str, self.unknowns))}{where}"

    __repr__ = __str__

    def __exact__(self) -> sympy.Matrix:
        return self.metric.matrix

    def _latex(self, printer: Any = None) -> str:
        return self.metric._latex()
