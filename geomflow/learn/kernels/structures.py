"""Tensor kernels Θ_ijkl(x, x') on metrics made from a scalar kernel K(x, x'): their index structure.

On a grid `KernelFlow` acts with them through `kernel.on(grid)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from geomflow.learn.kernels.kernel import Kernel


@final
@dataclass(frozen=True)
class Kronecker:
    """Θ_ijkl = δ_ik δ_jl K(x, x'): the frozen kernel of independent components, eq. (2.23) of Halverson and Ruehle."""

    kernel: Kernel


@final
@dataclass(frozen=True)
class Symmetrised:
    """Θ_ijkl = ½(δ_ik δ_jl + δ_il δ_jk) K(x, x'): `Kronecker` on symmetric tensors."""

    kernel: Kernel


@final
@dataclass(frozen=True)
class Covariant:
    """Θ(x, x') = S(x) w(x)^{−1/2} K(x, x') w(x')^{−1/2} S(x')ᵀ, S = E⊗E, with the lower Cholesky frame g = E Eᵀ.

    It evolves with the metric and is positive; w is the density of the measure of the inner product. As K tends to
    the delta function it tends to ½(g_ik g_jl + g_il g_jk) δ(x − x')/w, Perelman's kernel.
    """

    kernel: Kernel
