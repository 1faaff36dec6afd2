"""The noun `Flow`: an equation that is bound to a state, compiled for its grid, and then solved."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from geomflow.core.errors import InputError
from geomflow.core.notebook import Facts, InNotebook, fields_of
from geomflow.field.reduced.grid import ReducedGrid
from geomflow.field.reduced.state import ReducedState
from geomflow.field.state import Field
from geomflow.field.toric.state import ToricState
from geomflow.flow.blocks import Block
from geomflow.flow.compiled import Compiled, character_at, modulo_constants
from geomflow.flow.equation import Equation
from geomflow.flow.forecast import foretell
from geomflow.flow.linear import Linearised
from geomflow.flow.problem import Problem
from geomflow.flow.reduced.binding import bind_reduced, without_values
from geomflow.flow.toric.binding import bind_toric
from geomflow.symbolic.ansatz import Ansatz
from geomflow.symbolic.ansatz.typed import Typed
from geomflow.symbolic.show import InLatex, mathml

if TYPE_CHECKING:
    import sympy


class Flow(InNotebook, InLatex):
    """An evolution equation. `solve(flow, state, t1)` binds it to a state and integrates it."""

    latex_style: ClassVar[str] = "\\displaystyle "
    expression_flow: ClassVar[Callable[..., Flow]]
    """What makes a flow of a user's own equation: `equations.expression`, which knows both, puts it here."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name by which `geomflow run` and stores know the flow."""

    @property
    @abstractmethod
    def equation(self) -> sympy.Eq:
        """The equation in the field's notation, for reading; LaTeX in a notebook."""

    @abstractmethod
    def on(self, state: Any) -> Equation:
        """What the flow says of itself at a state: its rates and what is watched, as expressions.

        Raises InputError when the flow does not act on states of this kind.

        Parameters
        ----------
        state : state
            A field, or what else the flow acts on.
        """

    def written(self, state: Any) -> Equation:
        """What `on` says, also at a state where the equation cannot be run.

        Parameters
        ----------
        state : state
            A field, or what else the flow acts on.
        """
        return self.on(state)

    def bind(self, state: Any) -> Problem:
        """The initial value problem from a state, compiled for its grid.

        A member of a family that is no field on a grid restricts the flow to the family: what `state.restricted(flow)`
        gives is bound then, or the flow itself where that is None.

        Parameters
        ----------
        state : state
            Where the run starts.
        """
        if hasattr(state, "restricted") and (restricted := state.restricted(self)) is not None:
            problem: Problem = restricted.bind(state)
            return problem
        if isinstance(state, ReducedState):
            return bind_reduced(self, state)
        if isinstance(state, Ansatz | ReducedGrid):
            raise without_values(state)
        if isinstance(state, ToricState):
            return bind_toric(self, state)
        moving = self.moving(state)
        return replace(bind(self, moving, self.on(state)), template=None if moving is state else moving)

    def typed(self, dim: int) -> Typed:
        """The flow of a metric in the language of tensors, for an ansatz.

        Raises InputError for a flow that is not of metrics.

        Parameters
        ----------
        dim : int
            Of the manifold.
        """
        raise InputError(f"{self.name} is not written as a flow of metrics, which an ansatz reduces: give its rate as "
                         'text, such as "-2*Ric".')

    def starting(self, time: float) -> Flow:
        """The flow for runs from a time on, where its rate depends on the time.

        Parameters
        ----------
        time : float
            t0.
        """
        return self

    def moving(self, state: Any) -> Any:
        """The state with those of its fields still that the equation has no rate for.

        Parameters
        ----------
        state : state
            Where a run would start.
        """
        return state

    def character(self, state: Any) -> tuple[Block, ...]:
        """How short waves behave at a state: unknowns in blocks, each with a verdict in words.

        Raises InputError for a state that the flow does not act on, and for an equation in which a field is solved for.

        Parameters
        ----------
        state : state
            A field.
        """
        blocks = character_at(self.written(state), self.moving(state))
        return tuple(replace(block, gauged=self.takes_gauge) for block in blocks)

    @property
    def takes_gauge(self) -> bool:
        """Whether the flow can be run in a gauge by name."""
        return hasattr(self, "gauge")

    def linearise(self, state: Any, time: float = 0.0) -> Linearised:
        """The flow linearised at any state: `flow.linearise(state).spectrum(6)` are the rates of small changes.

        Parameters
        ----------
        state : state
            A field, or what else the flow acts on.
        time : float
            Where the rate depends on the time.
        """
        return Linearised(self.bind(state), time)

    @abstractmethod
    def components(self, torus: Any) -> list[sympy.Eq]:
        """The equation written out on a torus, one for each component of the unknown field.

        Parameters
        ----------
        torus : FlatTorus
            Its coordinates are those of the equation.
        """

    @staticmethod
    def from_expression(rate: str | Any | Mapping[str, Any], *, where: Mapping[str, Any] | None = None,
                        covariant: bool = True, gauge: Literal["deturck", "deturck+conformal"] | None = None,
                        forced: bool = False,
                        **parameters: float) -> Flow:
        """A user's own equation ∂_t u = rate, or a system of them, compiled like the built-in ones.

        Rates are tensors of the type of what they change, written in the fields of the state, the coordinates, the time
        `t`, parameters and

        - curvature: ``R, Ric, Rm, Weyl, Ric2`` (|Ric|²), ``Rm2`` (|Rm|²), of the state's metric;
        - derivatives: ``d(f), grad(f), Hess(f), nabla(T), laplacian(T), div(X), Lie(X, T)``, covariant where the state
          has a metric; ``flat.laplacian(f)`` and the like; along coordinates ``d(u, x, y), div(u*d(u, x), u*d(u, y))``;
        - algebra: ``+ - * / ^`` and functions of scalars, ``a*b`` (the tensor product), ``dot(a, b), trace(T), sym(T),
          wedge(a, b), star(a)``, indices raised and lowered by ``sharp(a), flat(X)``, and indices that are written,
          ``R[i,k,l,m]*R[j,k,l,m]``: those that come twice are contracted;
        - numbers of the whole state: ``mean(s), integral(s), volume``, with respect to the metric's volume;
        - with a Kähler potential in the state these are of its metric g, and ``v`` is det g over the flat density of
          the same mass: Kähler–Ricci flow is ``{"phi": "log(v)"}``, Calabi's ``{"phi": "R - mean(R)"}``;
        - with a Hermitian metric in the state, ``ChernRic`` and ``ddbar(f)``, as real tensors: Chern–Ricci flow is
          ``{"h": "-ChernRic"}``.

        What stands under a derivative is differentiated as it is, on the grid, and not by the product rule: the mean
        of u is kept to rounding where the rate is a divergence. Coefficients must be periodic on the torus.

        Raises InputError for a parameter that is no finite real number, that does not occur in the rate, or that has
        the name of the unknown, a coordinate, an operator or the time t. What depends on the state (the words of the
        text, the types of tensors) is refused when the flow meets one.

        Parameters
        ----------
        rate : str, sympy expression or mapping
            The rate of the unknown, called `u` if it is a scalar or a potential, else as the state calls it (`g`);
            for several fields a mapping from their names to rates, where a field without a rate stays as it is, or from
            the names of the components of one field.
        where : mapping, optional
            Definitions by name, for rates and for definitions after them.
        covariant : bool
            Whether rates beside a metric that moves are refused if they name coordinates; in a gauge they are always.
        gauge : {None, "deturck", "deturck+conformal"}
            With "deturck" L_Y is added to the rate of every field, which changes the flow of a metric by
            diffeomorphisms and damps those. Y = c (−D)^{m−1} W for rates of order 2m, with W^k = g^{ij} Γ^k_ij,
            D = g^{ab} ∂_a∂_b, and c the flow's own damping: "-2*Ric" becomes Ricci–DeTurck flow. With
            "deturck+conformal" c/(d − 1) (−1)^m Δ^{m−1} R g is added to the metric's rate too, which damps
            conformal changes where those are free, as in Bach's flow, and is no diffeomorphism.
        forced : bool
            Run an ill-posed equation all the same; else it is refused at the state and the time where a run starts, and
            a run ends as singular where the equation turns ill-posed.
        **parameters : float
            Numbers by name.

        Examples
        --------
        >>> import geomflow as gf
        >>> heat = gf.Flow.from_expression("kappa * laplacian(u)", kappa=0.1)
        >>> sol = gf.solve(heat, gf.Torus(dim=1).grid(32, scheme="spectral").scalar("cos(2*pi*x)"), t1=0.1)
        >>> print(sol.outcome.kind)
        finished
        """
        return Flow.expression_flow(rate, parameters, where or {}, covariant, gauge, forced)

    def __str__(self) -> str:
        import sympy

        return f"{self.name}: {sympy.sstr(self.equation.lhs)} = {sympy.sstr(self.equation.rhs)}"

    def __facts__(self) -> Facts:
        return [("equation", mathml(self.latex_style + self.latex())), ("name", self.name), *fields_of(self)]

    def __exact__(self) -> sympy.Eq:
        return self.equation

    def _latex(self, printer: Any = None) -> str:
        import sympy

        return str(sympy.latex(self.equation))


