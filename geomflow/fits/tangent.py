"""Inner products of the tangent vectors ψ_α = ∂φ/∂c_α of a family of forms, and Ritz values of the Laplacian.

All integrals are sums over the family's points. The Dirichlet product is integrated by parts, −∫ψ_α Δ_∂ψ_β dμ_J: on an
eigenfunction of the Laplacian the summands of ∫ψ², −∫ψΔψ and ∫(Δψ)² are then proportional point by point, so that
their ratios, the decay rates of flows, hardly feel the Monte-Carlo error.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, eigh

from geomflow.fits.family import FormState
from geomflow.fits.loss import Density
from geomflow.variety.errors import UnderdeterminedError


def tangent(state: FormState) -> np.ndarray:
    """ψ_α = f_α/(kP) at the points, (P, count); Σ_α c_α ψ_α = 1/k is the constant."""
    family = state.family
    return family.features[:, 0] / (family.level * state.gram[:, :1, 0].real)


def mabuchi(state: FormState) -> np.ndarray:
    """∫ψ_α ψ_β dμ_J over ∫dμ_J, (count, count)."""
    vectors = np.sqrt(_mass(state))[:, None] * tangent(state)
    return vectors.T @ vectors


def dirichlet(state: FormState) -> np.ndarray:
    """∫⟨∂ψ_α, ∂ψ_β⟩ dμ_J over ∫dμ_J, plus ∫ψ_α ∫ψ_β, which fixes the constant and changes no other rate."""
    means = _mass(state) @ tangent(state)
    return _energy(state) + np.outer(means, means)


def _energy(state: FormState) -> np.ndarray:
    product = (_mass(state)[:, None] * tangent(state)).T @ state.slopes
    return -(product + product.T) / 2


def _mass(state: FormState) -> np.ndarray:
    """dμ_J = v dμ_Ω on the points, total mass one, (P,)."""
    return state.family.mass * state.density


#: The inner products in which flows are gradients, by name.
INNER_PRODUCTS: dict[str, Callable[[FormState], np.ndarray]] = {"mabuchi": mabuchi, "dirichlet": dirichlet}


def descent_system(state: FormState, functional: Density) -> tuple[np.ndarray, np.ndarray]:
    """The Gauss–Newton Hessian ∫F''(v)(δv)² dμ_Ω of E_F in the coefficients, and its gradient ∫F'(v) δv dμ_Ω."""
    mass, v = state.family.mass, state.density
    _, first, second = functional.evaluate(v)
    change = v[:, None] * state.slopes
    return (change * (mass * second)[:, None]).T @ change, (mass * first) @ change


def laplace_values(state: FormState) -> np.ndarray:
    """Ritz values of −Δ_∂ on the family, ascending, without the constant.

    They bound its eigenvalues on invariant functions from above, up to Monte-Carlo errors.
    """
    return pencil(_energy(state), mabuchi(state))[0][1:]


def pencil(form: np.ndarray, product: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and eigenvectors U (Uᵀ product U = 1) of a quadratic form in an inner product.

    Raises `UnderdeterminedError` where the points do not make the inner product positive.
    """
    try:
        values, vectors = eigh(form, product)
    except LinAlgError:
        least = float(np.linalg.eigvalsh(product)[0])
        raise UnderdeterminedError(
            f"the inner product of {len(product)} tangent vectors is not positive on the points (least eigenvalue "
            f"{least:.3g}): take more points or a lower degree"
        ) from None
    return values, vectors
