"""Functionals of a Kähler potential: of Mabuchi, Calabi, Aubin and Yau, Ding, Chen and Donaldson, and Perelman."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, final

from geomflow.core import graph as gr
from geomflow.core.conventions import K_ENERGY_OVER_ENTROPY
from geomflow.core.errors import InputError, PositivityError
from geomflow.core.exact_numbers import fraction_of
from geomflow.symbolic.functionals.potential import PotentialFunctional, flat_matrix, parts
from geomflow.symbolic.variation.potentials import PotentialAlgebra


@final
@dataclass(frozen=True)
class KEnergy(PotentialFunctional):
    """Mabuchi's K-energy K(φ) = 2∫ v log v dμ_Ω + R̄ ∫_0^1 ∫ φ dμ_tφ dt, v = dμ_J/dμ_Ω, Ω flat (c₁ = 0).

    Its gradient in Mabuchi's metric is R̄ − R, so that descent is Calabi flow ∂_tφ = R − R̄; it is twice the entropy,
    E_F with F = v log v, whose descent runs at half that speed (`core.conventions`). In the Dirichlet metric descent is
    ∂_tφ = 2 log v − mean. On a torus R̄ = 0 in every class. Source: Mabuchi 1986; Chen and Tian 2000.

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    """

    name: ClassVar[str] = "kenergy"
    parameters: ClassVar[Mapping[str, gr.Node]] = {"Rbar": gr.ZERO}
    definition: ClassVar[str] = "K = 2∫ log v dμ_J + Rbar ∫_0^1 ∫ φ dμ_{tφ} dt"
    source: ClassVar[str] = "Mabuchi, Tohoku Math. J. 38 (1986)"

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """2 log v."""
        return K_ENERGY_OVER_ENTROPY * gr.log(use.v)

    def paths(self) -> Mapping[str, gr.Node]:
        """R̄ times the Monge–Ampère energy."""
        return {"volume": gr.symbol("Rbar")}


@final
@dataclass(frozen=True)
class Calabi(PotentialFunctional):
    """Calabi's functional Ca(φ) = ∫ (R − R̄)² dμ_J.

    Its gradient in Mabuchi's metric is −8 𝒟*𝒟 r with R = 2r and the Lichnerowicz operator
    𝒟*𝒟f = Δ_∂²f + R^{b̄a}f_{ab̄} + ⟨∂r,∂f⟩: a flow of eighth order. Ca is the squared norm of the gradient of the
    K-energy; Calabi flow is the descent of the K-energy, not of Ca. Source: Calabi 1982; eq. (B.7) of Halverson and
    Ruehle.

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    """

    name: ClassVar[str] = "calabi"
    parameters: ClassVar[Mapping[str, gr.Node]] = {"Rbar": gr.ZERO}
    definition: ClassVar[str] = "Ca = ∫ (R − Rbar)^2 dμ_J"
    source: ClassVar[str] = "Calabi, Extremal Kähler metrics (1982)"

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """(R − R̄)²."""
        return (use.scalar - gr.symbol("Rbar")) ** 2


@final
@dataclass(frozen=True)
class AubinI(PotentialFunctional):
    """I(φ) = ∫ φ (dμ_0 − dμ_φ), not divided by the volume; its gradient is dμ_0/dμ_J − 1 − Δ_∂φ.

    Source: Aubin 1984; Tian, Canonical Metrics in Kähler Geometry (2000).

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    """

    name: ClassVar[str] = "aubin-i"
    definition: ClassVar[str] = "I = ∫ φ (dμ_0 − dμ_J)"
    source: ClassVar[str] = "Aubin, J. Funct. Anal. 57 (1984)"

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """φ(dμ_0/dμ_J − 1)."""
        return use.phi * (use.reference_ratio - 1)


@final
@dataclass(frozen=True)
class AubinJ(PotentialFunctional):
    """J(φ) = ∫ φ dμ_0 − ∫_0^1 ∫ φ dμ_tφ dt, not divided by the volume; its gradient is dμ_0/dμ_J − 1.

    Source: Aubin 1984; Tian, Canonical Metrics in Kähler Geometry (2000).

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    """

    name: ClassVar[str] = "aubin-j"
    definition: ClassVar[str] = "J = ∫ φ dμ_0 − ∫_0^1 ∫ φ dμ_{tφ} dt"
    source: ClassVar[str] = "Aubin, J. Funct. Anal. 57 (1984)"

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """φ dμ_0/dμ_J."""
        return use.phi * use.reference_ratio

    def paths(self) -> Mapping[str, gr.Node]:
        """Minus the Monge–Ampère energy."""
        return {"volume": gr.constant(-1)}


@final
@dataclass(frozen=True)
class Ding(PotentialFunctional):
    """Ding's functional for c₁ = 0: D(φ) = ∫ φ dμ_Ω − ∫_0^1 ∫ φ dμ_tφ dt, not divided by the volume.

    Its gradient in Mabuchi's metric is 1/v − 1, so that descent is the inverse Monge–Ampère flow ∂_tφ = 1 − 1/v.
    Ding's own −log∫e^{−φ} needs c₁ > 0: it is the functional of Kähler–Einstein metrics on Fano manifolds, and
    ∫ φ dμ_Ω is its limit as c₁ → 0.
    Source: Ding 1988; Collins, Hisamoto and Takahashi 2018.

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    chern : int
        The sign of c₁: 0, or InputError.
    """

    chern: int = 0
    name: ClassVar[str] = "ding"
    definition: ClassVar[str] = "D = ∫ φ dμ_Ω − ∫_0^1 ∫ φ dμ_{tφ} dt"
    source: ClassVar[str] = "Ding, Math. Ann. 282 (1988)"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.chern != 0:
            raise InputError(f"Ding's functional with c₁ of sign {self.chern:+d} lives on a manifold whose first Chern "
                             "class has that sign; a torus has c₁ = 0: use Ding(T), its limit.")

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """φ/v."""
        return use.phi / use.v

    def paths(self) -> Mapping[str, gr.Node]:
        """Minus the Monge–Ampère energy."""
        return {"volume": gr.constant(-1)}


@final
@dataclass(frozen=True)
class JFunctional(PotentialFunctional):
    """The J-functional of Chen and Donaldson, for a constant positive (1,1)-form χ (½ δ unless given).

    J_χ(φ) = ∫_0^1 ∫ φ (tr_t χ − c) dμ_tφ dt with c = ∫ tr χ dμ/∫ dμ, a number of the classes of χ and of the state's
    reference form; its gradient in Mabuchi's metric is tr_ω χ − c, so that descent is the J-flow ∂_tφ = c − tr_ω χ, and
    J_χ(φ + s) = J_χ(φ) for constants s. Raises InputError if χ is no Hermitian matrix, PositivityError if it is not
    positive.
    Source: Chen 2000; Donaldson 1999.

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    chi : (n, n) Hermitian matrix, optional
        χ_{ab̄}, numbers or pairs (re, im), floats being the decimals that they print as; ½ δ unless given.
    """

    chi: Any = None
    name: ClassVar[str] = "j-functional"
    definition: ClassVar[str] = "J_χ = ∫_0^1 ∫ φ (tr_t χ − c) dμ_{tφ} dt"
    source: ClassVar[str] = "Chen, Int. Math. Res. Not. 12 (2000); Donaldson, Asian J. Math. 3 (1999)"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_positive(self.form)

    @property
    def form(self) -> Any:
        """χ."""
        return flat_matrix(self.geometry.dim) if self.chi is None else exact_form(self.chi, self.geometry.dim)

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """None but the energy along the path."""
        return gr.ZERO

    def paths(self) -> Mapping[str, gr.Node]:
        """The energy along the path of tr χ − c."""
        return {"form": gr.ONE}


def exact_form(chi: Any, dim: int) -> list[list[tuple[Fraction, Fraction]]]:
    """A matrix of numbers or pairs as pairs (re, im) of exact numbers."""
    if not (_is_row(chi, dim) and all(_is_row(row, dim) for row in chi)):
        raise InputError(f"chi must be a {dim} x {dim} Hermitian matrix for complex dimension {dim}; it is {chi!r}.")
    return [[_pair(entry) for entry in row] for row in chi]


def _is_row(row: Any, dim: int) -> bool:
    return hasattr(row, "__len__") and not isinstance(row, str) and len(row) == dim


def _pair(entry: Any) -> tuple[Fraction, Fraction]:
    try:
        re, im = entry if isinstance(entry, tuple | list) else (
            (entry.real, entry.imag) if isinstance(entry, complex) else (entry, 0))
        return _exact(re), _exact(im)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"an entry of chi is a number or a pair (re, im), and {entry!r} is neither.") from error


def _exact(number: Any) -> Fraction:
    return fraction_of(number) if isinstance(number, float) else Fraction(str(number))


def _check_positive(form: Any) -> None:
    import numpy as np

    matrix = np.array([[complex(*map(float, parts(entry))) for entry in row] for row in form])
    if not np.array_equal(matrix, matrix.conj().T):
        raise InputError("chi must be Hermitian: chi[a][b] is the conjugate of chi[b][a].")
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= 0:
        raise PositivityError(f"chi must be positive; its smallest eigenvalue is {smallest:.3g}.")


@final
@dataclass(frozen=True)
class PerelmanKahler(PotentialFunctional):
    """Perelman's F with the dilaton f = log v: F(φ) = ∫ (R + |∇log v|²) dμ_Ω, which is identically zero.

    R = −2Δ_∂ log v integrates against dμ_Ω = dμ_J/v to −2∫|∂ log v|² dμ_Ω, minus the other term. The Euler operator
    vanishes identically, which `certify_gradient(lambda use: gr.ZERO)` decides exactly.
    Source: eq. (B.18) of Halverson and Ruehle.

    Parameters
    ----------
    geometry : ComplexTorus or ComplexChart
        Of complex dimension 1, 2 or 3.
    """

    name: ClassVar[str] = "perelman-kahler"
    definition: ClassVar[str] = "F = ∫ (R + |∇ log v|^2) dμ_Ω"
    source: ClassVar[str] = "eq. (B.18) of Halverson and Ruehle"
    remarks: ClassVar[tuple[str, ...]] = ("This functional is identically zero: its gradient flow stands still.",)

    def integrand(self, use: PotentialAlgebra) -> gr.Node:
        """(R + 2|∂ log v|²)/v."""
        log_v = gr.log(use.v)
        return (use.scalar + 2 * use.pairing(log_v, log_v)) / use.v
