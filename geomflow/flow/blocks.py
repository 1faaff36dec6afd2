"""What is known of the short waves of an equation, block by block of its unknowns, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from geomflow.flow.degenerate import DIFFEOMORPHISMS, RESCALINGS


@dataclass(frozen=True)
class Block:
    """Unknowns that depend on each other in a circle, and how their short waves behave.

    Parameters
    ----------
    names : tuple of str
        Components.
    order : Fraction
        μ: eigenvalues grow as |k|^μ.
    growth, damping, oscillation : float
        The largest Re λ, −Re λ and |Im λ| of the principal symbol at unit wave vectors; growth 0 where there is none.
    undamped : int
        The largest number of zero eigenvalues at one wave vector.
    symmetries : tuple of str
        What the equation is invariant under, along which short waves are not damped therefore.
    named : int
        Along how many directions these are.
    gauged : bool
        Whether the flow takes a gauge by name.
    """

    names: tuple[str, ...]
    order: Fraction
    growth: float
    damping: float
    oscillation: float
    undamped: int
    symmetries: tuple[str, ...] = ()
    named: int = 0
    gauged: bool = False

    @property
    def gauge(self) -> str | None:
        """The gauge that damps diffeomorphisms and rescalings, by name, where short waves of these are not damped."""
        if not self.damping or not {DIFFEOMORPHISMS, RESCALINGS}.intersection(self.symmetries):
            return None
        return "deturck+conformal" if RESCALINGS in self.symmetries else "deturck"

    @property
    def verdict(self) -> str:
        """In words."""
        who = ", ".join(self.names)
        if self.growth:
            return f"{who}: ill-posed, waves grow like exp({self.growth:.4g} |k|^{self.order} t)"
        if not self.order:
            return f"{who}: without derivatives"
        if not (self.damping or self.oscillation):
            return f"{who}: no short wave is damped at the order {self.order}"
        kind = "hyperbolic" if not self.damping else "parabolic" if not self.oscillation else "damped and oscillating"
        return f"{who}: {kind} of order {self.order}{self._degeneracy}"

    @property
    def _degeneracy(self) -> str:
        if not self.undamped:
            return ""
        known = f", {' and '.join(self.symmetries)}" if self.symmetries else ""
        among = " among them" if known and self.named < self.undamped else ""
        damped = [name for name in self.symmetries if name in (DIFFEOMORPHISMS, RESCALINGS)]
        these = "these" if len(damped) == len(self.symmetries) else " and ".join(damped)
        advice = f': gauge="{self.gauge}" damps {these}' if self.gauge and self.gauged else ""
        return f", degenerate in {self.undamped} of {len(self.names)} directions{known}{among}{advice}"


def fastest_growth(blocks: Sequence[Block]) -> tuple[float, Fraction]:
    """The largest growth of plane waves at unit wave vectors, 0 where none grows, and the power of |k|.

    Parameters
    ----------
    blocks : sequence of Block
        Of one equation.
    """
    worst = max(blocks, key=lambda block: (bool(block.growth), block.order, block.growth))
    return worst.growth, worst.order


def growth_of(blocks: Sequence[Block]) -> str | None:
    """How short waves grow without bound, in words; None where none do.

    Parameters
    ----------
    blocks : sequence of Block
        Of one equation.
    """
    return next((grown(block) for block in blocks if block.growth), None)


def grown(block: Block) -> str:
    """How short waves of a block grow, in words.

    Parameters
    ----------
    block : Block
        One that is ill-posed.
    """
    return (f"plane waves of wave number |k| in {', '.join(block.names)} grow like exp({block.growth:.4g} "
            f"|k|^{block.order} t), without bound as the grid is refined")
