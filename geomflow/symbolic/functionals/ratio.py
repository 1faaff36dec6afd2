"""Functionals of v = dμ_J/dμ_Ω: ultra-local ones E_F, two-derivative ones E_G, and the σ measure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, final

import numpy as np

from geomflow.core import graph as gr
from geomflow.core.errors import ExpressionError, PositivityError, warn
from geomflow.core.graph.sympy_bridge import from_sympy
from geomflow.symbolic.functionals.potential import PotentialFunctional
from geomflow.symbolic.variation.potentials import MASS, PotentialAlgebra

SAMPLES = np.geomspace(1e-3, 1e3, 1201)
"""Where the sign of a function of v > 0 is looked at: 200 points a decade."""


@dataclass(frozen=True)
class OneVariable:
    """A function of v > 0.

    Raises ExpressionError if it depends on anything else.

    Parameters
    ----------
    given : str, sympy.Expr or Node
        In v alone: "v*log(v)", v*log(v), or a node over the symbol v.
    """

    given: Any

    @cached_property
    def node(self) -> gr.Node:
        """The function as a node over gr.symbol("v")."""
        from geomflow.symbolic.parse import parse

        if isinstance(self.given, gr.Node):
            result = self.given
        else:
            result = from_sympy(parse(self.given, ["v"]) if isinstance(self.given, str) else self.given)
        strangers = [leaf for leaf in gr.leaves([result]) if leaf is not gr.symbol("v")]
        if strangers:
            raise ExpressionError(f"a function of v may contain v alone; '{self.given}' contains '{strangers[0]}'.")
        return result

    def of(self, v: gr.Node) -> gr.Node:
        """The function at another node.

        Parameters
        ----------
        v : Node
            The argument.
        """
        return gr.substitute([self.node], {gr.symbol("v"): v})[0]

    def not_convex(self) -> str | None:
        """Where F'' < 0 on (1e-3, 1e3), in words with the worst value; None where F is convex."""
        v = gr.symbol("v")
        values = sampled(gr.partial(gr.partial(self.node, v), v))
        low = np.flatnonzero(values < 0)
        if not len(low):
            return None
        worst = low[np.argmin(values[low])]
        place = (f"F''(v) < 0 for v from about {SAMPLES[low[0]]:.3g} to {SAMPLES[low[-1]]:.3g}, "
                 f"worst F''({SAMPLES[worst]:.3g}) = {values[worst]:.3g}")
        at_one = float(np.interp(1.0, SAMPLES, values))
        return place + f"; at v = 1 it is {at_one:.3g}"

    def check_positive(self, name: str) -> None:
        """Check that the function is positive on (1e-3, 1e3).

        Raises PositivityError with the worst place.

        Parameters
        ----------
        name : str
            What errors call the function.
        """
        values = sampled(self.node)
        worst = int(np.argmin(values))
        if not values[worst] > 0:
            raise PositivityError(f"{name}(v) must be positive; {name}({SAMPLES[worst]:.3g}) = {values[worst]:.3g} for "
                                  f"{name} = {self.given}.")

    def __str__(self) -> str:
        return str(self.given)


def sampled(node: gr.Node) -> np.ndarray:
    """The values of a function of v at the samples; nan where it is undefined."""
    with np.errstate(all="ignore"):
        values = gr.evaluate([node], {gr.symbol("v"): SAMPLES})[0]
    return np.broadcast_to(np.real(values), SAMPLES.shape)


@final
@dataclass(frozen=True)
class EF(PotentialFunctional):
    """E_F(φ) = ∫ F(v) dμ_Ω for a convex F: EF(T, "v*log(v)").

    Its gradient is Δ_∂F'(v) in Mabuchi's metric and −F'(v) + mean in the Dirichlet metric; the decay rate at the flat
    metric is F''(1)|k|⁴/4. Warns, with the place, where F'' < 0: descent is ill-posed there.
    Source: eqs. (B.12), (B.13) of Halverson and Ruehle.

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    function : str, sympy.Expr or Node
        F, of v alone: "v*log(v)".
    """

    function: Any
    name: ClassVar[str] = "ef"
    source: ClassVar[str] = "eqs. (B.12), (B.13) of Halverson and Ruehle"

    def __post_init__(self) -> None:
        super().__post_init__()
        trouble = OneVariable(self.function).not_convex()
        if trouble is not None:
            warn(f"F = {self.function} is not convex: {trouble}. Where F'' < 0 the descent of E_F is "
                 "ill-posed; use a convex F, or -F where F is concave.")

    @property
    def definition(self) -> str:  # type: ignore[override]
        """E_F = ∫ F(v) dμ_Ω."""
        return f"E = ∫ {self.function} dμ_Ω"

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """F(v)/v, as dμ_Ω = dμ_J/v."""
        return OneVariable(self.function).of(use.v) / use.v


@final
@dataclass(frozen=True)
class Sigma(PotentialFunctional):
    """σ(φ) = ∫ |v − 1| dμ_Ω / ∫ dμ_Ω, the distance of dμ_J from dμ_Ω in L¹, with its subgradient.

    E_F with F = |v − 1| over the volume ∫dμ_Ω of the state's class: the subgradient in Mabuchi's metric is
    Δ_∂ sign(v − 1)/∫dμ_Ω, a distribution on {v = 1}; in the Dirichlet metric (mean − sign(v − 1))/∫dμ_Ω.
    Source: eq. (B.11) of Halverson and Ruehle.

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    """

    name: ClassVar[str] = "sigma"
    definition: ClassVar[str] = "σ = ∫ |v − 1| dμ_Ω / ∫ dμ_Ω"
    source: ClassVar[str] = "eq. (B.11) of Halverson and Ruehle"
    metrics: ClassVar[tuple[str, ...]] = ("dirichlet", "mabuchi", "L2")
    remarks: ClassVar[tuple[str, ...]] = (
        "|v − 1| has a corner: what is shown is a subgradient, Δ_∂ sign(v − 1) in Mabuchi's metric being "
        "supported on {v = 1}. Run it in the Dirichlet metric, with short steps.",
    )

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """|v − 1|/(v ∫dμ_Ω)."""
        return gr.call("abs", use.v - 1) / (use.v * MASS)


@final
@dataclass(frozen=True)
class EG(PotentialFunctional):
    """E_G(φ) = ∫ G(v) |∂v|² dμ_Ω for a positive G: EG(T, "1/v").

    A flow of sixth order; the decay rate at the flat metric is G(1)|k|⁶/4. With W'² = G/v its gradient in Mabuchi's
    metric is Δ_∂(|∂W|² − 2vW'Δ_∂W) − ∇_c∇_d̄(∂^cW ∂^d̄W). Raises PositivityError, with the place, where G <= 0.
    Source: eqs. (B.15) to (B.20) of Halverson and Ruehle.

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    function : str, sympy.Expr or Node
        G, of v alone and positive: "1/v".
    """

    function: Any
    name: ClassVar[str] = "eg"
    source: ClassVar[str] = "eqs. (B.15) to (B.20) of Halverson and Ruehle"

    def __post_init__(self) -> None:
        super().__post_init__()
        OneVariable(self.function).check_positive("G")

    @property
    def definition(self) -> str:  # type: ignore[override]
        """E_G = ∫ G(v)|∂v|² dμ_Ω."""
        return f"E = ∫ ({self.function}) |∂v|^2 dμ_Ω"

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """G(v)|∂v|²/v."""
        return OneVariable(self.function).of(use.v) / use.v * use.pairing(use.v, use.v)