def bind(flow: Flow, state: Field, equation: Equation, compiled: Compiled | None = None) -> Problem:
    """The initial value problem of the equation, starting at the state.

    `compiled` holds its functions; a flow whose rate is more than expressions gives its own.
    """
    foretell(equation.program)
    compiled = compiled or Compiled(equation, state)
    watched = equation.positive is not None
    return Problem(
        y0=state.pack(),
        rate=compiled.rate,
        unpack=state.unpack,
        stiff_order=compiled.order,
        spectral_radius=compiled.spectral_radius if compiled.part.slopes else None,
        oscillation=compiled.oscillation if equation.lower else None,
        spectrum=compiled.spectrum if equation.lower else None,
        implicit=compiled.implicit,
        check=compiled.check if watched else None,
        growth=compiled.growth if compiled.watch else None,
        start=equation.start,
        positivity=compiled.positivity if watched else None,
        curvature=compiled.curvature if equation.curvature else None,
        residual=modulo_constants if equation.modulo else None,
        observe=compiled.observe,
        description=describe(flow, state, equation),
    )


def describe(flow: Flow, state: Field, equation: Equation) -> dict[str, Any]:
    """JSON-able facts of a run for its store."""
    import sympy

    grid = state.grid
    return {
        "flow": flow.name,
        "equation": str(flow),
        "latex": sympy.latex(flow.equation),
        "grid": {"shape": list(grid.shape), "order": grid.order or grid.scheme,
                 "lattice": [list(row) for row in grid.torus.lattice], "torus": type(grid.torus).__name__,
                 "dim": grid.torus.complex_dim or grid.torus.real_dim},
        "components": list(state.component_names),
        "axes": {name: [h * i for i in range(n)] for name, n, h in
                 zip(grid.torus.coordinates, grid.shape, grid.spacing, strict=True)},
        "state": type(state).__name__,
        **equation.facts,
    }
